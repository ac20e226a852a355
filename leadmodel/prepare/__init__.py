"""Make past leads ready to train on: typed data, split, folds, settings."""
