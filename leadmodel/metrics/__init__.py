"""Measure how good probabilities are."""
