"""Empty names, slashes, quotes, other scripts and 500 letters in channels, campaigns and events: a week of all vendors, name for name."""

from typing import Any

from analytics_assets_tests.contract.observed_forms import AWKWARD, WEEK, Readings
from analytics_assets_tests.vendors.awkward_names import CAMPAIGNS, CHANNELS, EVENTS

_AUTOMATIC = {"event_count", "event_dau"}
Rows = list[dict[str, Any]]


def _rows(readings: Readings, vendor: str, form: str, stream: str, table: str) -> Rows:
    read = readings[vendor, form, stream]
    assert read.kind == "rows", read.message
    return read.rows[table]


def _in_order(rows: Rows) -> Rows:
    """Names sort otherwise under their other names."""
    return sorted(rows, key=repr)


def test_cohorts_keep_every_name_and_its_numbers(form_readings: Readings):
    """Channels and campaigns; organic people have an empty channel here."""
    for stream in ("revenue", "users"):
        for table in (f"{stream}_cohorts", f"{stream}_cohort_totals"):
            usual = _rows(form_readings, "airbridge", WEEK, stream, table)
            renamed = [
                {
                    **row,
                    "channel": CHANNELS.get(row["channel"], row["channel"]),
                    "campaign": CAMPAIGNS.get(row["campaign"], row["campaign"]),
                }
                for row in usual
            ]
            assert _in_order(_rows(form_readings, "airbridge", AWKWARD, stream, table)) == _in_order(renamed)


def test_attribution_keeps_every_campaign_and_its_numbers(form_readings: Readings):
    """Keys and labels of the campaigns; sources are as they were."""
    usual = _rows(form_readings, "bento", WEEK, "ads", "ads_attribution")
    renamed = [
        {**row, "key": CAMPAIGNS.get(row["key"], row["key"]), "label": CAMPAIGNS.get(row["label"], row["label"])}
        if row["dimension"] == "campaign"
        else row
        for row in usual
    ]
    assert _in_order(_rows(form_readings, "bento", AWKWARD, "ads", "ads_attribution")) == _in_order(renamed)


def test_values_keep_every_event_and_its_numbers(form_readings: Readings):
    """The automatic metrics of each event; those made by hand belong to other names."""

    def automatic(form: str) -> Rows:
        rows = _rows(form_readings, "statsig", form, "values", "metric_values")
        return [row for row in rows if row["metric_type"] in _AUTOMATIC]

    renamed = [
        {
            **row,
            "metric_name": (name := EVENTS.get(row["metric_name"], row["metric_name"])),
            "display_name": name.strip(),
        }
        for row in automatic(WEEK)
    ]
    assert _in_order(automatic(AWKWARD)) == _in_order(renamed)


def test_definitions_keep_every_event_an_address_can_name(form_readings: Readings):
    """An empty name and `..` are steps in a path, not names: they are told, and everything else is there."""
    unnamable = {"", ".."}

    def automatic(form: str) -> Rows:
        rows = _rows(form_readings, "statsig", form, "definitions", "event_metrics")
        return [row for row in rows if row["metric_type"] in _AUTOMATIC]

    renamed = []
    for row in automatic(WEEK):
        name = EVENTS.get(row["event_name"], row["event_name"])
        if name not in unnamable:
            identity = {"event_name": name, "metric_name": name, "lineage_events": [name]}
            renamed.append({**row, **identity, "metric_id": f"{name}::{row['metric_type']}"})
    assert _in_order(automatic(AWKWARD)) == _in_order(renamed)
    listing = form_readings["statsig", AWKWARD, "listing"]
    assert [figures["events_not_askable"] for figures in listing.figures.values()] == [sorted(unnamable)]
