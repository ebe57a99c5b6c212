"""Dagster's record of a table: the data version of each day's newest materialization.

Dagster concept: data versions, https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import dagster as dg
from dagster import DagsterEventType

_VERSION: Final = "dagster/data_version"


def recorded_versions(instance: dg.DagsterInstance, key: dg.AssetKey, *, is_daily: bool) -> Mapping[date, str | None]:
    """Data version of the newest materialization by day; None where it has none. A snapshot has its newest day only."""
    if not is_daily:
        return _snapshot_versions(instance, key)
    storage, kind = instance.event_log_storage, DagsterEventType.ASSET_MATERIALIZATION
    tags = storage.get_latest_tags_by_partition(key, kind, [_VERSION])
    names = storage.get_latest_storage_id_by_partition(key, kind)
    return {day: tags.get(name, {}).get(_VERSION) for name in names if (day := _day(name)) is not None}


def _snapshot_versions(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[date, str | None]:
    event = instance.get_latest_materialization_event(key)
    materialization = None if event is None else event.asset_materialization
    observed = None if materialization is None else materialization.metadata.get("observed_on")
    day = None if observed is None else _day(str(observed.value))
    return {} if materialization is None or day is None else {day: (materialization.tags or {}).get(_VERSION)}


def _day(name: str) -> date | None:
    """The day of a partition; None where its name is not a date."""
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
