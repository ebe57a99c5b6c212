"""Tests of the tables, their hashes and the lake they land in."""
