"""Statsig's Console API: definitions of metrics by event, and the daily values of metrics.

* Page: https://docs.statsig.com/api-reference/events/get-metrics-using-event-name (base https://statsigapi.net/console/v1).
* Authentication: header `STATSIG-API-KEY` with a Console key of one project. A 401 repeats the key in its message.
* Limits: about 900 requests per 15 minutes and project; no header says so. No page names the default or largest page.
* Quirks: `nextPage` is a relative reference in several forms and `totalItems` may count something else; a metric day is a fixed
  UTC-8 day, complete the next day; value rows carry no date and one row per unit type; definitions have no history.

`client.py` asks, `responses.py` reads what comes, `tables.py` declares, `transform.py` makes typed rows, `streams.py` says what is requested a day.
None of these imports Dagster; `source.py` does.
"""
