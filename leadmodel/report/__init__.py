"""Hold what was measured of a model, and judge whether it is ready."""
