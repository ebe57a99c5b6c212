"""The keys of the simulated answers are the keys of the samples on the vendors' pages, no more and no less."""

from datetime import timedelta

from analytics_assets.sandbox.options import Options

METRIC = {
    "id",
    "name",
    "directionality",
    "type",
    "description",
    "isPermanent",
    "isReadOnly",
    "isHidden",
    "isVerified",
    "tags",
    "createdTime",
    "lineage.events",
    "lineage.metrics",
    "team",
}
FUNNEL = METRIC | {
    "creatorName",
    "creatorEmail",
    "owner.name",
    "funnelCountDistinct",
    "funnelEventList.name",
    "funnelEventList.type",
}
BENTO_ROW = {"signups", "customers", "customerRate", "revenueCents", "revenueCurrency"}


def key_paths(value, prefix=""):
    """Dotted paths of all keys with a plain value below; list items count as one."""
    if isinstance(value, dict):
        inner = [key_paths(one, f"{prefix}.{key}" if prefix else key) for key, one in value.items()]
        return set().union(*inner) if inner else {prefix}
    if isinstance(value, list) and value:
        return set().union(*(key_paths(one, prefix) for one in value))
    return {prefix}


async def test_statsig_metrics_have_the_samples_keys(open_sandbox):
    """An automatic metric and a funnel, as on the page "Get metrics using event name"."""
    body = (await open_sandbox().statsig("/events/sign_up/metrics?limit=5&page=1")).json()
    by_type = {one["type"]: key_paths(one) for one in body["data"]}
    assert by_type == {"event_count": METRIC, "event_dau": METRIC, "funnel": FUNNEL}
    assert body.keys() == {"message", "data", "pagination"}
    assert body["pagination"].keys() == {
        "itemsPerPage",
        "pageNumber",
        "totalItems",
        "nextPage",
        "previousPage",
        "all",
    }


async def test_an_airbridge_report_has_the_samples_keys(open_sandbox, report_body):
    """The SUCCESS sample of the Revenue Report page, notification included."""
    sandbox = open_sandbox(Options(task_seconds=1))
    task_id = await sandbox.post_report(report_body)
    sandbox.now += timedelta(seconds=1)
    totals = {
        "totalCost.value",
        "totalRevenue.value",
        "totalUniqueUsers.value",
        "totalUniqueUsers.isMasked",
    }
    rows = "data.stats.rows"
    assert key_paths((await sandbox.read_report(task_id)).json()) == {
        f"{rows}.metadata",
        f"{rows}.rows.date",
        f"{rows}.rows.values.value",
        f"{rows}.rows.values.isMasked",
        *(f"{rows}.rows.total.{one}" for one in totals),
        f"{rows}.total.rows.value",
        f"{rows}.total.rows.isMasked",
        *(f"{rows}.total.{one}" for one in totals),
        "data.status",
        "data.taskId",
        "data.endedAt",
        "data.hasNext",
        "data.metadata.totalCount",
        "notification.code",
        "notification.type",
        "notification.message",
    }


async def test_airbridge_metadata_has_the_samples_keys(open_sandbox):
    """The three dataspec samples."""
    sandbox = open_sandbox()
    spec = "/dataspec/v1/apps/demo/revenue-report"
    seen = {
        name: key_paths((await sandbox.airbridge("GET", f"{spec}/{name}")).json())
        for name in ("metrics", "groupbys", "events")
    }
    assert seen == {
        "metrics": {
            "data.name",
            *(f"data.metrics.{key}" for key in ("key", "name", "description", "valueType", "aggregationType")),
        },
        "groupbys": {
            "data.name",
            *(f"data.fields.{key}" for key in ("key", "name", "description", "example", "isFilter", "type", "isCost")),
        },
        "events": {"data.name", *(f"data.events.{key}" for key in ("subGroup", "key", "name", "description"))},
    }


async def test_bento_answers_have_the_documented_keys(open_sandbox):
    """Site and segment from the page; ads from the vendor's newest client, which spells out what the page sums up."""
    sandbox = open_sandbox()
    counts = {"user_count", "subscriber_count", "unsubscriber_count"}
    assert (await sandbox.bento("site")).json().keys() == counts
    assert (await sandbox.bento("segment", segment_id="segment_1")).json().keys() == counts
    body = (await sandbox.bento("ads", start_date="2026-07-01", end_date="2026-07-08")).json()
    assert body.keys() == {
        "dimension",
        "dimensionLabel",
        "attribution",
        "revenueMode",
        "totals",
        "chartData",
        "breakdown",
        "revenueTruncated",
    }
    assert body["attribution"].keys() == {"mode", "modeLabel", "windowDays", "settingsPath", "appliesToAdRevenue"}
    assert body["revenueMode"].keys() == {"mode", "label", "description"}
    assert body["totals"].keys() == BENTO_ROW | {"revenueByCurrency", "revenueVisitorCount", "topSource"}
    assert {frozenset(point) for point in body["chartData"]} == {frozenset({"x", "signups", "customers", "revenue"})}
    assert {frozenset(row) for row in body["breakdown"]} == {
        frozenset(BENTO_ROW | {"key", "label", "revenueByCurrency", "revenuePerSignupCents"})
    }
