"""Define what a lead is: its schema, its recipe, and how raw values become typed ones."""
