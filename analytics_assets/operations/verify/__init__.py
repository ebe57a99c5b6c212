"""Compares the files of the lake with their tables and with Dagster's record. `cli/lake.py` prints the result.

`files.py` examines files, `record.py` reads Dagster's record, `verification.py` compares, `repairs.py` proposes loads and records files.
"""
