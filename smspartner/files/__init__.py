"""Numbers in files, tables and databases: written and read."""
