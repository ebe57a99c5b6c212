"""Alerts about failed runs, report tasks in trouble, failed checks and late days; one message an issue.

`issue.py` says which failures are the same issue, `failed_runs.py` and `conditions.py` find them, `messages.py` composes, `delivery.py` sends,
`sensor.py` puts it together and `component.py` is its YAML. Open issues are kept in `state/alert_log.py`.
"""
