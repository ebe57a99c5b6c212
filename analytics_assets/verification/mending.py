"""What is done about days that are not as they should be: files put into the quarantine, days asked for again, files recorded.

Days are asked for as backfills of the instance, as the UI makes them: the daemon carries them out, and they are seen, cancelled and re-executed
like any other. A typed day whose raw stands is made from it without a request. What is wrong is found in `looking.py`.
Dagster concept: backfills, https://docs.dagster.io/guides/build/partitions-and-backfills/backfilling-data
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.utils import make_new_backfill_id

from analytics_assets.catalogue import asset_key, materialization
from analytics_assets.verification.looking import ASKED_AGAIN, RECORDED_AGAIN, Kind, Looked, Place, Wrong

_TAGS: Final = {"analytics/asked_by": "lake verify"}


@dataclass(frozen=True)
class Asking:
    """Days of one step to ask for again, as one backfill.

    Attributes:
        step: Account and step, as `bento/ads`.
        keys: The tables to materialize.
        days: The days; none for a snapshot, whose reading is of the present day.
        asks_vendor: Whether requests are sent; else the tables are made from what stands.
    """

    step: str
    keys: Sequence[dg.AssetKey]
    days: Sequence[date]
    asks_vendor: bool

    @property
    def title(self) -> str:
        """What the UI calls the backfill."""
        if not self.days:
            return f"{self.step} read anew after lake verify"
        return f"{self.step} {'asked again' if self.asks_vendor else 'made again'} after lake verify"


def quarantined(place: Place, wrong: Iterable[Wrong], *, now: datetime) -> Iterator[str]:
    """Moves each damaged file away; yields where it is kept now.

    Raises:
        LakeError: A file cannot be moved; those yielded before have been.
    """
    for one in wrong:
        if one.kind in (Kind.DAMAGED, Kind.FOREIGN):
            yield place.lake.put_in_quarantine(one.account, one.table, one.day, seen_at=now)


def askings(graph: AssetGraph, found: Looked) -> list[Asking]:
    """What has to be asked for so that damaged and missing days stand again: raw where there is none, and what is made from it."""
    bad: dict[dg.AssetsDefinition, dict[date, set[dg.AssetKey]]] = {}
    for one in found.wrong:
        if one.kind in ASKED_AGAIN and is_askable(graph, one):
            key = asset_key(one.account, one.table)
            bad.setdefault(graph.assets_def_for_key(key), {}).setdefault(one.day, set()).add(key)
    made: list[Asking] = []
    for assets, days in bad.items():
        step = assets.node_def.name.replace("__", "/", 1)
        keys = sorted(assets.keys)
        if assets.partitions_def is None:
            made.append(Asking(step, keys, (), asks_vendor=True))
            continue
        raw = next((key for key in keys if assets.get_asset_spec(key).tags.get("layer") == "raw"), None)
        standing = set() if raw is None else set(found.inventory.days[raw.path[0], raw.path[1]])
        unread = sorted(
            day for day, tables in days.items() if raw is not None and (raw in tables or day not in standing)
        )
        typed = sorted(days.keys() - set(unread))
        made += [Asking(step, keys, unread, asks_vendor=True)] if unread else []
        made += [Asking(step, [key for key in keys if key != raw], typed, asks_vendor=False)] if typed else []
    return made


def is_askable(graph: AssetGraph, one: Wrong) -> bool:
    """Whether a run can be for the day: it is a partition, or the table is a snapshot."""
    partitions = graph.get(asset_key(one.account, one.table)).partitions_def
    return partitions is None or partitions.has_partition_key(one.day.isoformat())


def ask(instance: dg.DagsterInstance, graph: AssetGraph, asking: Asking, *, now: datetime) -> str:
    """Puts a backfill into the instance, for the daemon; returns its id."""
    backfill = make_new_backfill_id()
    names: list[str | None] = [day.isoformat() for day in asking.days] or [None]
    wanted = {AssetKeyPartitionKey(key, name) for key in asking.keys for name in names}
    made = PartitionBackfill.from_asset_graph_subset(
        backfill_id=backfill,
        backfill_timestamp=now.timestamp(),
        tags=_TAGS,
        dynamic_partitions_store=instance,
        asset_graph_subset=AssetGraphSubset.from_asset_partition_set(wanted, graph),
        title=asking.title,
        description="Days whose files were damaged or missing.",
        run_config=None,
    )
    instance.add_backfill(made)
    return backfill


def recorded(place: Place, wrong: Iterable[Wrong]) -> Iterator[Wrong]:
    """Logs a materialization of each file that stands and that Dagster does not know so, as its landing would; yields each one logged."""
    for one in wrong:
        if one.kind not in RECORDED_AGAIN or one.landed is None:
            continue
        is_daily = (one.account, one.table) in place.daily
        figures = {"recorded": "from the file that stood", **({} if is_daily else {"observed_on": one.day.isoformat()})}
        event = materialization(
            asset_key(one.account, one.table),
            one.landed,
            figures,
            partition=one.day.isoformat() if is_daily else None,
            requested_at=one.landed.footer.requested_at,
        )
        place.instance.report_runless_asset_event(event)
        yield one
