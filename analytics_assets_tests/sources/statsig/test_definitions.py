"""Definitions made from the sample of Statsig's page, compared whole: as observed, and rebuilt as of the end of a day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.raw import raw_day
from analytics_assets.sources.statsig.client import EVENT_METRICS_ENDPOINT
from analytics_assets.sources.statsig.reconstruction import proven
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW
from analytics_assets.sources.statsig.transform import definitions, event_metrics
from analytics_assets_tests.sources.statsig import samples
from analytics_assets_tests.sources.statsig.vendor import kept, metric, page

DAY = date(2024, 2, 4)
SEEN = datetime(2024, 2, 5, 20, 0, tzinfo=UTC)
END = datetime(2024, 2, 5, 8, 0, tzinfo=UTC)


def listing(*pages: tuple[str, Any]) -> pa.Table:
    """Raw rows of one walk: encoded event names and their pages."""
    answers = [kept(EVENT_METRICS_ENDPOINT, f"/events/{event}/metrics", body) for event, body in pages]
    return raw_day(LISTING_RAW, DAY, answers).content


def definition_row(metric_id: str, name: str, kind: str, created_at: datetime | None, **more: Any) -> dict[str, Any]:
    """A whole row of `event_metrics` with what most of the sample's metrics have."""
    return {
        **dict.fromkeys(EVENT_METRICS.schema.names),
        "date": DAY,
        "event_name": "add_to_cart",
        "metric_id": metric_id,
        "metric_name": name,
        "metric_type": kind,
        "directionality": "increase",
        "description": "",
        "created_at": created_at,
        "is_permanent": False,
        "is_read_only": False,
        "is_hidden": False,
        "is_verified": False,
        "tags": [],
        "observed_at": SEEN,
        "is_reconstructed": False,
        **more,
    }


def seen(raw: pa.Table, **more: Any) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """Rows and figures of an observation, after the checks that stand before landing."""
    typed = event_metrics(DAY, definitions(raw, SEEN), is_reconstructed=False, **more)
    return EVENT_METRICS.validated(typed.content, DAY).to_pylist(), typed.figures


def rebuilt(raw: pa.Table) -> tuple[list[str], Mapping[str, Any]]:
    """Metric names and figures of a day reconstructed from one observation after it."""
    observation = definitions(raw, SEEN)
    rows = proven(observation.content, start=END - timedelta(days=1), end=END)
    typed = event_metrics(DAY, observation, rows, is_reconstructed=True)
    content = EVENT_METRICS.validated(typed.content, DAY)
    assert set(content["is_reconstructed"].to_pylist()) <= {True}
    return content["metric_name"].to_pylist(), typed.figures


def test_the_sample_of_definitions_becomes_a_row_per_metric():
    """The vendor's whole sample: five metrics, three of them only indirectly made from the event."""
    cart = {"lineage_events": ["add_to_cart"], "lineage_metrics": [], "is_indirect": False}
    long_name = "super_long_metric_nameeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee_thing"
    created = [datetime(2023, 3, 7, 5, 11, 18, 415000, UTC), datetime(2023, 3, 29, 22, 26, 15, 716000, UTC)]
    rows, figures = seen(listing(("add_to_cart", samples.EVENT_METRICS)))
    assert rows == [
        definition_row(
            "add_to_cart::event_count", "add_to_cart", "event_count", created[0], tags=["dashboard_test"], **cart
        ),
        definition_row(
            "add_to_cart::event_dau", "add_to_cart", "event_dau", created[1], tags=["asdf", "dashboard_test"], **cart
        ),
        definition_row(
            f"{long_name}::funnel",
            long_name,
            "funnel",
            datetime(2023, 10, 27, 17, 24, 46, 777000, UTC),
            description="test",
            tags=["Funnels"],
            lineage_events=[],
            lineage_metrics=["add_to_cart::event_dau", "new_custom_metric::event_user"],
            is_indirect=True,
            funnel_count_distinct="users",
            funnel_events=[
                {"name": "add_to_cart", "type": "event_dau"},
                {"name": "new_custom_metric", "type": "event_user"},
            ],
        ),
        definition_row(
            "test funnel 1::funnel",
            "test funnel 1",
            "funnel",
            datetime(2023, 9, 20, 23, 41, 36, 2000, UTC),
            lineage_events=[],
            lineage_metrics=["add_to_cart::event_count", "add_to_cart_games::event_count_custom"],
            is_indirect=True,
            funnel_count_distinct="events",
            funnel_events=[
                {"name": "add_to_cart", "type": "event_count"},
                {"name": "add_to_cart_games", "type": "event_count_custom"},
            ],
        ),
        definition_row(
            "test_funnel_metric::funnel",
            "test_funnel_metric",
            "funnel",
            datetime(2023, 12, 7, 21, 20, 9, 755000, UTC),
            directionality="decrease",
            tags=["Funnels"],
            lineage_events=[],
            lineage_metrics=["add_to_cart::event_dau"],
            is_indirect=True,
            funnel_count_distinct="users",
            funnel_events=[{"name": "add_to_cart", "type": "event_dau"}],
        ),
    ]
    assert figures == {"events": 1, "metrics": 5, "indirect_metrics": 3}


