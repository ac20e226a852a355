"""Serve a model to people and programs."""
