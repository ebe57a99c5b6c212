"""Report specs: what is sent for them, and what is refused before anything is sent."""

from datetime import date
from typing import Any

import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.sources.airbridge.cohort_filter import (
    AndClause,
    Cohort,
    CohortEvent,
    CohortFilter,
    CohortTime,
    OrClause,
    Segment,
)
from analytics_assets.sources.airbridge.report_spec import (
    AGGREGATIONS,
    CsvResult,
    Filter,
    ReportSpec,
    Sort,
    body,
    spec_hash,
)
from analytics_assets_tests.sources.airbridge.samples import REQUEST
from analytics_assets_tests.sources.airbridge.vendor import spec


def of_page() -> ReportSpec:
    """The request of the vendor's page as a spec."""
    return ReportSpec(
        name="revenue",
        group_by=("channel",),
        metric="app_revenue",
        aggregation="cumulative",
        start_events=("app_install",),
        return_events=("app_order_complete",),
        filters=(Filter("campaign", "IN", ("App",)),),
        sorts=(Sort("totalRevenue", is_ascending=True),),
        csv=CsvResult(includes_total=True),
    )


def counted(segment: Segment) -> Cohort:
    """A cohort of one segment."""
    return Cohort((AndClause((OrClause(segment),)),))


def test_the_sample_request_of_the_page_is_sent_key_for_key():
    """The default of 30 intervals is sent too, so that a change of the vendor's default changes nothing."""
    assert body(of_page(), date(2022, 11, 4), date(2022, 11, 11)) == REQUEST


def test_what_must_be_sent_is_sent_when_it_is_empty():
    """`filters` and `sorts` are required; `cohorts` and `resultSpec` are not."""
    assert body(spec(), date(2026, 3, 1), date(2026, 3, 1)) == {
        "from": "2026-03-01",
        "to": "2026-03-01",
        "groupBy": {"fields": ["channel"]},
        "granularity": "day",
        "intervalsPeriod": 2,
        "startEvents": ["app_install"],
        "returnEvents": ["app_order_complete"],
        "metric": "app_revenue",
        "aggregationType": "cumulative",
        "filters": [],
        "sorts": [],
    }


def test_a_cohort_is_nested_as_the_page_nests_it():
    """Every level with its `negated`; a filter with none, a value or values; a time with what its operator takes."""
    cohort = Cohort(
        (
            AndClause(
                (
                    OrClause(
                        Segment(
                            CohortEvent("any-event", "more than or equals", 2),
                            (
                                CohortFilter("country", "IN", values=("KR", "US")),
                                CohortFilter("price", ">", value=3),
                                CohortFilter("brand", "EXIST"),
                            ),
                            CohortTime("between", date(2023, 2, 1), date(2023, 5, 1)),
                        ),
                        negated=True,
                    ),
                    OrClause(
                        Segment(CohortEvent("app_sign_up", "equals", 1), time=CohortTime("since", settings={"days": 7}))
                    ),
                )
            ),
            AndClause((OrClause(Segment(CohortEvent("app_install", "less than", 9))),), negated=True),
        )
    )
    sent = body(spec(cohort=cohort), date(2026, 3, 1), date(2026, 3, 2))["cohorts"]
    first = {
        "event": {"type": "any-event", "operator": "more than or equals", "value": 2},
        "filters": [
            {"field": "country", "filterType": "IN", "values": ["KR", "US"]},
            {"field": "price", "filterType": ">", "value": 3},
            {"field": "brand", "filterType": "EXIST"},
        ],
        "time": {"operator": "between", "from": "2023-02-01", "to": "2023-05-01"},
    }
    second = {
        "event": {"type": "app_sign_up", "operator": "equals", "value": 1},
        "filters": [],
        "time": {"operator": "since", "days": 7},
    }
    third = {"event": {"type": "app_install", "operator": "less than", "value": 9}, "filters": []}
    clauses = [
        {"negated": False, "orClauses": [{"negated": True, "segment": first}, {"negated": False, "segment": second}]},
        {"negated": True, "orClauses": [{"negated": False, "segment": third}]},
    ]
    assert sent == [{"id": 0, "name": "Cohort", "definition": {"andClauses": clauses}}]


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 1, 1), date(2026, 4, 2)), (date(2026, 3, 1), date(2026, 3, 1))]
)
def test_a_task_takes_one_to_92_days(first: date, last: date):
    """Both ends are included: 1 January to 2 April are 92."""
    sent = body(spec(), first, last)
    assert (sent["from"], sent["to"]) == (first.isoformat(), last.isoformat())


