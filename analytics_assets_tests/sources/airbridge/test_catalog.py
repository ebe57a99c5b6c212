"""The lists of metadata as rows: one an entry, as sent, with what is not known here named."""

import msgspec

from analytics_assets.sources.airbridge.snapshot_tables import CATALOG
from analytics_assets.sources.airbridge.transform import catalog_day
from analytics_assets_tests.sources.airbridge.days import DAY
from analytics_assets_tests.sources.airbridge.samples import EVENTS, GROUP_BYS, METRICS
from analytics_assets_tests.sources.airbridge.vendor import NOW, Sandboxed, kept


def test_the_samples_of_the_metadata_become_the_catalogue():
    """One row an entry, with its heading; what a kind does not have is null, and a sub metric has no aggregation."""
    answers = {"metric": kept(METRICS), "group_by": kept(GROUP_BYS), "event": kept(EVENTS)}
    raw = catalog_day(DAY, answers)
    rows = CATALOG.validated(raw.content, DAY).to_pylist()
    metric, field = METRICS["data"][1]["metrics"][0], GROUP_BYS["data"][1]["fields"][0]
    event = EVENTS["data"][1]["events"][0]
    absent = dict.fromkeys(CATALOG.schema.names)
    expected = [
        {"kind": "metric", "section": "Sub Metric", "value_type": "number", "aggregations": None},
        {
            "kind": "group_by",
            "section": "Touchpoint",
            "example": "moloco",
            "is_filter": True,
            "is_cost": True,
            "type": "string",
        },
        {"kind": "event", "section": "Start Event", "sub_group": ""},
    ]
    for own, sent in zip(expected, (metric, field, event), strict=True):
        named = {name: sent[name] for name in ("key", "name", "description")}
        whole = {**absent, **own, **named, "date": DAY, "entry": msgspec.json.encode(sent).decode(), "observed_at": NOW}
        assert [row for row in rows if row["key"] == sent["key"]] == [whole]
    assert (len(rows), raw.requested_at, raw.notes) == (12, NOW, {})
    assert {row["key"]: row["aggregations"] for row in rows if row["section"] == "Metric"} == {
        "app_revenue": ["cumulative", "on-day"],
        "app_user_count": ["on-day", "unique-cumulative"],
    }


def test_fields_of_the_metadata_not_known_here_are_named():
    """They stay in the entry as sent."""
    sent = {"data": [{"name": "Metric", "metrics": [{"key": "a", "unit": "x"}], "rank": 1}]}
    raw = catalog_day(DAY, {"metric": kept(sent)})
    assert raw.notes == {"unknown_fields": ["metric: data[].rank", "metric: unit"]}
    assert raw.content["entry"].to_pylist() == ['{"key":"a","unit":"x"}']


async def test_the_lists_of_the_sandbox_become_a_valid_day():
    """Every metric a report may request is in it, and no field is new."""
    client = Sandboxed().client
    answers = {"metric": await client.metrics(), "group_by": await client.group_bys(), "event": await client.events()}
    raw = catalog_day(DAY, answers)
    rows = CATALOG.validated(raw.content, DAY).to_pylist()
    assert [row["key"] for row in rows if row["section"] == "Metric"] == [
        "app_arppu",
        "app_arpu",
        "app_event_count",
        "app_revenue",
        "app_roas",
        "app_user_count",
    ]
    assert ({row["kind"] for row in rows}, raw.notes) == ({"metric", "group_by", "event"}, {})
