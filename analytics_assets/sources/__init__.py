"""One folder per upstream API; they do not know each other.

Each has the same rooms: `client.py` (endpoints), `tables.py` (what lands), `transform.py` (raw to typed, pure), `streams.py` (what a day
asks), `assets.py` (Dagster's view), `source.py` (fields of `defs.yaml`, and the resource that opens a client). Airbridge has three more,
because its reports are asynchronous: `report_spec.py`, `task_decisions.py` and `task_sensor.py`. A fourth API is a fourth folder with these names.
"""
