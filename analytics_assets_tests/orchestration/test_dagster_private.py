"""What this package uses of each private name of Dagster, and that one module imports them.

A test that fails after an update of Dagster names what changed. Tests of what we build on these names are beside their modules:
`test_instance.py`, `test_run_launcher.py`, `test_celery_launcher.py` and those of the doctor.
"""

import ast
import inspect
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.selector import PartitionRangeSelector, PartitionsByAssetSelector, PartitionsSelector
from dagster._core.execution.backfill import PartitionBackfill

from analytics_assets.orchestration import dagster_private as private

PACKAGE = Path(__file__).parents[2] / "analytics_assets"
MOST = 10
# Functions around attributes without a public way to them.
OURS = {"instance_of", "backfill_keys"}
ONE_MODULE = "orchestration/dagster_private.py"


def private_uses(source: str) -> Iterator[str]:
    """Every private name of Dagster in a module: imported, reached as an attribute, or as a module in a text."""
    nodes = list(ast.walk(ast.parse(source)))
    own = {f"self.{ast.unparse(node.target)}" for node in nodes if isinstance(node, ast.AnnAssign)}
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [name] if (name := ast.unparse(node)) not in own else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            names = [node.value]
        yield from filter(is_private, names)


def is_private(name: str) -> bool:
    """True if a dotted name is a private one of a package of Dagster."""
    root, *parts = name.split(".")
    if root == "dagster_shared" or name in {"self._instance", "launcher._instance"}:
        return True
    return (root == "dg" or root.startswith("dagster")) and any(
        part.startswith("_") and not part.startswith("__") for part in parts
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from dagster._core.launcher import WorkerStatus", ["dagster._core.launcher.WorkerStatus"]),
        ("from dagster import _check", ["dagster._check"]),
        ("import dagster._core.storage.tags", ["dagster._core.storage.tags"]),
        ("from dagster_shared.serdes import pack_value", ["dagster_shared.serdes.pack_value"]),
        ("from dagster_celery.launcher import _secret", ["dagster_celery.launcher._secret"]),
        ("dg._core", ["dg._core"]),
        ("class Launcher:\n    def run(self):\n        self._instance", ["self._instance"]),
        ("class Resource:\n    _instance: int\n    def run(self):\n        self._instance", []),
        ("import_module('dagster._core')", ["dagster._core"]),
        ("import dagster as dg\nfrom dagster_celery.launcher import CeleryRunLauncher\ndg.__version__", []),
    ],
)
def test_each_way_to_a_private_name_is_found(source: str, found: list[str]) -> None:
    """Public names are left alone."""
    assert list(private_uses(source)) == found


def test_one_module_names_what_is_private_in_dagster() -> None:
    """At most ten names, all of them exported there under their plain names."""
    found = {
        str(path.relative_to(PACKAGE)): uses
        for path in sorted(PACKAGE.rglob("*.py"))
        if (uses := list(private_uses(path.read_text())))
    }
    assert set(found) == {ONE_MODULE}
    imported = {use.rpartition(".")[2] for use in found[ONE_MODULE]} - {"_instance"}
    assert imported | OURS == set(private.__all__)
    assert len(private.__all__) <= MOST


def test_each_private_name_has_a_reason_with_a_page() -> None:
    """In the comment above its import, or in the docstring of the function that uses it."""
    above, without = "", []
    for line in (PACKAGE / ONE_MODULE).read_text().splitlines():
        if line.startswith("#"):
            above += line
        elif not line:
            above = ""
        elif line.startswith("from dagster") and "https://" not in above:
            without.append(line)
    assert without == []
    assert all("https://" in (getattr(private, name).__doc__ or "") for name in OURS)


@pytest.mark.parametrize("name", sorted(set(private.__all__) - OURS))
def test_a_private_name_has_no_public_export_yet(name: str) -> None:
    """Once it has one, import that."""
    assert not hasattr(dg, name)


@pytest.mark.parametrize(
    "storage", [private.DagsterSqliteStorage, private.LocalComputeLogManager, private.LocalArtifactStorage]
)
def test_dagster_makes_a_storage_from_the_values_of_dagster_yaml(storage: Any) -> None:
    """Our subclasses override this method, and pass its first argument on."""
    assert list(inspect.signature(storage.from_config_value).parameters) == ["inst_data", "config_value"]
    assert "inst_data" in inspect.signature(storage).parameters
    assert "base_dir" in storage.config_type()


