"""Airbridge's Revenue Report API: what cohorts of app users bring in, day by day after the day they began.

What it is: a report is requested (POST), made in the background, looked at until it has an end and read page by page (GET); three GETs
list the metrics, group-bys and events there are. https://help.airbridge.io/en/references/revenue-report
Authentication: `Authorization: Bearer <API token>` of Settings, Tokens; not the tracking-link token. One app a path.
Limits: `from` and `to` span 92 days at most and are calendar days of the app's zone, up to today; at most 120 daily intervals. No fixed
rate limit; 429 when use threatens the service, without a Retry-After. A report takes up to 5 minutes.
Quirks: the page's prose says `task.status`, its sample has `data.status`: both are read. FAILURE and CANCELED arrive with HTTP 200. No
answer names the currency or the zone: both are configured. A POST is not idempotent. A group's own total carries young cohorts forward,
so nothing typed is made from it. Whether ROAS is sent as percent or ratio is not said: it is found out from the row's revenue and cost.

Rooms: `report_spec.py` says what is requested and `cohort_filter.py` of whom; `client.py` asks, `paging.py` makes pages a report, `responses.py` knows
their shapes; `tables.py` declares, `transform.py` makes raw and typed days with `cohorts.py` and `numbers.py`. How tasks are kept, waited
for and collected is `task_decisions.py` and what builds on it.
"""
