"""The lake held against its tables and Dagster's record, and fixed."""
