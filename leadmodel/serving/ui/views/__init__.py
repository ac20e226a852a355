"""Compute and render what a page shows."""
