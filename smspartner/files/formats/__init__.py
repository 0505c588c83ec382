"""One module for each format: its writing and its reading side."""
