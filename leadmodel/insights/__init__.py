"""Describe past leads: their profile, conversion by value, associations."""
