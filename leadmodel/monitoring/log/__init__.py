"""Log predictions and join them with outcomes."""