def test_people_are_columns_only_where_that_is_asked_for():
    """An observation that holds names does not bring them into the table by itself."""
    raw = listing(("add_to_cart", samples.EVENT_METRICS))
    people = ("metric_name", "creator_name", "creator_email", "owner_name")
    kept, _ = seen(raw, keep_personal_fields=True)
    left_out, _ = seen(raw)
    assert [tuple(row[name] for name in people) for row in kept][2:4] == [
        (kept[2]["metric_name"], "Test User ", "test@statsig.com", "Test User"),
        ("test funnel 1", "Test User", "test@statsig.com", "Test User"),
    ]
    assert {row[name] for row in left_out for name in people[1:]} == {None}


def test_all_documented_fields_have_a_column_and_are_no_strangers():
    """A definition with every field the vendor's pages name, in one whole row."""
    events = '[{"name": "checkout", "criteria": [{"values": [1.10]}]}]'
    owner = {"name": "Old", "ownerName": "New", "ownerEmail": "person@example.com", "ownerID": "7", "ownerType": "USER"}
    full = metric(
        "revenue",
        description="Money",
        createdTime=1716230400,
        isPermanent=True,
        isReadOnly=True,
        isHidden=True,
        isVerified=True,
        tags=["Core"],
        unitTypes=["userID", "room_id"],
        team="Growth",
        teamID="team-1",
        rollupTimeWindow="custom",
        customRollUpStart=1,
        customRollUpEnd="7",
        metricEvents=msgspec.Raw(events.encode()),
        metricComponentMetrics=[{"name": "a", "type": "sum"}],
        warehouseNative={"aggregation": "count"},
        lastModifiedTime=1716230400500,
        lastModifierID="7",
        lastModifierName="Person",
        lastModifierEmail="person@example.com",
        creatorID="7",
        creatorName="Person",
        creatorEmail=None,
        permalink="https://console.statsig.com/x",
        dryRun=False,
        owner=owner,
    )
    rows, figures = seen(listing(("checkout", page([full]))), keep_personal_fields=True)
    expected = definition_row(
        "revenue::sum",
        "revenue",
        "sum",
        datetime(2024, 5, 20, 18, 40, tzinfo=UTC),
        event_name="checkout",
        description="Money",
        is_permanent=True,
        is_read_only=True,
        is_hidden=True,
        is_verified=True,
        tags=["Core"],
        unit_types=["userID", "room_id"],
        lineage_events=["checkout"],
        lineage_metrics=[],
        is_indirect=False,
        team="Growth",
        rollup_time_window="custom",
        custom_rollup_start=1.0,
        custom_rollup_end=7.0,
        metric_events=events,
        component_metrics='[{"name":"a","type":"sum"}]',
        warehouse_native='{"aggregation":"count"}',
        last_modified_at=datetime(2024, 5, 20, 18, 40, 0, 500000, UTC),
        permalink="https://console.statsig.com/x",
        creator_name="Person",
        owner_name="New",
        owner_email="person@example.com",
        last_modifier_name="Person",
        last_modifier_email="person@example.com",
    )
    assert rows == [expected]
    assert figures == {"events": 1, "metrics": 1, "indirect_metrics": 0}


