"""Option: predict what a lead is worth."""
