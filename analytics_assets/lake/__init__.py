"""Where tables are kept, whatever the source: one Parquet file per account, table and day.

`table.py` declares a table once; `content.py` hashes what it holds; `store.py` promotes and reads files; `raw.py` is the shape of
answers kept as sent; `load.py` brings days of a stream in, one after the other. No Dagster here.
"""
