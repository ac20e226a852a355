"""Build one page each and connect its events."""
