"""How a model is kept: files, card, Hub."""
