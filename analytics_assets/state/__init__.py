"""What several processes share, in one small SQL database: runs, the sensor and the command line see the same rows.

`report_ledger.py` keeps report tasks, `rate_limit.py` the requests spent, `alert_log.py` open issues. No Dagster here, so that pruning Dagster's history loses nothing.
"""
