"""Operate a model over time: gate, retraining, rollback."""
