"""Dagster's record of a table: of each day the data version it materialized last, and the days it knows to have been removed on purpose.

Keep files out of here (`files.py`).
Dagster concept: data versions, https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

import dagster as dg
from dagster import DagsterEventType

# The metadata of the newest materialization of a raw day that was removed on purpose has it.
REMOVED: Final = "removed_by_retention"
_VERSION: Final = "dagster/data_version"
_PAGE: Final = 500


@dataclass(frozen=True)
class Record:
    """What Dagster shows of a table.

    Attributes:
        versions: Data version of the newest materialization, by day; None where it has none. Of a snapshot, the last reading's day only.
        removed: Days whose newest materialization says that the file was removed on purpose.
    """

    versions: Mapping[date, str | None]
    removed: Collection[date] = ()


def record(instance: dg.DagsterInstance, key: dg.AssetKey, *, is_daily: bool, standing: Collection[date]) -> Record:
    """Dagster's record of a table; `standing` are the days whose files stand, of which nothing needs to be asked beside versions."""
    if not is_daily:
        return _of_snapshot(instance, key)
    storage, kind = instance.event_log_storage, DagsterEventType.ASSET_MATERIALIZATION
    ids = {_day(name): number for name, number in storage.get_latest_storage_id_by_partition(key, kind).items()}
    tags = {_day(name): held for name, held in storage.get_latest_tags_by_partition(key, kind, [_VERSION]).items()}
    gone = {number: day for day, number in ids.items() if day is not None and day not in standing}
    removed = [gone[number] for number in _removed(instance, key, list(gone))]
    return Record({day: tags.get(day, {}).get(_VERSION) for day in ids if day is not None}, removed)


def _of_snapshot(instance: dg.DagsterInstance, key: dg.AssetKey) -> Record:
    event = instance.get_latest_materialization_event(key)
    made = None if event is None else event.asset_materialization
    observed = None if made is None else made.metadata.get("observed_on")
    day = None if observed is None else _day(str(observed.value))
    if made is None or day is None:
        return Record({})
    return Record({day: (made.tags or {}).get(_VERSION)}, [day] if REMOVED in made.metadata else [])


def _removed(instance: dg.DagsterInstance, key: dg.AssetKey, ids: list[int]) -> Iterator[int]:
    rest = iter(ids)
    while page := list(islice(rest, _PAGE)):
        wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=page)
        for one in instance.fetch_materializations(wanted, limit=_PAGE).records:
            if one.asset_materialization is not None and REMOVED in one.asset_materialization.metadata:
                yield one.storage_id


def _day(name: str) -> date | None:
    """The day of a partition; None for a name that is none, which no daily table has had."""
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
