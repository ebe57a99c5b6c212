"""What is expected of Airbridge's streams when it answers in another form: written by hand, before it was run.

A stream that is not named has the same rows, the same figures and as many requests as with the usual form.
"""

from collections.abc import Callable, Mapping
from typing import Any

from analytics_assets_tests.contract.expected_faults import AWAITED
from analytics_assets_tests.contract.form_changes import ABSENT, ADDED, ANY, Change, Rows, refused, setting, unknown

_REPORTS = ("revenue", "roas")


def _both(of: Callable[[str], Change]) -> dict[str, Change]:
    return {name: of(name) for name in _REPORTS}


def _tables(
    name: str,
    *,
    raw: Mapping[str, Any] | None = None,
    cohorts: Mapping[str, Any] | None = None,
    totals: Mapping[str, Any] | None = None,
) -> dict[str, Mapping[str, Any]]:
    given = {f"{name}_raw": raw, f"{name}_cohorts": cohorts, f"{name}_cohort_totals": totals}
    return {table: named for table, named in given.items() if named is not None}


def _told(*codes: str) -> Callable[[str], Change]:
    named = {"notifications": sorted(codes) if codes else ABSENT}
    return lambda name: Change(named=_tables(name, raw=named, cohorts=named, totals=named))


def _stranger(name: str) -> Change:
    cells = [f"total.{one}.{ADDED}" for one in ("totalCost", "totalRevenue", "totalUniqueUsers")]
    raw = unknown(ADDED, *(f"data.{part}{ADDED}" for part in ("", "metadata.", "stats.rows[].")))
    return Change(named=_tables(name, raw=raw, cohorts=unknown(ADDED, f"values[].{ADDED}"), totals=unknown(*cells)))


def _masked(name: str) -> Change:
    totals = ("cost", "revenue", "users")
    return Change(
        rows={
            f"{name}_cohorts": setting(is_masked=lambda row: row["is_reached"]),
            f"{name}_cohort_totals": setting(**{f"{one}_is_masked": True for one in totals}),
        },
        named=_tables(
            name,
            cohorts={"masked_share": 1.0, "d0": ABSENT, "d0_unmasked": ABSENT},
            totals={
                "masked_share": 1.0,
                **dict.fromkeys((*totals, *(f"{one}_unmasked" for one in totals)), ABSENT),
            },
        ),
    )


def _masked_null(name: str) -> Change:
    return Change(
        rows={
            f"{name}_cohorts": setting(value=lambda row: None if row["is_masked"] else row["value"]),
            f"{name}_cohort_totals": setting(users=lambda row: None if row["users_is_masked"] else row["users"]),
        },
    )


def _value_null(name: str) -> Change:
    def gone(rows: Rows) -> Rows:
        return [{**row, "value": None, "is_masked": False} if row["days_since_start"] == 0 else row for row in rows]

    return Change(
        rows={f"{name}_cohorts": gone},
        named=_tables(name, cohorts={"d0": ABSENT, "d0_unmasked": ABSENT, "masked_share": ANY, "missing_values": ANY}),
    )


def _all_refused(words: str, requests: int) -> dict[str, Change]:
    return dict.fromkeys(_REPORTS, refused(words, requests))


_BARE_LIST = {
    "catalog": Change(
        rows={
            "catalog": setting(
                **dict.fromkeys(("description", "value_type", "aggregations", "example", "is_filter", "sub_group"))
            )
        }
    )
}
ASKED_AND_LOOKED = 2
# ROAS is made of cost, so the dimensions are read first: by which of them is cost known?
DIMENSIONS_READ = 1
PAGES = 3
AIRBRIDGE: dict[str, dict[str, Change]] = {
    **{
        key: {}
        for key in (
            *(
                "airbridge-task-envelope",
                "airbridge-dates-with-times",
                "airbridge-flags-missing",
                "airbridge-young-null",
            ),
            *("airbridge-young-zero", "airbridge-young-carried", "airbridge-labels-short", "airbridge-labels-null"),
            *("airbridge-totals-absent", "airbridge-more-absent", "airbridge-numbers-as-text"),
        )
    },
    "airbridge-notifications": _both(
        _told("AGG_DATA_MASKING_BY_FACEBOOK", "SAN_PERIOD_LIMIT", '{"type":"info","message":"one without a code"}')
    ),
    "airbridge-optional-missing": _both(_told()),
    "airbridge-optional-null": _both(_told()),
    "airbridge-extra-fields": {
        **_both(_stranger),
        "catalog": Change(named={"catalog": unknown(f"metric: {ADDED}", f"group_by: {ADDED}", f"event: {ADDED}")}),
    },
    "airbridge-roas-ratio": {
        "revenue": Change(rows={"revenue_cohorts": lambda _: []}, kind=ANY),
        "roas": Change(named={"roas_cohorts": {"roas_scale": "ratio"}}),
    },
    "airbridge-roas-odd": {
        "revenue": Change(kind=ANY),
        "roas": refused(
            "ROAS fits revenue and cost of its row neither as percent nor as ratio",
            DIMENSIONS_READ + ASKED_AND_LOOKED + PAGES,
        ),
    },
    "airbridge-list-fields-missing": _BARE_LIST,
    "airbridge-list-fields-null": _BARE_LIST,
    "airbridge-all-masked": _both(_masked),
    "airbridge-masked-null": _both(_masked_null),
    "airbridge-value-null": _both(_value_null),
    "airbridge-required-missing": {
        **_all_refused("it names no task: neither data.taskId nor task.taskId", 1),
        "catalog": refused("missing required field `key`", None, most=3),
    },
    "airbridge-rows-missing": _all_refused(
        "a finished report has neither data.stats.rows nor revenue.data.rows", ASKED_AND_LOOKED + 1
    ),
    "airbridge-other-day": _all_refused("requested was 2026-07-12 to 2026-07-14", ASKED_AND_LOOKED + 1),
    "airbridge-day-twice": _all_refused("a group has 2026-07-12 twice", ASKED_AND_LOOKED + 1),
    "airbridge-key-twice": _all_refused("1 groups come more than once on one page", ASKED_AND_LOOKED + 1),
    "airbridge-labels-many": _all_refused("a group has the values", ASKED_AND_LOOKED + 1),
    # Two readings, each with a page behind the last group; what the number counts is not certain.
    "airbridge-total-wrong": {
        name: Change(
            requests=ASKED_AND_LOOKED + 2 * (PAGES + 1),
            named={f"{name}_raw": {"groups_declared": 10, "groups_read": 9}},
        )
        for name in _REPORTS
    },
    "airbridge-odd-status": dict.fromkeys(
        _REPORTS, Change(AWAITED, most=60, words="Airbridge is still making the report")
    ),
}
