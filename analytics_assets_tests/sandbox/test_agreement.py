"""The same business through three vendors: where their zones agree, so do their figures."""

from datetime import UTC, datetime, timedelta

from analytics_assets.sandbox.options import Options


async def bento_cents(sandbox, start, end, key="revenueCents"):
    """Bento's revenue of [start, end)."""
    return (await sandbox.bento("ads", start_date=start, end_date=end)).json()["totals"][key]


async def statsig_value(sandbox, days, name, kind):
    """Sum over days of a metric's overall row."""
    values = []
    for day in days:
        answer = await sandbox.statsig(f"/metrics/values?date={day}&metricName={name}&metricType={kind}")
        values += [row["value"] for row in answer.json()["data"] if row["unitType"] == "overall"]
    assert len(values) == len(days)
    return sum(values)


async def airbridge_sums(sandbox, body):
    """Sum of all on-day cells and of all start users."""
    rows = (await sandbox.read_report(await sandbox.post_report(body))).json()["data"]["stats"]["rows"]
    cells = [cell["value"] for group in rows for row in group["rows"] for cell in row["values"]]
    return sum(cells), sum(group["total"]["totalUniqueUsers"]["value"] for group in rows)


async def test_the_hand_made_revenue_is_the_same_everywhere(open_sandbox, hand_world, report_body):
    """17.50 from three vendors, three people from two of them."""
    sandbox = open_sandbox(Options(task_seconds=0, airbridge_zone="UTC"), hand_world)
    days = ["2026-07-01", "2026-07-02", "2026-07-03"]
    revenue = [
        await bento_cents(sandbox, "2026-07-01", "2026-07-04") / 100,
        await statsig_value(sandbox, days, "purchase_value", "sum"),
        *(await airbridge_sums(sandbox, {**report_body, "aggregationType": "on-day"})),
    ]
    signups = [
        await bento_cents(sandbox, "2026-07-01", "2026-07-04", "signups"),
        await statsig_value(sandbox, days, "sign_up", "event_count"),
    ]
    assert (revenue, signups) == ([17.5, 17.5, 17.5, 3], [3, 3])


async def test_the_seeded_sign_ups_agree_where_the_zones_do(open_sandbox, report_body):
    """Airbridge and Bento count the same people when both read days of GMT-8, as Statsig always does."""
    sandbox = open_sandbox(Options(task_seconds=0, airbridge_zone="Etc/GMT+8", bento_zone="Etc/GMT+8"))
    start = datetime(2026, 6, 1, tzinfo=UTC).date()
    days = [(start + timedelta(days=number)).isoformat() for number in range(5)]
    body = {**report_body, "from": days[0], "to": days[3], "intervalsPeriod": 0, "metric": "app_event_count"}
    _, airbridge = await airbridge_sums(sandbox, body)
    bento = await bento_cents(sandbox, days[0], days[4], "signups")
    statsig = await statsig_value(sandbox, days[:4], "sign_up", "event_count")
    assert airbridge == bento == statsig > 100
