"""Score files of any size."""
