"""Bodies on existing engines: a lazy frame for Polars, a data source for Spark."""