@pytest.mark.parametrize(
    ("last", "said"),
    [(date(2026, 4, 3), "are 93 days"), (date(2025, 12, 31), "are 0 days"), (date(2025, 12, 1), "are -30")],
)
def test_more_or_fewer_days_are_refused(last: date, said: str):
    """The vendor would answer 400; the message says how many days a task takes."""
    with pytest.raises(PermanentError, match=f"{said}.*a task takes 1 to 92"):
        body(spec(), date(2026, 1, 1), last)


def test_the_hash_tells_what_is_asked_apart_and_nothing_else():
    """The name of a report is ours, and its days are in no hash: a day requested in another task is the same asking."""
    assert spec_hash(spec(name="other")) == spec_hash(spec())
    changed = [
        spec(group_by=("channel", "campaign")),
        spec(group_by=("campaign", "channel")),
        spec(metric="app_event_count"),
        spec(aggregation="on-day"),
        spec(intervals=3),
        spec(start_events=("app_sign_up",)),
        spec(return_events=("app_subscribe",)),
        spec(filters=(Filter("channel", "EXIST"),)),
        spec(sorts=(Sort("totalRevenue", is_ascending=False),)),
        spec(cohort=counted(Segment(CohortEvent("any-event", "equals", 1)))),
        spec(csv=CsvResult()),
    ]
    assert len({spec_hash(one) for one in [spec(), *changed]}) == 12


@pytest.mark.parametrize("metric", AGGREGATIONS)
@pytest.mark.parametrize("aggregation", ["cumulative", "on-day", "unique-cumulative", "weekly"])
def test_metrics_and_aggregations_fit_together_as_the_page_says(metric: str, aggregation: str):
    """Ratios are cumulative only; unique-cumulative is in the metadata of app_user_count and nowhere else."""
    allowed = {("app_user_count", "unique-cumulative")} | {(one, "cumulative") for one in AGGREGATIONS}
    allowed |= {(one, "on-day") for one in ("app_revenue", "app_user_count", "app_event_count")}
    if (metric, aggregation) in allowed:
        assert spec(metric=metric, aggregation=aggregation).aggregation == aggregation
    else:
        with pytest.raises(
            PermanentError, match=f"aggregation: {metric} cannot be had '{aggregation}'. Use cumulative"
        ):
            spec(metric=metric, aggregation=aggregation)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "My report"}, "name: 'My report' cannot begin a table's name. Use small letters"),
        ({"group_by": ()}, "group_by: it is empty"),
        ({"group_by": ("channel", "channel")}, "group_by: .*repeated"),
        ({"start_events": ()}, "start_events: it is empty"),
        (
            {"start_events": ("app_target_events",)},
            "start_events: 'app_target_events' is not known. Use app_install or",
        ),
        ({"return_events": ("",)}, "return_events: .*empty"),
        ({"return_events": ("app_refund",)}, "return_events: 'app_refund' is not known. Use app_order_complete or"),
        ({"metric": "app_ltv"}, "metric: 'app_ltv' is not known. Use app_revenue or"),
        ({"intervals": 121}, "intervals: 121 is not within 0 to 120 days"),
        ({"intervals": -1}, "intervals: -1 is not within 0 to 120 days"),
        ({"granularity": "week"}, "granularity: the rows of a week begin at the first day requested.*Use day"),
        ({"granularity": "month"}, "granularity: the rows of a month begin at the first day requested.*Use day"),
        ({"granularity": "hour"}, "granularity: 'hour' is not known. Use day"),
        (
            {"filters": (Filter("channel", "=", ("a",)),)},
            r"filters\[0\].filter_type: '=' is not known. Use IN or NOT IN",
        ),
        ({"filters": (Filter("", "EXIST"),)}, r"filters\[0\].field: it is empty"),
        ({"filters": (Filter("channel", "NOT IN"),)}, r"filters\[0\].values: NOT IN needs values"),
        ({"sorts": (Sort("", is_ascending=True),)}, r"sorts\[0\].field_name: it is empty. Use totalRevenue"),
        ({"cohort": Cohort(())}, "cohort.and_clauses: there is none"),
        ({"cohort": Cohort((AndClause(()),))}, r"cohort.and_clauses\[0\].or_clauses: there is none"),
    ],
)
def test_what_the_vendor_would_refuse_is_refused_with_place_and_remedy(change: dict[str, Any], said: str):
    """A 400 in the night tells less than a refusal at loading."""
    with pytest.raises(PermanentError, match=said):
        spec(**change)


