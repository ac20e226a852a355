"""What a lead is: schema, recipe, reading, sample, events."""
