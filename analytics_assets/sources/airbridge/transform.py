"""From an Airbridge report to rows: pages to raw days, a raw day to cohorts and totals, lists of metadata to the catalogue. Pure.

A raw day has one row a group, the sub-row as sent; the same raw day always gives the same typed rows. A group's own total is never used.
What the numbers mean: https://help.airbridge.io/en/guides/revenue-report-calcualtion-method (the vendor's spelling).
Keep requests out of here (`client.py`), columns too (`tables.py`); how a day's groups become rows is in `cohorts.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import Evidence, PermanentError, UnexpectedPayloadError
from analytics_assets.http.answer import Answer
from analytics_assets.http.fields import unknown_fields
from analytics_assets.lake.raw import RawDay, repaired
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE, Table
from analytics_assets.sources.airbridge.cells import roas_row, sub_rows
from analytics_assets.sources.airbridge.cohorts import cohort_rows, total_rows
from analytics_assets.sources.airbridge.numbers import common_scale
from analytics_assets.sources.airbridge.paging import Page
from analytics_assets.sources.airbridge.payloads import (
    Body,
    Entry,
    Group,
    Notification,
    Sections,
    entries,
    shown,
    sub_row,
)
from analytics_assets.sources.airbridge.request import ReportSpec, reached_intervals, spec_hash
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG
from analytics_assets.sources.airbridge.tables import ROAS_SCALE, cohort_totals_table, cohorts_table

Kind = Literal["metric", "group_by", "event"]
_PERIOD_LIMITS: Final = frozenset({"SAN_PERIOD_LIMIT"})
_LISTS: Final[Mapping[Kind, Literal["metrics", "fields", "events"]]] = {
    "metric": "metrics",
    "group_by": "fields",
    "event": "events",
}


def raw_days(
    days: Sequence[date],
    pages: Sequence[Page],
    *,
    spec: ReportSpec,
    table: Table,
    task_id: str,
    requested_at: datetime,
    first_day: date,
    last_day: date,
    zone: str,
) -> dict[date, RawDay]:
    """The raw rows of each of `days`; a day for which no group has a sub-row is a raw day without rows.

    Args:
        days: The days wanted, of those the task was asked for.
        pages: The whole report; of ROAS, what all of it shows the scale to be is kept with each day.
        spec: What was asked for.
        table: The report's raw table.
        task_id: The task that answered.
        requested_at: Instant the task was asked for.
        first_day: First day the task was asked for.
        last_day: Last day, included.
        zone: The app's zone.

    Raises:
        UnexpectedPayloadError: A group has more values than group-by fields, or a sub-row is of a day that was not asked for.
    """
    held: dict[date, list[tuple[str, msgspec.Raw]]] = {day: [] for day in days}
    notifications: dict[bytes, None] = {}
    unknown: set[str] = set()
    for page in pages:
        notifications |= dict.fromkeys(map(bytes, page.notifications))
        unknown |= unknown_fields(page.answer.body, Body)
        for group in page.groups:
            values = _values(group, spec, page)
            for day, text in group.days.items():
                if not first_day <= day <= last_day:
                    raise UnexpectedPayloadError(
                        f"Airbridge task {shown(task_id)}: the group {values} has {day}, asked for was {first_day} to {last_day}.",
                        evidence=_evidence(page),
                    )
                if day in held:
                    held[day].append((values, text))
    told = (b"[" + b",".join(notifications) + b"]").decode()
    same = {"request_hash": spec_hash(spec), "task_id": task_id, "notifications": told, "requested_at": requested_at}
    if spec.metric == "app_roas":
        rows = (
            roas_row(sub_row(text), spec, reached=reached_intervals(day, requested_at, spec, zone))
            for page in pages
            for group in page.groups
            for day, text in group.days.items()
        )
        same[ROAS_SCALE] = common_scale(rows)
    notes = {
        "task_id": task_id,
        **_named(notifications=_codes(told), unknown_fields=unknown),
        **repaired([page.answer for page in pages]),
    }
    return {
        day: RawDay(
            _raw_table(table, {DATE: day, **same}, rows),
            requested_at,
            dict(notes),
        )
        for day, rows in held.items()
    }


def typed_days(day: date, content: pa.Table | None, spec: ReportSpec, *, zone: str, currency: str) -> dict[str, Typed]:
    """The cohorts and the totals of a raw day, by table name.

    Cohorts have exactly `spec.intervals` + 1 rows a group. Interval i is reached when the calendar day `day` + i was over in the app's zone
    at the instant the report was asked for: a figure of half a day is not a figure.
    Figures of the cohorts: `groups`; `masked_share` (of the reached values); `missing_values` (reached, not masked, and no number sent);
    `complete_through_interval` (the last one reached), `is_mature` (all are) and `mature_since` or `mature_on` (the day they are), where there
    is a group; `falling_values` (sums up to an interval below the one before, not masked), where there are any; `d0`, `d7`, `d30` (sums over the groups, for metrics that can be
    added, where reached and every number is there; `d0_unmasked` and so on, over the other groups, where some are masked);
    `rounded_values`; `roas_scale`, `roas_rows_unexplained` and `roas_values_withheld` as in `numbers.py`;
    `notifications` (codes) and `unknown_fields`, where there are any.
    Figures of the totals: `groups`; `cost`, `revenue` and `users` where every group has them, `cost_unmasked` and so on as above; `rounded_values`, `notifications` and
    `unknown_fields` as above.

    Args:
        day: The start date.
        content: The raw day.
        spec: What was asked for.
        zone: The app's zone.
        currency: The app's currency.

    Raises:
        PermanentError: There is no raw day, or it answers another specification.
        UnexpectedPayloadError: A sub-row is not as documented.
    """
    if content is None:
        raise PermanentError(
            f"There is no raw day of {spec.name} for {day}, so its tables cannot be derived. "
            f"Materialize {spec.name}_raw together with them."
        )
    if set(pc.unique(content["request_hash"]).to_pylist()) - {spec_hash(spec)}:
        raise PermanentError(
            f"{spec.name}_raw {day} was read with another specification of the report. "
            f"Materialize {spec.name}_raw together with the tables made from it."
        )
    reached = reached_intervals(day, pc.min(content["requested_at"]).as_py(), spec, zone)
    sent = sub_rows(day, content, spec, reached=reached)
    of_totals = {path for path in sent.unknown if path.startswith("total.")}
    codes = _codes(content["notifications"][0].as_py()) if sent.labels else []
    cohorts = cohort_rows(day, sent, spec, reached=reached, currency=currency)
    totals = total_rows(day, sent, spec, currency=currency)
    return {
        table.name: Typed(typed.content, {**typed.figures, **_named(notifications=codes, unknown_fields=strange)})
        for table, typed, strange in (
            (cohorts_table(spec), cohorts, sent.unknown - of_totals),
            (cohort_totals_table(spec), totals, of_totals),
        )
    }


def catalog_day(day: date, answers: Mapping[Kind, Answer]) -> RawDay:
    """The catalogue as observed on `day`: the answer of `metrics` as `metric`, of `group_bys` as `group_by`, of `events` as `event`."""
    rows, unknown = [], set[str]()
    for kind, answer in answers.items():
        unknown |= {f"{kind}: {path}" for path in unknown_fields(answer.body, Sections)}
        for section, entry, text in entries(answer.read(Sections), _LISTS[kind]):
            unknown |= {f"{kind}: {path}" for path in unknown_fields(text, Entry)}
            row = {DATE: day, "kind": kind, "section": section, **msgspec.structs.asdict(entry)}
            row["aggregations"] = row.pop("aggregation_type")
            rows.append({**row, "entry": text, "observed_at": answer.requested_at})
    requested_at = min(answer.requested_at for answer in answers.values())
    notes = {**_named(unknown_fields=unknown), **repaired(answers.values())}
    return RawDay(CATALOG.rows(rows), requested_at, notes)


def _raw_table(table: Table, same: Mapping[str, Any], rows: Sequence[tuple[str, msgspec.Raw]]) -> pa.Table:
    """The raw rows of a day: values and sub-row of each group, and what is the same in all."""
    columns = {
        name: pa.repeat(pa.scalar(value, table.schema.field(name).type), len(rows)) for name, value in same.items()
    }
    columns["group_values"] = pa.array([values for values, _ in rows], pa.string())
    columns["sub_row"] = pa.array([bytes(text) for _, text in rows], pa.large_binary()).cast(pa.large_string())
    return pa.Table.from_arrays([columns[name] for name in table.schema.names], schema=table.schema)


def _values(group: Group, spec: ReportSpec, page: Page) -> str:
    """The group's values as JSON text, one for each group-by field; an absent one is empty."""
    missing = len(spec.group_by) - len(group.values)
    if missing < 0:
        raise UnexpectedPayloadError(
            f"Airbridge report {spec.name!r}: a group has the values {list(group.values)} for {list(spec.group_by)}.",
            evidence=_evidence(page),
        )
    return msgspec.json.encode([*group.values, *[""] * missing]).decode()


def _evidence(page: Page) -> Evidence:
    return Evidence(page.answer.endpoint, status=page.answer.status, body=page.answer.body.decode(errors="replace"))


def period_limits(content: pa.Table) -> list[str]:
    """The codes of a raw day that say that the vendor has removed data because of its age."""
    sent = set(content["notifications"].to_pylist())
    return sorted({code for told in sent for code in _codes(told)} & _PERIOD_LIMITS)


def _codes(notifications: str) -> list[str]:
    """The codes in a JSON array of notifications; one without a code stands for itself."""
    told = msgspec.json.decode(notifications, type=list[msgspec.Raw])
    return [_code(bytes(one).decode()) for one in told]


def _code(notification: str) -> str:
    try:
        told = msgspec.json.decode(notification, type=Notification | str)
    except msgspec.ValidationError:
        return notification
    return told if isinstance(told, str) else told.code


def _named(**lists: Iterable[str]) -> dict[str, Any]:
    """The lists that are not empty, sorted."""
    return {name: sorted(set(map(str, held))) for name, held in lists.items() if held}
