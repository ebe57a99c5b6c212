"""What commands share: accounts by the names of their folders, a day as typed, a file for programs, a refusal in words, and Dagster's instance."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

import analytics_assets
from analytics_assets.growth.component import Growth
from analytics_assets.operations.alerts.component import Alerts
from analytics_assets.operations.doctor.dagster_home import HISTORY, opens
from analytics_assets.operations.shared import Shared
from analytics_assets.orchestration.loading import alone, explained_errors, quietly
from analytics_assets.orchestration.yaml_text import examine_file


class RefusedError(Exception):
    """The command cannot be carried out; says why and what to do."""


def day(text: str) -> date:
    """A day as typed.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-03-01") from error


def write_json(file: Path, content: Any) -> None:
    """Writes what `--json` requests.

    Raises:
        RefusedError: It cannot be written there.
    """
    try:
        file.write_text(json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise RefusedError(f"--json {file}: it cannot be written ({error.strerror}).") from error


def folders(defs: Path) -> list[str]:
    """The folders that configure something, sorted."""
    return sorted(path.parent.name for path in defs.glob("*/defs.yaml"))


def accounts(defs: Path) -> list[str]:
    """The folders that are accounts, sorted."""
    return [name for name in folders(defs) if not any(_has(defs / name, kind) for kind in (Alerts, Growth, Shared))]


def is_alerts(folder: Path) -> bool:
    """True if the file names the component of the alerts, whatever is wrong with its attributes."""
    return _has(folder, Alerts)


def _has(folder: Path, kind: type[dg.Component]) -> bool:
    values, _ = examine_file((folder / "defs.yaml").read_text(encoding="utf-8", errors="replace"))
    return values.get("type") == f"{analytics_assets.__name__}.{kind.__name__}"


def component(folder: Path, *, option: str) -> dg.Component:
    """The component of an account, as Dagster loads it.

    Raises:
        RefusedError: There is no such folder.
        UnloadableError: A setting or a YAML is wrong.
    """
    account, defs = folder.name, folder.parent
    if account not in folders(defs):
        raise RefusedError(
            f"{option} {account}: there is no such folder with a defs.yaml. There are: {', '.join(accounts(defs))}."
        )
    with explained_errors(defs), quietly():
        return alone(defs, account)[0]


@contextmanager
def opened_instance(*, creates: bool) -> Iterator[dg.DagsterInstance]:
    """The instance.

    Args:
        creates: True if a history that has not begun is created; else an empty one in memory stands for it.

    Raises:
        RefusedError: There is none, or it cannot be opened; in the doctor's words, which hold no password.
    """
    with ExitStack() as stack:
        opened: list[dg.DagsterInstance] = []
        *_, last = opens(stack, opened, creates=creates)
        if not opened and last.what == HISTORY:
            print(f"{last.found}: no file is recorded.", file=sys.stderr)
            opened.append(stack.enter_context(dg.DagsterInstance.ephemeral()))
        if not opened:
            raise RefusedError(f"{last.found}. {last.remedy}")
        yield opened[0]