def test_a_definition_of_three_fields_is_a_row_of_nulls():
    """Absent and null are the same: not known. Without lineage nobody can say whether it is indirect."""
    least = {
        "id": "x",
        "name": " ",
        "type": "new_kind",
        "tags": None,
        "owner": None,
        "metricEvents": None,
        "team": None,
    }
    rows, _ = seen(listing(("a%2Fb%20l%C3%A4uft", page([least]))))
    absent = dict.fromkeys(
        ("directionality", "description", "is_permanent", "is_read_only", "is_hidden", "is_verified")
    )
    assert rows == [definition_row("x", " ", "new_kind", None, event_name="a/b läuft", tags=None, **absent)]


def test_pages_that_discovered_the_events_give_no_rows():
    """They list the same metrics without saying for which event they were asked."""
    discovery = kept("GET /metrics/list", "/metrics/list", page([metric("a")]))
    event = kept(EVENT_METRICS_ENDPOINT, "/events/checkout/metrics", page([metric("b")]))
    rows, figures = seen(raw_day(LISTING_RAW, DAY, [discovery, event]).content)
    assert ([(row["event_name"], row["metric_id"]) for row in rows], figures["events"]) == ([("checkout", "b::sum")], 1)


def test_a_metric_of_two_events_is_counted_once_and_events_without_metrics_are_named():
    """Rows are per event and metric; the figures count metrics."""
    raw = listing(("checkout", page([metric("a")])), ("cart", page([metric("a")])), ("silent", page([])))
    rows, figures = seen(raw)
    assert [(row["event_name"], row["is_indirect"]) for row in rows] == [("cart", True), ("checkout", False)]
    assert figures == {"events": 3, "metrics": 1, "indirect_metrics": 1, "events_without_metrics": ["silent"]}


def test_fields_of_definitions_that_are_not_known_are_named_by_path():
    """Inside lineage, owner and funnel steps too."""
    body = metric(
        "a",
        lineage={"events": [], "metrics": [], "tables": []},
        owner={"slack": "x"},
        funnelEventList=[{"name": "s", "window": 1}],
        shiny=1,
    )
    _, figures = seen(listing(("checkout", page([body]))))
    assert figures["unknown_fields"] == [
        "data[].funnelEventList[].window",
        "data[].lineage.tables",
        "data[].owner.slack",
        "data[].shiny",
    ]


def test_a_rebuilt_day_has_the_metrics_created_before_its_end():
    """The end itself belongs to the next day; a metric without creation time is taken."""
    end = int(END.timestamp() * 1000)
    names = {"early": end - 1, "at the end": end, "late": end + 86_400_000, "unknown": None}
    raw = listing(("checkout", page([metric(name, createdTime=created) for name, created in names.items()])))
    assert rebuilt(raw) == (
        ["early", "unknown"],
        {"events": 1, "metrics": 2, "indirect_metrics": 0, "metrics_created_later": 2},
    )


def test_an_observed_day_has_all_that_was_seen():
    """What was observed is the definition of the day, also what was created between its end and the reading."""
    created = int(SEEN.timestamp() * 1000) - 1
    rows, figures = seen(listing(("checkout", page([metric("new", createdTime=created)]))))
    assert ([row["metric_name"] for row in rows], figures["metrics"]) == (["new"], 1)


def test_a_day_before_every_metric_is_rebuilt_empty():
    """No rows, and the figures say how many came later."""
    raw = listing(("checkout", page([metric("late", createdTime=int(SEEN.timestamp() * 1000))])))
    assert rebuilt(raw) == ([], {"events": 1, "metrics": 0, "indirect_metrics": 0, "metrics_created_later": 1})


def test_a_metric_listed_twice_for_one_event_is_refused():
    """Keys occur once a day."""
    with pytest.raises(UnexpectedPayloadError, match="occur more than once"):
        seen(listing(("checkout", page([metric("a"), metric("a")]))))
