"""The lake and the state database: where they are, whether they can be used, and whether invented and real numbers keep apart.

The newest and the oldest day of each table tell which numbers a lake holds.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import make_url

from analytics_assets.errors import LakeError
from analytics_assets.lake.files import Files
from analytics_assets.lake.identity import Known, read_identity, refuse_another
from analytics_assets.lake.store import Lake, refuse_other_mode
from analytics_assets.operations.doctor.line import Line
from analytics_assets.settings import Settings
from analytics_assets.state.database import engine, schema_version
from analytics_assets.state.lakes import is_there, known_lake

_SHOWN: Final = 10


def identity(current: Settings) -> Iterator[Line]:
    """Whether the lake is there and is the one that the state database knows."""
    files = Lake(current.lake).files
    present = read_identity(files)
    in_state = known_lake(current.state)
    refuse_another(files, present, {"the state database": Known(*in_state) if in_state else None})
    state = f"lake {present[:8]}" if present else "the lake gets it at the next write"
    yield Line("lake", "identity", "ok", state)


def writable(current: Settings) -> Iterator[Line]:
    """Whether days can be put into the lake; a folder that is not there is not created for it."""
    files = Lake(current.lake).files
    if files.is_local and not Path(files.root).exists():
        above = next(folder for folder in Path(files.root).parents if folder.exists())
        if not (above.is_dir() and os.access(above, os.W_OK)):
            raise LakeError(
                f"{files.root} cannot be created in {above}.", remedy="Check ANALYTICS_LAKE and its rights."
            )
        yield Line("lake", "writable", "ok", f"{files.address} is created with the first file")
        return
    files.check_writable()
    yield Line("lake", "writable", "ok", f"{files.address} can be written")


def unmixed(current: Settings, tables: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """Whether what stands, by account and table, is of the mode that is set."""
    lake, count = Lake(current.lake), 0
    for account, table in ((account, table) for account, names in tables.items() for table in names):
        days = lake.days(account, table)
        for day in dict.fromkeys([*days[:1], *days[-1:]]):
            if (stored := lake.stored_day(account, table, day)) is not None:
                refuse_other_mode(stored, is_sandbox=current.mode == "sandbox")
        count += bool(days)
    state = f"{current.mode} numbers, in {count} of the daily tables" if count else "no day is stored yet"
    yield Line("lake", "mode", "ok", state)


def undeclared(current: Settings, declared: Mapping[str, Collection[str] | None]) -> Iterator[Line]:
    """The tables that the lake has and no account declares.

    Args:
        current: Where the lake is.
        declared: The tables of each account; None for an account that does not load.
    """
    files = Lake(current.lake).files
    folders = [
        f"{account}/{table}"
        for account in _folders(files, files.root)
        if not account.startswith(("_", ".")) and declared.get(account, ()) is not None
        for table in _folders(files, f"{files.root}/{account}")
        if table not in (declared.get(account) or ())
    ]
    if folders:
        shown = ", ".join(folders[:_SHOWN]) + (f" and {len(folders) - _SHOWN} more" if len(folders) > _SHOWN else "")
        problem = f"no defs.yaml declares {shown}: nothing loads, checks or removes their files"
        yield Line(
            "lake", "undeclared", "ok", problem, "Move or delete the folders if you do not keep them on purpose."
        )


def _folders(files: Files, folder: str) -> list[str]:
    """Names of the folders directly in a folder, sorted; none if it does not exist."""
    with files.errors_of(folder, "listed"):
        try:
            entries = files.fs.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        return sorted(PurePosixPath(entry["name"]).name for entry in entries if entry["type"] == "directory")


def state(current: Settings) -> Iterator[Line]:
    """Whether the state database can be reached, and is of the version that this program knows."""
    shown = make_url(current.state).render_as_string(hide_password=True)
    if not is_there(current.state):
        yield Line("state", "database", "ok", f"{shown} is created when it is first used")
        return
    with engine(current.state).connect().execution_options(is_reading=True) as connection:
        version = connection.execute(select(schema_version.c.version)).scalar_one()
    yield Line("state", "database", "ok", f"{shown} can be used, schema {version}")
