"""One folder per vendor API. They do not import each other.

Each has the same files: `client.py` (endpoints), `responses.py` (payloads), `tables.py` (what is stored), `transform.py` (raw to typed, pure),
`source.py` (fields of `defs.yaml`, resource and streams) and `checks.py`. A fourth vendor is a fourth folder and a line in
`SOURCES` of `analytics_assets/__init__.py`: docs/add-a-source.md.
"""
