"""Read the values of a raw column: texts, numbers with their units, spellings."""
