"""Dagster's own place: DAGSTER_HOME or the `dagster.yaml` of the project, what it sets, and whether its storage answers.

Dagster concept: the instance, https://docs.dagster.io/deployment/oss/oss-instance-configuration
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import yaml

from analytics_assets.lake.store import Lake
from analytics_assets.operations.doctor.line import Line, Verdict
from analytics_assets.orchestration.dagster_private import InstanceRef
from analytics_assets.orchestration.instance import missing_history
from analytics_assets.orchestration.lake_binding import known_identity, lake_of_history
from analytics_assets.settings import Settings, dagster_home, is_set, project

_FILE = "dagster.yaml"
HISTORY = "history"
_START = "Dagster creates it when it starts: `make dev`, or `dagster-webserver` and `dagster-daemon run` with this DAGSTER_HOME."


def opens(stack: ExitStack, into: list[dg.DagsterInstance], *, creates: bool = False) -> Iterator[Line]:
    """Opens the instance for the other checks; it is closed with the stack.

    Args:
        stack: What it is closed with.
        into: Where it is put.
        creates: True if a history that has not begun is created.
    """
    home = dagster_home()
    start = project() or Path.cwd()
    if (issue := _placed(home, start)) is not None:
        yield issue
        return
    state = f"DAGSTER_HOME is {home}" if home else f"DAGSTER_HOME is not set; the {_FILE} of {start} is read"
    if home is not None and not (Path(home).expanduser() / _FILE).is_file():
        remedy = f"Copy the {_FILE} of this project there; without it Dagster runs with settings of its own."
        yield Line("dagster", "home", "warning", f"{state}, without a {_FILE}", remedy)
    else:
        yield Line("dagster", "home", "ok", state)
    try:
        if home is not None:
            reference = InstanceRef.from_dir(str(Path(home).expanduser()))
        else:
            # As `dg dev` does it: what is given no place of its own is thrown away.
            aside = stack.enter_context(tempfile.TemporaryDirectory())
            reference = InstanceRef.from_dir(aside, config_dir=str(start))
        if not creates and (folder := missing_history(reference)) is not None:
            yield Line("dagster", HISTORY, "not checked", f"Dagster has no history in {folder} yet", _START)
            return
        instance = dg.DagsterInstance.from_ref(reference)
    except (dg.DagsterInvalidConfigError, yaml.YAMLError) as error:
        remedy = f"Correct {Path(home or start).expanduser() / _FILE}."
        yield Line(
            "dagster",
            _FILE,
            "wrong",
            f"{_FILE} does not load: {_refusal(error, Path(home or start).expanduser() / _FILE)}",
            remedy,
        )
        return
    except Exception as error:  # noqa: BLE001 - storages raise what their drivers raise, and the text may hold an address
        remedy = f"Check `storage` and the classes named in {_FILE}, and that the database can be reached from here."
        yield Line("dagster", _FILE, "wrong", f"{_FILE} cannot be carried out ({type(error).__name__})", remedy)
        return
    into.append(stack.enter_context(instance))
    yield Line("dagster", _FILE, "ok", f"{_FILE} loads")


def _placed(home: str | None, start: Path) -> Line | None:
    """What is wrong with the place itself."""
    if home is None:
        if (start / _FILE).is_file():
            return None
        state = f"DAGSTER_HOME is not set, and there is no {_FILE} in {start}"
        return Line(
            "dagster", "home", "wrong", state, f"Run it in the checkout, or set DAGSTER_HOME to where {_FILE} is."
        )
    folder = Path(home).expanduser()
    if not folder.is_absolute() or not folder.is_dir():
        state = f"DAGSTER_HOME is {home}, which is {'no folder' if folder.is_absolute() else 'no absolute path'}"
        return Line(
            "dagster", "home", "wrong", state, f"Set DAGSTER_HOME to the absolute path of the folder with {_FILE}."
        )
    if not os.access(folder, os.W_OK):
        state = f"DAGSTER_HOME is {home}, which cannot be written"
        return Line(
            "dagster",
            "home",
            "wrong",
            state,
            "Give the user of the daemon and the code server the right to write there.",
        )
    return None


def _refusal(error: dg.DagsterInvalidConfigError | yaml.YAMLError, file: Path) -> str:
    """Why it does not load, without the values, one of which may be a password."""
    if isinstance(error, dg.DagsterInvalidConfigError):
        is_unresolved = any(problem.reason.value == "FAILED_POST_PROCESSING" for problem in error.errors)
        if is_unresolved and (missing := next(_unset_variables(yaml.safe_load(file.read_text())), None)):
            return f"the environment variable {missing} is not set"
        return "; ".join(
            _mismatch(problem.stack.levels, problem.reason.value, problem.error_data) for problem in error.errors
        )
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f"line {mark.line + 1} is no YAML" if mark else "it is no YAML"


def _unset_variables(config: object) -> Iterator[str]:
    """The environment variables that values such as `{env: NAME}` name and that are not set."""
    if isinstance(config, dict):
        if config.keys() == {"env"} and isinstance(name := config["env"], str):
            if not is_set(name):
                yield name
            return
        config = list(config.values())
    if isinstance(config, list):
        for value in config:
            yield from _unset_variables(value)


def _mismatch(path: Sequence[str], reason: str, data: object) -> str:
    """The field that does not fit and how, such as `telemetry.enabled: runtime type mismatch`."""
    name = getattr(data, "field_name", None)
    names = [name] if name else getattr(data, "field_names", [])
    field = ".".join([*path, *([", ".join(names)] if names else [])])
    return f"{field}: {reason.lower().replace('_', ' ')}"


def storage(instance: dg.DagsterInstance) -> Iterator[Line]:
    """Whether runs, events and states can be read."""
    try:
        instance.get_run_records(limit=1)
        instance.event_log_storage.get_maximum_record_id()
        instance.all_instigator_state()
    except Exception as error:  # noqa: BLE001 - drivers raise what they like, and the text may hold an address
        remedy = f"Check `storage` in {_FILE}; after an update of Dagster run `dagster instance migrate`."
        yield Line("dagster", "storage", "wrong", f"it cannot be read ({type(error).__name__})", remedy)
        return
    yield Line("dagster", "storage", "ok", "runs, events and states can be read")


def bound(instance: dg.DagsterInstance, current: Settings) -> Iterator[Line]:
    """Whether the days that the history shows are those of the lake that is set."""
    known_identity(Lake(current.lake), state=None, instance=instance)
    lake_id = lake_of_history(instance)
    state = (
        f"it shows the days of lake {lake_id.lake[:8]}"
        if lake_id
        else "it belongs to no lake yet; the first run decides"
    )
    yield Line("dagster", HISTORY, "ok", state)


def configured(instance: dg.DagsterInstance) -> Iterator[Line]:
    """The settings this project relies on, and what comes of it where they differ."""
    runs = instance.get_concurrency_config().run_queue_config
    most = runs.max_concurrent_runs if runs else None
    expected = (
        (instance.run_monitoring_enabled, "run_monitoring", "enabled: true", "a killed run stays STARTED for ever"),
        (
            instance.run_launcher.supports_check_run_worker_health,
            "run_launcher",
            "class: WatchedRunLauncher",
            "nobody notices when the process of a run is gone",
        ),
        (
            instance.run_retries_enabled and not instance.run_retries_retry_on_asset_or_op_failure,
            "run_retries",
            "enabled: true, retry_on_asset_or_op_failure: false",
            "a crashed run is not started again, or days that failed are requested over and over",
        ),
        (_has_threads(instance, "sensors"), "sensors", "use_threads: true", "one slow sensor holds up all others"),
        (
            _has_threads(instance, "schedules"),
            "schedules",
            "use_threads: true",
            "one slow schedule holds up the others",
        ),
        (
            most is not None and most > 0,
            "concurrency",
            "runs: {max_concurrent_runs: 4}",
            "runs start without a bound, or none does",
        ),
        (not instance.telemetry_enabled, "telemetry", "enabled: false", "Dagster reports its use to its makers"),
    )
    fine = [name for holds, name, _, _ in expected if holds]
    if fine:
        verdict: Verdict = "ok"
        yield Line("dagster", "settings", verdict, f"as this project needs them: {', '.join(fine)}")
    for holds, name, value, effect in expected:
        if not holds:
            yield Line(
                "dagster",
                name,
                "warning",
                f"not as this project needs it: {effect}",
                f"Set `{name}: {{{value}}}` in {_FILE}.",
            )


def _has_threads(instance: dg.DagsterInstance, kind: str) -> bool:
    return bool((instance.get_settings(kind) or {}).get("use_threads"))
