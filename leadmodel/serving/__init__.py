"""How a model answers: one service behind every door."""
