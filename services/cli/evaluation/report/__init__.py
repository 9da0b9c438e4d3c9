"""A report of an evaluation: one HTML file with all that it shows, and its plot as files."""