def test_the_days_of_a_backfill_are_known_while_one_of_its_runs_works() -> None:
    """Of each asset those that it has; of a backfill that was deleted none."""
    days = dg.DailyPartitionsDefinition("2026-03-01", hour_offset=1)

    @dg.asset(partitions_def=days)
    def table() -> None: ...

    definitions = dg.Definitions(assets=[table, dg.AssetSpec("other", partitions_def=days)])
    wanted = PartitionsByAssetSelector(
        asset_key=table.key,
        partitions=PartitionsSelector([PartitionRangeSelector("2026-03-02", "2026-03-04")]),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_backfill(
            PartitionBackfill.from_partitions_by_assets(
                "b1",
                definitions.resolve_asset_graph(),
                datetime(2026, 4, 1, tzinfo=UTC).timestamp(),
                {},
                instance,
                [wanted],
                None,
                None,
                None,
            )
        )
        assert private.backfill_keys(instance, "b1", table.key) == ["2026-03-02", "2026-03-03", "2026-03-04"]
        assert private.backfill_keys(instance, "b1", dg.AssetKey("other")) == []
        assert private.backfill_keys(instance, "b2", table.key) == []


def test_the_storages_write_below_the_folder_they_are_made_with(tmp_path: Path) -> None:
    """The doctor looks for `history/runs.db` to see whether a history exists."""
    private.DagsterSqliteStorage.from_local(str(tmp_path / "sqlite"), inst_data=None).dispose()
    assert (tmp_path / "sqlite/history/runs.db").is_file()
    logs = private.LocalComputeLogManager(base_dir=str(tmp_path / "logs"), inst_data=None)
    assert Path(logs.get_captured_local_path(["run", "step"], "out")).is_relative_to(tmp_path / "logs")
    artifacts = private.LocalArtifactStorage(str(tmp_path / "artifacts"), inst_data=None)
    assert Path(artifacts.storage_dir).is_relative_to(tmp_path / "artifacts")


def test_a_relative_folder_still_depends_on_where_the_process_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason for storages of our own, as is that a variable has to be set; once either changes, they can go."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump({"storage": {"sqlite": {"base_dir": "data"}}}))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.chdir(elsewhere)
    with dg.DagsterInstance.get():
        assert (elsewhere / "data/history/runs.db").is_file()
    (home / "dagster.yaml").write_text(yaml.safe_dump({"storage": {"sqlite": {"base_dir": {"env": "NOT_SET_HERE"}}}}))
    with pytest.raises(dg.DagsterInvalidConfigError, match="NOT_SET_HERE"):
        dg.DagsterInstance.get()


def test_a_reference_shows_the_storage_without_creating_it(tmp_path: Path) -> None:
    """And the instance is opened from it."""
    base, config = tmp_path / "base", tmp_path / "config"
    base.mkdir()
    config.mkdir()
    folder = tmp_path / "data"
    (config / "dagster.yaml").write_text(yaml.safe_dump({"storage": {"sqlite": {"base_dir": str(folder)}}}))
    reference = private.InstanceRef.from_dir(str(base), config_dir=str(config))
    assert reference.storage_data is not None
    assert reference.storage_data.class_name == private.DagsterSqliteStorage.__name__
    assert yaml.safe_load(reference.storage_data.config_yaml) == {"base_dir": str(folder)}
    assert not folder.exists()
    with dg.DagsterInstance.from_ref(reference):
        assert (folder / "history/runs.db").is_file()


def test_dagsters_launcher_of_one_machine_does_not_check_its_processes() -> None:
    """The reason for a launcher of our own; once it does, ours can go. Results have these fields."""
    assert not dg.DefaultRunLauncher().supports_check_run_worker_health
    health = private.CheckRunHealthResult(private.WorkerStatus.FAILED, "gone")
    assert (health.status, health.msg) == (private.WorkerStatus.FAILED, "gone")
    assert private.CheckRunHealthResult(private.WorkerStatus.RUNNING).msg is None


def test_a_started_run_has_the_host_in_its_tag() -> None:
    """Dagster writes it before it asks the code server to start the process; here the launch ends there, without a server."""
    client = SimpleNamespace(host="localhost", port=None, socket="s", use_ssl=False)
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(dg.JobDefinition(name="job", graph_def=dg.GraphDefinition(name="graph")))
        with suppress(Exception):
            dg.DefaultRunLauncher.launch_run_from_grpc_client(instance, run, cast("Any", client))
        started = instance.get_run_by_id(run.run_id)
    assert started is not None
    assert json.loads(started.tags[private.GRPC_INFO_TAG])["host"] == "localhost"


def test_a_launcher_knows_the_instance_that_it_is_registered_with() -> None:
    """From the moment on that Dagster registers it."""
    launcher = dg.DefaultRunLauncher()
    assert not launcher.has_instance
    with dg.DagsterInstance.ephemeral() as instance:
        launcher.register_instance(instance)
        assert launcher.has_instance
        assert private.instance_of(launcher) is instance
