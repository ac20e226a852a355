"""Predict from typed leads."""
