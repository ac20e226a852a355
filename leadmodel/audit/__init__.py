"""Find what is wrong with past leads: leakage, bad data, personal data."""
