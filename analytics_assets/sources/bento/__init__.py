"""Bento's Stats API: audience counts, reports, and what advertising brought in signups, customers and money.

What it is: four GETs, `/stats/site`, `/stats/segment`, `/stats/report` and `/stats/ads`; no paging. https://bentonow.com/stats
Authentication: HTTP Basic, publishable key and secret key of one site, plus `site_uuid` in the query; a missing one answers 401 like
wrong keys. A User-Agent that names the application is required: without it the firewall answers 403 with an HTML page.
Limits: sources name 30 to 60 stats requests an hour; nothing says how long to wait, so a 429 is waited out in minutes.
Quirks: `/stats/ads` is camelCase, the others snake_case; its chart is called `chart` on the page and `chartData` in the vendor's client;
no page names the zone of its dates or whether the end is taken in, so a day is checked against the chart; counts and reports exist as of
now only and have no history; a report's `data` may be anything.

Rooms: `client.py` asks, `responses.py` refuses what is not documented, `tables.py` declares, `ads_chart.py` proves a day, `transform.py` makes rows,
`streams.py` puts a YAML's wishes together with them. `calibration.py` finds out how Bento reads dates, by what `date_convention.py` rules out.
"""
