"""Read what lies in a file: CSV of any dialect, and Excel sheets as people lay them out."""
