"""A lake that is missing or another one stops what would write to it or judge by it, and an own one that was moved does not."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from analytics_assets.__main__ import main
from analytics_assets.errors import LakeError
from analytics_assets.lake.identity import FILE, create_identity, read_identity
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_binding import lake_of_history
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.sources.bento.tables import ADS_TOTALS
from analytics_assets.state.lakes import known_lake

DAY = date(2026, 3, 1)


@dg.asset
def writes(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """A run that writes one day."""
    lake.open().store_day("bento", ADS_TOTALS, DAY, ADS_TOTALS.rows([]), is_sandbox=True)
    return dg.MaterializeResult()


@dg.asset
def reads(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """A run that judges what is stored."""
    return dg.MaterializeResult(metadata={"days": len(lake.open().days("bento", ADS_TOTALS.name))})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a deployment, with its settings; the lake is `<folder>/lake`."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")
    return tmp_path


@pytest.fixture
def instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Its history."""
    with dg.DagsterInstance.get() as opened:
        yield opened


def failed(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, root: str | None = None) -> str:
    """Why a run of an asset over a lake, by default that of the setting, failed; empty where it did not."""
    done = dg.materialize([asset], instance=instance, resources={"lake": LakeResource(root=root)}, raise_on_error=False)
    errors = [event.step_failure_data.error for event in done.get_step_failure_events()]
    return "" if done.success else str(errors[0].cause or errors[0])


def test_a_lake_gets_its_identity_with_its_first_file(folder: Path, instance: dg.DagsterInstance) -> None:
    """Reading creates nothing; after the first write the state database and the history know the lake, and the next run goes on."""
    assert failed(instance, reads) == ""
    assert not (folder / "lake").exists()
    assert (known_lake(f"sqlite:///{folder}/state.db"), lake_of_history(instance)) == (None, None)
    assert failed(instance, writes) == ""
    identity = read_identity(Lake(str(folder / "lake")).files)
    assert identity is not None
    assert known_lake(f"sqlite:///{folder}/state.db") == (identity, f"{folder}/lake")
    assert lake_of_history(instance).lake == identity
    assert failed(instance, writes) == failed(instance, reads) == ""


def test_a_lake_of_an_earlier_version_is_adopted_once(folder: Path, instance: dg.DagsterInstance) -> None:
    """Its files have no identity beside them; the first run that writes gives it one."""
    Lake(str(folder / "lake")).store_day("bento", ADS_TOTALS, date(2026, 2, 28), ADS_TOTALS.rows([]), is_sandbox=True)
    assert failed(instance, reads) == ""
    assert not (folder / "lake" / FILE).exists()
    assert failed(instance, writes) == ""
    identity = read_identity(Lake(str(folder / "lake")).files)
    assert failed(instance, writes) == failed(instance, reads) == ""
    assert (identity is not None, read_identity(Lake(str(folder / "lake")).files)) == (True, identity)


@pytest.mark.parametrize("asset", [writes, reads], ids=["writes", "reads"])
@pytest.mark.parametrize("is_mounted", [False, True], ids=["folder gone", "empty mount point"])
def test_a_lost_mount_stops_every_run(
    folder: Path, instance: dg.DagsterInstance, asset: dg.AssetsDefinition, *, is_mounted: bool
) -> None:
    """Nothing is created in its place, and it goes on when it is there again."""
    assert failed(instance, writes) == ""
    (folder / "lake").rename(folder / "away")
    if is_mounted:
        (folder / "lake").mkdir()
    words = failed(instance, asset)
    assert f"The lake is not at {folder}/lake: the state database knows lake " in words
    assert "Mount the disk or share that it is on" in words
    assert (folder / "lake").exists() == is_mounted
    assert not is_mounted or list((folder / "lake").iterdir()) == []
    shutil.rmtree(folder / "lake", ignore_errors=True)
    (folder / "away").rename(folder / "lake")
    assert failed(instance, asset) == ""


def test_a_mount_that_is_lost_during_a_run_gets_no_further_file(folder: Path, instance: dg.DagsterInstance) -> None:
    """The run has opened its lake before; a promoted file, a move and a removal are refused, and the place stays empty."""
    with dg.build_resources({"lake": LakeResource()}, instance=instance) as resources:
        lake = resources.lake.open()
        kept = lake.store_day("bento", ADS_TOTALS, DAY, ADS_TOTALS.rows([]), is_sandbox=True)
        (folder / "lake").rename(folder / "away")
        (folder / "lake").mkdir()
        for act in (
            lambda: lake.store_day("bento", ADS_TOTALS, date(2026, 3, 2), ADS_TOTALS.rows([]), is_sandbox=True),
            lake.files.check_writable,
            lambda: lake.files.remove(kept.path),
            lambda: lake.files.put_aside(kept.path, f"{lake.root}/_quarantine/x"),
        ):
            with pytest.raises(LakeError, match=r"is gone: there is no _lake\.json any more\. Nothing was written\."):
                act()
        assert list((folder / "lake").iterdir()) == []
        # Another lake is mounted there.
        create_identity(Lake(str(folder / "lake")).files)
        with pytest.raises(LakeError, match="is gone: another lake, "):
            lake.files.check_writable()


