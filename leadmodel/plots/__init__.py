"""Draw the figures of a model."""
