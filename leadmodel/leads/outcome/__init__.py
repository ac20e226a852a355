"""Read what became of past leads: won, lost, or still open."""
