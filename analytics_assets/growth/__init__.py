"""Tables for analysts, made from the whole lake. Add a table as `sql/<table>.sql`, with its declaration in `tables.py`."""