def test_a_moved_lake_needs_its_setting_only(
    folder: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its identity travels with it, also into a copy that is restored."""
    assert failed(instance, writes) == ""
    shutil.copytree(folder / "lake", folder / "restored")
    (folder / "lake").rename(folder / "elsewhere")
    for place in ("elsewhere", "restored"):
        monkeypatch.setenv("ANALYTICS_LAKE", str(folder / place))
        assert failed(instance, writes) == failed(instance, reads) == ""


def test_another_lake_is_refused_until_a_person_accepts_it(
    folder: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its state database, and with a new one by the history; `lake verify` refuses it too, and accepting it touches no table."""
    assert failed(instance, writes) == ""
    create_identity(Lake(str(folder / "other")).files)
    monkeypatch.setenv("ANALYTICS_LAKE", str(folder / "other"))
    assert f"{folder}/other is lake " in failed(instance, reads)
    assert ", and the state database belongs to lake " in failed(instance, reads)
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{folder}/new.db")
    words = failed(instance, writes)
    assert ", and Dagster's history belongs to lake " in words
    assert "it tells of days whose files are elsewhere" in words
    assert known_lake(f"sqlite:///{folder}/new.db") is None
    assert main(("lake", "verify")) == 2
    assert ", and Dagster's history belongs to lake " in capsys.readouterr().err
    assert main(("lake", "accept")) == 0
    assert capsys.readouterr().out.startswith(f"{folder}/other is lake ")
    assert failed(instance, writes) == failed(instance, reads) == ""


def test_a_lost_identity_is_accepted_by_a_person(
    folder: Path, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    """As from a back-up that left the file out."""
    assert failed(instance, writes) == ""
    (folder / "lake" / FILE).unlink()
    assert "and there is no _lake.json" in failed(instance, writes)
    assert main(("lake", "accept")) == 0
    assert failed(instance, writes) == ""
    (folder / "lake" / FILE).write_bytes(b"\0\0")
    assert "does not hold the identity of a lake" in failed(instance, reads)
    assert "lake verify" in capsys.readouterr().out


def test_ticks_are_stopped_too(folder: Path, instance: dg.DagsterInstance) -> None:
    """A schedule that reads the lake to choose its days."""

    @dg.schedule(job_name="daily", cron_schedule="0 0 * * *", required_resource_keys={"lake"})
    def daily(context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(str(len(context.resources.lake.open().days("bento", ADS_TOTALS.name))))

    assert failed(instance, writes) == ""
    now = datetime(2026, 3, 2, tzinfo=UTC)
    with dg.build_schedule_context(
        instance=instance, resources={"lake": LakeResource()}, scheduled_execution_time=now
    ) as context:
        assert daily.evaluate_tick(context).skip_message == "1"
        (folder / "lake").rename(folder / "away")
        with pytest.raises(dg.DagsterError) as refused:
            daily.evaluate_tick(context)
    assert "The lake is not at" in str(refused.value.__cause__)


def test_of_two_processes_that_begin_a_lake_both_get_one_identity(tmp_path: Path) -> None:
    """Whichever is first."""
    found: list[str] = []
    begin = [Thread(target=lambda: found.append(create_identity(Lake(str(tmp_path / "lake")).files))) for _ in range(8)]
    for thread in begin:
        thread.start()
    for thread in begin:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "lake").iterdir()] == [FILE]


def test_a_bucket_has_an_identity_too() -> None:
    """An object that is created once."""
    files = Lake("memory://growth/lake-with-identity").files
    assert read_identity(files) is None
    identity = create_identity(files)
    assert create_identity(files) == read_identity(files) == identity


def test_a_lake_that_code_names_leaves_the_history_to_that_of_the_setting(
    folder: Path, instance: dg.DagsterInstance
) -> None:
    """An asset that reads the tables of another deployment, run first, stops no run of this one; each is compared and accepted by itself."""
    other = str(folder / "other")
    create_identity(Lake(other).files)
    assert failed(instance, reads, other) == failed(instance, writes) == failed(instance, reads, other) == ""
    (folder / "other" / FILE).unlink()
    words = failed(instance, reads, other)
    assert "Dagster's history knows lake " in words
    assert f"run `analytics-assets lake accept {other}`" in words
    assert failed(instance, writes) == ""
    assert main(("lake", "accept", other)) == 0
    assert failed(instance, reads, other) == failed(instance, writes) == ""


class Unconditional(MemoryFileSystem):
    """A bucket whose server does not know conditional uploads, as some that speak S3 do not."""

    protocol = ("unconditional",)
    cachable = False

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        """Takes plain uploads only."""
        if mode != "overwrite":
            raise NotImplementedError("A header you provided implies functionality that is not implemented")
        super().pipe_file(path, value, mode=mode, **kwargs)


def test_a_bucket_without_conditional_uploads_has_an_identity_too() -> None:
    """Otherwise neither a run nor `lake accept` could begin a lake there; one that exists stays."""
    files = Lake("memory://growth/unconditional").files
    files.fs = Unconditional()
    identity = create_identity(files)
    assert create_identity(files) == read_identity(files) == identity
