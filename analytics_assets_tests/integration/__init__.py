"""The whole way: real HTTP to a sandbox server, real Dagster instances, real files."""
