"""Tests of the example source, as a reader of docs/add-a-source.md writes them for another one."""
