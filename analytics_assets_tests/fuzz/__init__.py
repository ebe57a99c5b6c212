"""Any answer a vendor might send, against client, transform and landing: right rows, or an error that names the place.

`python -m analytics_assets_tests.fuzz` mutates genuine answers of the sandbox (`mutations.py`), stores them through the package's public
seams (`scenes.py`) and compares what stands with what oracles of its own read in the very bytes that were sent (`oracle_*.py`).
"""
