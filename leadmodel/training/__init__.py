"""Train a model from prepared leads."""
