"""A run that the sensor requested takes what another has stored from the lake, but never a day whose rows were removed since."""

import logging
from pathlib import Path
from typing import cast

import msgspec
import pytest

from analytics_assets.errors import TransientError
from analytics_assets.lake.footer import encoded
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.report_loader import ReportReader, Waiting
from analytics_assets.sources.airbridge.tables import report_raw_table
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.state.database import engine
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.sources.airbridge.days import DAY, LATER, read
from analytics_assets_tests.sources.airbridge.vendor import group, report, spec, sub_row


async def test_an_emptied_day_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    """It would land as a day without rows, in place of typed tables that stand."""
    lake, url, raw = Lake(str(tmp_path / "lake")), f"sqlite:///{tmp_path}/state.db", report_raw_table(spec())
    stored_day = read([report([group(["a"], sub_row(str(DAY), 1, 2))])], spec())[DAY]
    lake.store_day("shop", raw, DAY, stored_day.content, request_hash="v1", requested_at=stored_day.requested_at)
    reader = ReportReader(
        "shop",
        spec(),
        cast("AirbridgeClient", None),
        ledger=Ledger(url),
        lake=lake,
        waiting=Waiting(0, 92, 100, TaskPolicy()),
        clock=lambda: LATER,
        owner="run",
        log=logging.getLogger(),
        # A request that were stored long ago and was forgotten has no days left.
        only=[7],
        zone="UTC",
    )
    reader.announce([DAY])
    kept = await reader.fetch(DAY)
    assert kept.content.equals(lake.read("shop", raw, [DAY]))
    stored = lake.stored_day("shop", raw.name, DAY)
    assert stored is not None
    footer = msgspec.structs.replace(stored.footer, emptied_at=LATER)
    lake.files.put(lake.path("shop", raw.name, DAY), parquet(raw.schema.empty_table(), encoded(footer)))

    with pytest.raises(TransientError, match=r"The day was stored by another run, but its rows are gone\."):
        await reader.fetch(DAY)
    await reader.close()
    engine(url).dispose()
    engine.cache_clear()
