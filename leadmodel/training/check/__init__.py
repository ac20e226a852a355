"""Show what the audit of past leads found: as a report, as HTML, and as a recipe to correct."""
