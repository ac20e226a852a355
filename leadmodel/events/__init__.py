"""Turn event logs into leads, on polars, DuckDB or Spark."""
