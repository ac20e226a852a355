"""Compare new leads with the training leads."""
