"""What can be asked of Statsig's numbers once they are stored: units that can be told apart, fields and volume.

Source of what the numbers mean: https://docs.statsig.com/metrics/raw-event-metrics
"""

from collections import defaultdict

import msgspec
import pyarrow as pa

from analytics_assets.checks.check import Check, CheckResult, Limits, each_day
from analytics_assets.checks.fields import Fields, fields_as_known
from analytics_assets.checks.volume import Figure, volume_as_usual
from analytics_assets.http.fields import sent_fields, unknown_fields
from analytics_assets.lake.raw import bodies
from analytics_assets.sources.statsig.responses import ListPage, Metric, MetricValue
from analytics_assets.sources.statsig.tables import EVENT_METRICS, LISTING_RAW, METRIC_VALUES, VALUES_RAW
from analytics_assets.sources.statsig.totals import totals_as_read

OVERALL = "overall"


def values_checks(limits: Limits) -> list[Check]:
    """The checks of `/metrics/values`."""
    return [
        fields_as_known(VALUES_RAW, lambda raw: _fields(raw, MetricValue, ListPage[MetricValue])),
        totals_as_read(VALUES_RAW),
        _unit_types_apart(),
        volume_as_usual(Figure(METRIC_VALUES.name), limits),
    ]


def definitions_checks(limits: Limits) -> list[Check]:
    """The checks of the definitions by day."""
    return [volume_as_usual(Figure(EVENT_METRICS.name), limits)]


def listing_checks() -> list[Check]:
    """The checks of the walk over the definitions."""
    return [
        fields_as_known(LISTING_RAW, lambda raw: _fields(raw, Metric, ListPage[Metric])),
        totals_as_read(LISTING_RAW),
    ]


def _fields(raw: pa.Table, item: type[msgspec.Struct], page: type[msgspec.Struct]) -> Fields:
    known: set[str] = set()
    unknown: set[str] = set()
    for _, _, body in bodies(raw):
        for one in msgspec.json.decode(body, type=_Items).data:
            known |= sent_fields(one, item, "data[].")
        unknown |= unknown_fields(body, page)
    return Fields(frozenset(known), frozenset(unknown))


class _Items(msgspec.Struct):
    data: list[msgspec.Raw]


def _unit_types_apart() -> Check:
    def judged(content: pa.Table) -> CheckResult:
        units: dict[tuple[str, str], list[str]] = defaultdict(list)
        names = (content[name].to_pylist() for name in ("metric_name", "metric_type", "unit_type"))
        for metric, kind, unit in zip(*names, strict=True):
            units[metric, kind].append(unit)
        alike = [metric for metric, held in units.items() if len({_plain(unit) for unit in held}) < len(held)]
        without = [metric for metric, held in units.items() if len(held) > 1 and OVERALL not in held]
        words = [
            *([f"{_named(alike)} with one unit type under two spellings"] if alike else []),
            *([f"{_named(without)} with several unit types and no `{OVERALL}`"] if without else []),
        ]
        numbers = {
            "metrics": len(units),
            "rows": content.num_rows,
            "alike": len(alike),
            "without_overall": len(without),
        }
        return CheckResult("; ".join(words), "warning" if words else "fine", numbers)

    return Check(
        "unit_types_apart",
        METRIC_VALUES.name,
        "The rows of a metric are the same thing counted by different units, and a sum over them counts twice. A metric has one unit type "
        f"under two spellings, so that even a filter by unit counts it twice; or it has several and no `{OVERALL}`, so that a filter by "
        "`is_overall` leaves it out.",
        "Filter the metrics named by one exact `unit_type`. Two spellings mostly mean that an SDK sends the id under another name: fix it there.",
        each_day(METRIC_VALUES, judged, ["metric_name", "metric_type", "unit_type"]),
    )


def _plain(unit: str) -> str:
    """A unit type without what two spellings of one differ in."""
    return "".join(letter for letter in unit.casefold() if letter.isalnum())


def _named(metrics: list[tuple[str, str]]) -> str:
    """How many, and the first by name."""
    name, kind = min(metrics)
    return f"{name} ({kind})" if len(metrics) == 1 else f"{len(metrics)} metrics, the first {name} ({kind}),"
