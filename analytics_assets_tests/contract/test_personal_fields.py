"""People named in answers are found nowhere afterwards, unless the YAML says that they may be; over a real socket, through Dagster."""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sandbox.options import Options
from analytics_assets.sources.statsig.source import StatsigResource, definitions_stream, listing_stream
from analytics_assets.sources.statsig.streams import ListingSpec, ValuesSpec
from analytics_assets_tests.contract.clients import NOW
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server
from analytics_assets_tests.opened import assets_of
from analytics_assets_tests.vendors.statsig_forms import PERSON_EMAIL, PERSON_NAME

MARKERS = (PERSON_NAME, PERSON_EMAIL)
DAY = date(2026, 7, 14)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    """A sandbox that names people wherever Statsig does."""
    with sandbox_server(Options(now=lambda: NOW), forms=("statsig-people",)) as running:
        yield running


def load(server: SandboxServer, folder: Path, monkeypatch: pytest.MonkeyPatch, *, keep: bool) -> list[bool]:
    """A walk and a day of definitions, then a walk whose responses cannot be used; whether each run succeeded."""
    monkeypatch.setenv("ANALYTICS_SANDBOX_URL", server.url)
    monkeypatch.setenv("ANALYTICS_LAKE", str(folder / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{folder}/state.db")
    spec = ListingSpec(keep_personal_fields=keep)
    streams = [
        listing_stream("statsig", spec),
        definitions_stream("statsig", spec, final_at=ValuesSpec().final_at),
    ]
    listing, daily = assets_of("statsig", streams, lambda: NOW)
    resources = {"statsig": StatsigResource(), "lake": LakeResource()}
    (folder / "dagster").mkdir(parents=True)
    done = []
    with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
        for assets, key, forms in (
            (listing, None, ()),
            (daily, str(DAY), ()),
            (listing, None, ("statsig-required-missing",)),
        ):
            server.switch_on(*forms)
            run = dg.materialize(
                [assets], instance=instance, resources=resources, partition_key=key, raise_on_error=False
            )
            done.append(run.success)
    return done


def found(folder: Path) -> dict[str, set[str]]:
    """Where each marker is: kinds of files that hold it, packed columns of Parquet read out."""
    places: dict[str, set[str]] = {marker: set() for marker in MARKERS}
    for file in (one for one in folder.rglob("*") if one.is_file()):
        text = file.read_bytes().decode("utf-8", errors="replace")
        if file.suffix == ".parquet":
            text += str(pq.read_table(file, partitioning=None).to_pylist())
        for marker in MARKERS:
            if marker in text:
                places[marker].add(file.parts[len(folder.parts)] + file.suffix)
    return places


def test_people_are_nowhere_by_default(
    server: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    """Every byte of lake, quarantine, state, run storage, event log and captured output, also of the run that failed."""
    with caplog.at_level(logging.DEBUG):
        assert load(server, tmp_path, monkeypatch, keep=False) == [True, True, False]
    kinds = {file.suffix for file in (tmp_path / "dagster").rglob("*") if file.is_file()}
    assert {".db", ".err"} <= kinds
    assert list((tmp_path / "lake/_quarantine").rglob("*.txt"))
    out = "".join(capfd.readouterr()) + caplog.text
    assert "not stored" in out
    assert [marker for marker in MARKERS if marker in out] == []
    assert found(tmp_path) == {marker: set() for marker in MARKERS}


def test_people_are_kept_where_the_yaml_says_so(server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In raw, in the typed table and in the response kept aside: the search does find what is there. Never in Dagster's own storage."""
    assert load(server, tmp_path, monkeypatch, keep=True) == [True, True, False]
    assert found(tmp_path) == {marker: {"lake.parquet", "lake.txt"} for marker in MARKERS}
    typed = pq.read_table(tmp_path / f"lake/statsig/event_metrics/dt={DAY}/data.parquet", partitioning=None)
    names = ("creator_name", "creator_email", "owner_name", "owner_email", "last_modifier_name", "last_modifier_email")
    assert [set(typed[name].to_pylist()) for name in names] == [{PERSON_NAME}, {PERSON_EMAIL}] * 3
