"""The metric definitions of the simulated Statsig project.

Here live the definitions in the vendor's own shape (the samples of its page "Get metrics using event name") and which of them
belong to an event. How a day's number is made from a definition is in ``statsig_values``; paging and errors are in ``statsig``.
Creation times are fixed dates: the automatic metrics are old, and some of the made ones appear over 2026.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

Formula = Literal["count", "users", "sum", "mean", "ratio", "funnel"]
_AUTOMATIC: Final = datetime(2023, 1, 2, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class SandboxMetric:
    """A definition as listed, and how its value is made: ``formula`` over ``events`` in order."""

    definition: dict[str, Any]
    formula: Formula
    events: tuple[str, ...]

    @property
    def id(self) -> str:
        """Usually, but not always, ``<name>::<type>``."""
        return str(self.definition["id"])

    @property
    def name(self) -> str:
        """Free text."""
        return str(self.definition["name"])

    @property
    def type(self) -> str:
        """The vendor's type, such as event_count."""
        return str(self.definition["type"])

    @property
    def created_at(self) -> datetime:
        """The instant of ``createdTime``, which is epoch milliseconds."""
        return datetime.fromtimestamp(self.definition["createdTime"] / 1000, UTC)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _definition(name: str, type_: str, created: datetime, **more: Any) -> dict[str, Any]:
    """The keys every definition of the page's sample has, in its order; ``more`` overrides and adds."""
    return {
        "id": f"{name}::{type_}",
        "name": name,
        "directionality": "increase",
        "type": type_,
        "description": "",
        "isPermanent": False,
        "isReadOnly": False,
        "isHidden": False,
        "isVerified": False,
        "tags": [],
        "createdTime": _milliseconds(created),
        "lineage": {"events": [], "metrics": []},
        "team": None,
        **more,
    }


def _automatic(event: str, number: int) -> list[SandboxMetric]:
    created = _AUTOMATIC + timedelta(hours=7 * number)
    lineage = {"events": [event], "metrics": []}
    tags = ["dashboard_test"] if number % 2 else []
    return [
        SandboxMetric(_definition(event, "event_count", created, tags=tags, lineage=lineage), "count", (event,)),
        SandboxMetric(
            _definition(event, "event_dau", created + timedelta(minutes=1), tags=tags, lineage=lineage),
            "users",
            (event,),
        ),
    ]


def _by_hand(created: datetime) -> dict[str, Any]:
    """Fields of a metric a person has made, with the personal ones."""
    return {
        "creatorName": "Example Person",
        "creatorEmail": "person@example.com",
        "owner": {"name": "Example Person"},
        "lastModifierName": "Example Person",
        "lastModifierEmail": "person@example.com",
        "lastModifiedTime": _milliseconds(created + timedelta(days=1)),
        "unitTypes": ["userID", "stableID"],
    }


def _sum(name: str, event: str, created: datetime, **more: Any) -> SandboxMetric:
    events = [{"name": event, "type": "value", "metadataKey": "value", "criteria": []}]
    lineage = {"events": [event], "metrics": []}
    extra = {**_by_hand(created), "metricEvents": events, "lineage": lineage, **more}
    return SandboxMetric(_definition(name, "sum", created, **extra), "sum", (event,))


def _mean(name: str, event: str, created: datetime) -> SandboxMetric:
    events = [{"name": event, "type": "value", "criteria": [{"type": "value", "condition": "non_null", "values": []}]}]
    extra = {**_by_hand(created), "metricEvents": events, "lineage": {"events": [event], "metrics": []}}
    return SandboxMetric(_definition(name, "mean", created, **extra), "mean", (event,))


def _ratio(name: str, over: str, under: str, created: datetime) -> SandboxMetric:
    events = [{"name": over, "type": "count"}, {"name": under, "type": "count"}]
    extra = {**_by_hand(created), "metricEvents": events, "lineage": {"events": [over, under], "metrics": []}}
    return SandboxMetric(_definition(name, "ratio", created, tags=["Core"], **extra), "ratio", (over, under))


def _funnel(name: str, steps: Sequence[str], created: datetime) -> SandboxMetric:
    """A funnel as in the page's sample: no event in its lineage, only the metrics of its steps."""
    extra = {
        "tags": ["Funnels"],
        "creatorName": "Example Person",
        "creatorEmail": "person@example.com",
        "owner": {"name": "Example Person"},
        "lineage": {"events": [], "metrics": [f"{step}::event_dau" for step in steps]},
        "funnelCountDistinct": "users",
        "funnelEventList": [{"name": step, "type": "event_dau"} for step in steps],
    }
    return SandboxMetric(_definition(name, "funnel", created, **extra), "funnel", tuple(steps))


def _made() -> list[SandboxMetric]:
    def on(year: int, month: int, day: int) -> datetime:
        return datetime(year, month, day, 15, 20, 7, 415_000, tzinfo=UTC)

    return [
        _sum("purchase_value", "checkout", on(2023, 1, 3), tags=["Core"], isVerified=True, description="Money in USD"),
        _mean("average_order_value", "checkout", on(2023, 2, 14)),
        _ratio("checkout_per_cart", "checkout", "add_to_cart", on(2023, 5, 9)),
        _funnel("test funnel 1", ("sign_up", "checkout"), on(2023, 9, 20)),
        _funnel("cart_to_checkout", ("add_to_cart", "checkout"), on(2024, 10, 27)),
        _sum("ad_money", "ad_impression", on(2025, 3, 1), isHidden=True, owner=None, creatorEmail=None),
        _ratio("läuft pro view/a", "a/b läuft", "page view", on(2026, 1, 12)),
        _sum(" items in cart", "add_to_cart", on(2026, 3, 12), team="Growth", teamID="team-1"),
        _funnel("view_to_signup", ("page view", "sign_up"), on(2026, 5, 12)),
        _mean("cart_size", "add_to_cart", on(2026, 7, 12)),
        _ratio("clicks_per_impression", "ad_click", "ad_impression", on(2026, 9, 12)),
        _funnel("deep_link_to_checkout", ("deeplink_open", "checkout"), on(2026, 10, 12)),
        _sum("cart_items_total", "add_to_cart", on(2026, 11, 12)),
    ]


def catalogue(event_names: Iterable[str]) -> list[SandboxMetric]:
    """All definitions for the events there are, in a fixed order."""
    names = list(event_names)
    automatic = [metric for number, name in enumerate(names) for metric in _automatic(name, number)]
    return automatic + [metric for metric in _made() if set(metric.events) <= set(names)]


def of_event(metrics: Sequence[SandboxMetric], event: str) -> list[SandboxMetric]:
    """Metrics made from an event, directly or through a metric that is: the page's sample lists such funnels too."""
    direct = {metric.id for metric in metrics if event in metric.definition["lineage"]["events"]}
    return [one for one in metrics if one.id in direct or direct & set(one.definition["lineage"]["metrics"])]
