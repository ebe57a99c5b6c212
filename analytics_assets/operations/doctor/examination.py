"""The whole examination, in the order in which one thing rests on another; what rests on something broken is left out and says so."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import Final

import dagster as dg

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.operations.doctor import accounts as accounts_part
from analytics_assets.operations.doctor import daemon, dagster_home, places, vendors
from analytics_assets.operations.doctor.definitions import TOGETHER, Loaded, loads, loads_together
from analytics_assets.operations.doctor.line import Line, examined, refused, without_secrets
from analytics_assets.settings import Settings, passwords, secret, settings, unknown_variables

# Dagster is loaded with the first one.
_LOADING_S: Final = 60.0
_LAKE_FIRST: Final = "Fix the lake's identity first."


def examine(defs: Path, folders: Sequence[str], *, clock: Clock, is_offline: bool) -> list[Line]:
    """Everything there is to say of this set-up.

    Args:
        defs: Folder of the accounts, in a Dagster project.
        folders: Their names.
        clock: The present instant.
        is_offline: True if no vendor is asked.
    """
    with ExitStack() as stack, warnings.catch_warnings():
        # Dagster's own, which are no affair of the person who asks.
        warnings.simplefilter("ignore")
        loaded: list[Loaded] = []
        lines = list(_lines(defs, folders, loaded, stack, clock=clock, is_offline=is_offline))
        return without_secrets(lines, _secrets(loaded))


def _lines(
    defs: Path,
    folders: Sequence[str],
    loaded: list[Loaded],
    stack: ExitStack,
    *,
    clock: Clock,
    is_offline: bool,
) -> Iterator[Line]:
    yield from examined("settings", "unknown variables", lambda: _unknown_variables(defs, folders))
    try:
        current = settings()
    except PermanentError as error:
        yield refused("settings", "environment", error)
        remedy = "Correct the setting first: everything else reads it."
        yield Line("settings", "all other checks", "not checked", "the settings cannot be read", remedy)
        return
    yield Line("settings", "mode", "ok", current.mode)
    for name in folders:
        yield from examined("definitions", name, partial(loads, defs, name, loaded), within_s=_LOADING_S)
    if len(loaded) == len(folders):
        yield from examined("definitions", TOGETHER, lambda: loads_together(defs), within_s=_LOADING_S)
    accounts = [
        accounts_part.ExaminedAccount(
            folder.name, folder.diagnostics.account, folder.daily_tables(), folder.made_from()
        )
        for folder in loaded
        if folder.diagnostics and folder.diagnostics.account
    ]
    yield from _vendors(loaded, current, clock, is_offline=is_offline)
    identity = examined("lake", "identity", lambda: places.identity(current))
    yield from identity
    is_known = all(line.verdict == "ok" for line in identity)
    if is_known:
        yield from examined("lake", "writable", lambda: places.writable(current))
        yield from examined(
            "lake", "mode", lambda: places.unmixed(current, {folder.name: folder.tables for folder in accounts})
        )
        declared = {
            name: next((folder.all_tables() for folder in loaded if folder.name == name), None) for name in folders
        }
        yield from examined("lake", "undeclared", lambda: places.undeclared(current, declared))
    else:
        yield Line("lake", "writable", "not checked", "it is not the lake that is known", _LAKE_FIRST)
    state = examined("state", "database", lambda: places.state(current))
    yield from state
    yield from _dagster(loaded, current, clock, stack)
    if all(line.verdict == "ok" for line in state):
        for folder in accounts:
            yield from examined("budget", folder.name, partial(accounts_part.budget, folder, clock, current.mode))
        yield from examined(
            "report tasks", "open", lambda: accounts_part.report_tasks(accounts, current, clock(), folders=folders)
        )
    else:
        remedy = "Fix the state database first."
        yield Line("budget", "all", "not checked", "budgets and report tasks are in the state database", remedy)
    if not is_known:
        yield Line("days", "all", "not checked", "days would be missed in another lake", _LAKE_FIRST)
    for folder in accounts if is_known else ():
        yield from examined("days", folder.name, partial(accounts_part.late, folder, current, clock()))


def _unknown_variables(defs: Path, folders: Sequence[str]) -> Iterator[Line]:
    files = [file for name in folders if (file := defs / name / "defs.yaml").is_file()]
    for name, problem, remedy in unknown_variables("\n".join(file.read_text(errors="replace") for file in files)):
        yield Line("settings", name, "warning", problem, remedy)


def _vendors(loaded: Sequence[Loaded], current: Settings, clock: Clock, *, is_offline: bool) -> Iterator[Line]:
    ahead: dict[str, float | None] = {}
    for name, diagnostics in (
        (account.name, account.diagnostics) for account in loaded if account.diagnostics is not None
    ):
        lines = list(vendors.variables(name, diagnostics, current.mode))
        yield from lines
        if diagnostics.account is None:
            continue
        what = f"{name}: accepted"
        if is_offline:
            yield Line("keys", what, "not checked", "--offline asks no vendor", "Run it without --offline.")
        elif current.mode == "sandbox" and not diagnostics.account.resource.has_sandbox():
            problem = f"there is no sandbox of {diagnostics.account.vendor}"
            yield Line("keys", what, "not checked", problem, "Set ANALYTICS_MODE=live to load from the vendor itself.")
        elif any(line.verdict == "wrong" for line in lines):
            yield Line("keys", what, "not checked", "a key is missing", "Set the variable named above.")
        else:
            yield from examined("keys", what, partial(vendors.accepted, name, diagnostics, clock, ahead))
    in_process = current.mode == "sandbox" and current.sandbox_url is None
    yield vendors.clocks(ahead, is_offline=is_offline, is_in_process=in_process)
    start = datetime.combine(current.start_date, time(), UTC)
    yield vendors.started(start, clock())


def _dagster(loaded: Sequence[Loaded], current: Settings, clock: Clock, stack: ExitStack) -> Iterator[Line]:
    opened: list[dg.DagsterInstance] = []
    home = examined("dagster", "home", lambda: dagster_home.opens(stack, opened))
    yield from home
    if home[-1].what == dagster_home.HISTORY:
        yield from daemon.hearts((), {}, clock())
        return
    if not opened:
        remedy = "Fix Dagster's home first."
        yield Line(
            "daemon", "all", "not checked", "the daemon, schedules and sensors are known by Dagster's home", remedy
        )
        return
    [instance] = opened
    yield from examined("dagster", "settings", lambda: dagster_home.configured(instance))
    storage = examined("dagster", "storage", lambda: dagster_home.storage(instance))
    yield from storage
    if any(line.verdict == "wrong" for line in storage):
        yield Line("daemon", "all", "not checked", "Dagster's storage does not answer", "Fix the storage first.")
        return
    yield from examined("dagster", dagster_home.HISTORY, lambda: dagster_home.bound(instance, current))
    yield from examined(
        "daemon",
        "heartbeats",
        lambda: daemon.hearts(instance.get_required_daemon_types(), daemon.heartbeats(instance), clock()),
    )
    definitions = [account.definitions for account in loaded]
    switches = [switch for account in definitions for switch in (*(account.schedules or ()), *(account.sensors or ()))]
    defined = [account for account in switches if isinstance(account, dg.ScheduleDefinition | dg.SensorDefinition)]
    yield from examined("schedules", "all", lambda: daemon.switches(instance, defined, current.mode))


def _secrets(loaded: Iterable[Loaded]) -> Iterator[str]:
    """Every value that must not be shown: of the variables that components name, and in the addresses of lake and state."""
    for name in (name for account in loaded if account.diagnostics for name in account.diagnostics.variables):
        try:
            yield secret(name)
        except AccessRefusedError:
            continue
    yield from passwords()
