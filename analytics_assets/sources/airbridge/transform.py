"""From an Airbridge report to rows: a raw day to cohorts and totals, lists of metadata to the catalogue. Pure.

The same raw day always gives the same typed rows. A group's own total is in none of them. How pages become raw days is in `report_days.py`.
What the numbers mean: https://help.airbridge.io/en/guides/revenue-report-calcualtion-method (the vendor's spelling).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import PermanentError
from analytics_assets.http.fields import unknown_fields
from analytics_assets.http.response import JsonResponse
from analytics_assets.lake.raw import RawDay, repaired, spent_on
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import DATE
from analytics_assets.sources.airbridge.cells import sub_rows
from analytics_assets.sources.airbridge.cohorts import cohort_rows, total_rows
from analytics_assets.sources.airbridge.report_spec import ReportSpec, reached_intervals, spec_hash
from analytics_assets.sources.airbridge.responses import CatalogEntry, Notification, Sections, entries
from analytics_assets.sources.airbridge.snapshot_tables import CATALOG
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table

Kind = Literal["metric", "group_by", "event"]
_PERIOD_LIMITS: Final = frozenset({"SAN_PERIOD_LIMIT"})
_LISTS: Final[Mapping[Kind, Literal["metrics", "fields", "events"]]] = {
    "metric": "metrics",
    "group_by": "fields",
    "event": "events",
}


def typed_days(day: date, content: pa.Table | None, spec: ReportSpec, *, zone: str, currency: str) -> dict[str, Typed]:
    """The cohorts and the totals of a raw day, by table name.

    Cohorts have exactly `spec.intervals` + 1 rows a group. Interval i is reached when the calendar day `day` + i was over in the app's zone
    at the instant the report was requested: a figure of half a day is not a figure.
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
        spec: What was requested.
        zone: The app's zone.
        currency: The app's currency.

    Raises:
        PermanentError: There is no raw day, or it answers another specification.
        UnexpectedPayloadError: A sub-row is not as documented.
    """
    if content is None:
        raise PermanentError(
            f"There is no raw day of {spec.name}, so its tables cannot be derived.",
            remedy=f"Materialize {spec.name}_raw together with them.",
            day=day,
        )
    if set(pc.unique(content["request_hash"]).to_pylist()) - {spec_hash(spec)}:
        raise PermanentError(
            f"{spec.name}_raw was read with another specification of the report.",
            remedy=f"Materialize {spec.name}_raw together with the tables made from it.",
            day=day,
        )
    reached = reached_intervals(day, pc.min(content["requested_at"]).as_py(), spec, zone)
    sent = sub_rows(day, content, spec, reached=reached)
    of_totals = {path for path in sent.unknown if path.startswith("total.")}
    codes = codes_of(content["notifications"][0].as_py()) if sent.labels else []
    cohorts = cohort_rows(day, sent, spec, reached=reached, currency=currency)
    totals = total_rows(day, sent, spec, currency=currency)
    return {
        table.name: Typed(typed.content, {**typed.figures, **named(notifications=codes, unknown_fields=strange)})
        for table, typed, strange in (
            (cohorts_table(spec), cohorts, sent.unknown - of_totals),
            (cohort_totals_table(spec), totals, of_totals),
        )
    }


def catalog_day(day: date, answers: Mapping[Kind, JsonResponse]) -> RawDay:
    """The catalogue as observed on `day`: the response of `metrics` as `metric`, of `group_bys` as `group_by`, of `events` as `event`."""
    rows, unknown = [], set[str]()
    for kind, answer in answers.items():
        unknown |= {f"{kind}: {path}" for path in unknown_fields(answer.body, Sections)}
        for section, entry, text in entries(answer.read(Sections), _LISTS[kind]):
            unknown |= {f"{kind}: {path}" for path in unknown_fields(text, CatalogEntry)}
            row = {DATE: day, "kind": kind, "section": section, **msgspec.structs.asdict(entry)}
            row["aggregations"] = row.pop("aggregation_type")
            rows.append({**row, "entry": text, "observed_at": answer.requested_at})
    requested_at = min(answer.requested_at for answer in answers.values())
    notes = {**named(unknown_fields=unknown), **repaired(answers.values())}
    return RawDay(CATALOG.rows(rows), requested_at, notes, spent_on(answers.values()))


def period_limits(content: pa.Table) -> list[str]:
    """The codes of a raw day that say that the vendor has removed data because of its age."""
    sent = set(content["notifications"].to_pylist())
    return sorted({code for told in sent for code in codes_of(told)} & _PERIOD_LIMITS)


def remarks(content: pa.Table) -> list[Any]:
    """What a response says of a raw day beside its sub-rows, as far as checks and limits depend on it.

    The numbers of groups are those of the whole task and change with its days, so only numbers that differ from each other count.
    """
    first = content.slice(0, 1).to_pylist()
    groups = [(row["groups_declared"], row["groups_read"]) for row in first]
    return [
        [row["notifications"] for row in first],
        ["equal" if declared == read else declared and (declared, read) for declared, read in groups],
        content["total_difference"].to_pylist(),
    ]


def codes_of(notifications: str) -> list[str]:
    """The codes in a JSON array of notifications; one without a code stands for itself."""
    told = msgspec.json.decode(notifications, type=list[msgspec.Raw])
    return [_code(bytes(one).decode()) for one in told]


def _code(notification: str) -> str:
    try:
        told = msgspec.json.decode(notification, type=Notification | str)
    except msgspec.ValidationError:
        return notification
    return told if isinstance(told, str) else told.code


def named(**lists: Iterable[str]) -> dict[str, Any]:
    """The lists that are not empty, sorted."""
    return {name: sorted(set(map(str, held))) for name, held in lists.items() if held}
