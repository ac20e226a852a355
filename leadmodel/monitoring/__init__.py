"""How a model ages, and what to do about it."""
