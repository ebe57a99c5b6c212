"""What people are told without looking: failed runs, report tasks in trouble, failed checks, late days; one message a cause.

`cause.py` says what makes two troubles the same, `messages.py` how one reads, `failed_runs.py` and `standing.py` find them, `delivery.py` sends,
`sensor.py` puts it together and `component.py` is its YAML. What was told is remembered in `state/told.py` and `state/outbox.py`.
"""