@pytest.mark.parametrize("intervals", [0, 120])
def test_the_ends_of_the_range_of_intervals_are_allowed(intervals: int):
    """Interval 0 alone is a report, and 120 is the most."""
    assert spec(intervals=intervals).intervals == intervals


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        (Segment(CohortEvent("", "equals", 1)), "event.type: it is empty"),
        (
            Segment(CohortEvent("any-event", "=", 1)),
            "event.operator: '=' is not known. Use equals or more than or equals",
        ),
        (Segment(CohortEvent("any-event", "equals", 0)), "event.value: 0 is not a natural number"),
        (
            Segment(CohortEvent("a", "equals", 1), (CohortFilter("", "IN"),)),
            r"filters\[0\]: field or filter_type is empty",
        ),
        (
            Segment(CohortEvent("a", "equals", 1), (CohortFilter("b", "IN", "c", ("d",)),)),
            r"filters\[0\]: it has both value and values",
        ),
        (Segment(CohortEvent("a", "equals", 1), time=CohortTime("before")), "time.operator: 'before' is not known"),
        (Segment(CohortEvent("a", "equals", 1), time=CohortTime("between")), "time: between needs first and last"),
        (
            Segment(CohortEvent("a", "equals", 1), time=CohortTime("between", date(2023, 1, 31), date(2023, 2, 2))),
            "time: 2023-01-31 to 2023-02-02 is out of the vendor's reach. Choose at most 90 days, none before 2023-02-01",
        ),
        (
            Segment(CohortEvent("a", "equals", 1), time=CohortTime("between", date(2023, 2, 1), date(2023, 5, 2))),
            "time: 2023-02-01 to 2023-05-02 is out of",
        ),
        (
            Segment(CohortEvent("a", "equals", 1), time=CohortTime("between", date(2023, 3, 2), date(2023, 3, 1))),
            "time: 2023-03-02 to 2023-03-01 is out of",
        ),
    ],
)
def test_what_the_vendor_would_refuse_of_a_cohort_is_refused_with_its_place(segment: Segment, said: str):
    """The place leads through all levels of nesting."""
    with pytest.raises(PermanentError, match=rf"cohort.and_clauses\[0\].or_clauses\[0\].segment.{said}"):
        spec(cohort=counted(segment))


@pytest.mark.parametrize("fixed", [{"id": 1}, {"name": "Buyers"}])
def test_a_cohort_has_the_one_id_and_name_the_vendor_takes(fixed: dict[str, Any]):
    """The page: other values are not supported."""
    clauses = counted(Segment(CohortEvent("any-event", "equals", 1))).and_clauses
    with pytest.raises(PermanentError, match=r"cohort: .*Use id 0 and name Cohort"):
        spec(cohort=Cohort(clauses, **fixed))


def test_all_that_is_wrong_is_said_at_once():
    """Whoever fixes a YAML should not have to load it once for each mistake."""
    with pytest.raises(PermanentError) as caught:
        spec(intervals=500, metric="x", group_by=())
    assert str(caught.value) == (
        "Airbridge report 'revenue' cannot be requested. "
        "group_by: it is empty, or has an empty or a repeated entry. List different dimensions, at least one. "
        "metric: 'x' is not known. Use app_revenue or app_user_count or app_event_count or app_roas or app_arpu or app_arppu. "
        "intervals: 500 is not within 0 to 120 days. Choose a number in that range."
    )
