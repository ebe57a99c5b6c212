"""What Statsig's tables must hold: values counted event by event from the world, definitions as the sandbox's catalogue declares them.

A metric day is fixed UTC-8. Nothing of the package's sources is used, and of the simulated vendor the declared definitions only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.sandbox.statsig.catalogue import SandboxMetric, catalogue
from analytics_assets.sandbox.world import World

UNITS = ("overall", "userID", "stableID")
_PERSONAL = ("creator_name", "creator_email", "owner_name", "owner_email", "last_modifier_name", "last_modifier_email")
_NEVER_SENT = (
    "rollup_time_window",
    "custom_rollup_start",
    "custom_rollup_end",
    "component_metrics",
    "warehouse_native",
)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StatsigTruth:
    """A project as of an instant; the definitions were read then too."""

    world: World
    now: datetime

    def values(self, days: Sequence[date]) -> list[dict[str, Any]]:
        """Rows of `metric_values`."""
        made = []
        for day in days:
            done = self._done(day)
            for metric in self._metrics(before=_end(day)):
                value, over, under = _value(metric, done)
                row = {
                    "date": day,
                    "metric_name": metric.name,
                    "metric_type": metric.type,
                    "value": round(value, 6),
                    "numerator": over,
                    "denominator": under,
                    "input_rows": sum(name in metric.events for _, name, _ in done),
                    "display_name": metric.name.strip(),
                }
                made += [row | {"unit_type": unit, "is_overall": unit == "overall"} for unit in UNITS]
        return made

    def definitions(self, days: Sequence[date]) -> list[dict[str, Any]]:
        """Rows of `event_metrics`: the day before the reading is observed, all others are rebuilt by time of creation."""
        seen_on = (self.now - timedelta(hours=8)).date()
        made = []
        for day in days:
            is_observed = seen_on == day + timedelta(days=1)
            known = self._metrics(before=self.now if is_observed else _end(day))
            for event in self.world.event_names():
                direct = [metric.id for metric in known if event in metric.definition["lineage"]["events"]]
                for metric in known:
                    lineage = metric.definition["lineage"]
                    if metric.id in direct or any(one in direct for one in lineage["metrics"]):
                        row = self._definition(event, metric)
                        made.append({"date": day, **row, "is_reconstructed": not is_observed})
        return made

    def _metrics(self, *, before: datetime) -> list[SandboxMetric]:
        return [
            metric
            for metric in catalogue(self.world.event_names())
            if metric.created_at < before and metric.created_at <= self.now
        ]

    def _done(self, day: date) -> list[tuple[str, str, float | None]]:
        """Who did what with which value on a metric day, by anybody acquired up to the horizon before."""
        start, end, done = _end(day - timedelta(days=1)), _end(day), []
        for back in range(self.world.horizon_days + 2, -2, -1):
            for person in self.world.people(day - timedelta(days=back)):
                done += [(person.id, one.name, one.value) for one in person.events if start <= one.at < end]
        return done

    def _definition(self, event: str, metric: SandboxMetric) -> dict[str, Any]:
        sent = metric.definition
        steps, events = sent.get("funnelEventList"), sent.get("metricEvents")
        return {
            "event_name": event,
            "metric_id": sent["id"],
            "metric_name": sent["name"],
            "metric_type": sent["type"],
            "directionality": sent["directionality"],
            "description": sent["description"],
            "created_at": _UNIX + timedelta(milliseconds=sent["createdTime"]),
            "is_permanent": sent["isPermanent"],
            "is_read_only": sent["isReadOnly"],
            "is_hidden": sent["isHidden"],
            "is_verified": sent["isVerified"],
            "tags": sent["tags"],
            "unit_types": sent.get("unitTypes"),
            "lineage_events": sent["lineage"]["events"],
            "lineage_metrics": sent["lineage"]["metrics"],
            "is_indirect": event not in sent["lineage"]["events"],
            "team": sent["team"],
            "funnel_count_distinct": sent.get("funnelCountDistinct"),
            "funnel_events": steps,
            "metric_events": None if events is None else _text(events),
            "last_modified_at": _UNIX + timedelta(milliseconds=sent["lastModifiedTime"])
            if "lastModifiedTime" in sent
            else None,
            "permalink": None,
            "observed_at": self.now,
            **dict.fromkeys((*_PERSONAL, *_NEVER_SENT)),
        }


def _end(day: date) -> datetime:
    """The instant a UTC-8 day ends."""
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(days=1)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(
    metric: SandboxMetric, done: Sequence[tuple[str, str, float | None]]
) -> tuple[float, float | None, float | None]:
    """The value of a metric, and numerator and denominator of a ratio."""
    first, last = metric.events[0], metric.events[-1]
    numbers = [value for _, name, value in done if name == first and value is not None]
    if metric.formula == "ratio":
        over, under = (sum(name == wanted for _, name, _ in done) for wanted in (first, last))
        return (over / under if under else 0), over, under
    by_step = [{who for who, name, _ in done if name == step} for step in metric.events]
    if metric.formula == "funnel":
        passed = set.intersection(*by_step)
        return (len(passed) / len(by_step[0]) if by_step[0] else 0), None, None
    if metric.formula == "count":
        return sum(name == first for _, name, _ in done), None, None
    if metric.formula == "users":
        return len(by_step[0]), None, None
    total = sum(round(number * 100) for number in numbers) / 100
    return (total if metric.formula == "sum" else total / len(numbers) if numbers else 0), None, None
