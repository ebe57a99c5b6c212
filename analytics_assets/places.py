"""Turns the values of ANALYTICS_LAKE and ANALYTICS_STATE into one place each: an absolute path, or the address of a bucket or database.

Relative paths belong to the project, never to the working directory. What could be shown as one place and written to another is refused.
"""

import re
from pathlib import Path
from typing import Final

import fsspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from analytics_assets.errors import PermanentError

_PACKAGE: Final = Path(__file__).resolve().parent
_INSTANCE: Final = "dagster.yaml"
_LOCAL: Final = {"file", "local"}
_VARIABLE: Final = re.compile(r"\$\w|\$\{|%\w+%")
_WINDOWS: Final = re.compile(r"\\|[A-Za-z]:(?:/|$)")


def project_root(home: str | None) -> Path | None:
    """The folder that relative paths belong to; None where there is no project.

    It is the checkout that this package runs from. An installed package belongs to DAGSTER_HOME, or else to the Dagster project around the
    working directory.

    Args:
        home: The value of DAGSTER_HOME.
    """
    if (_PACKAGE.parent / _INSTANCE).is_file():
        return _PACKAGE.parent
    if home:
        return Path(home).expanduser().resolve()
    start = Path.cwd()
    return next((folder for folder in (start, *start.parents) if _is_project(folder)), None)


def lake_place(value: str, root: Path | None, *, setting: str = "ANALYTICS_LAKE") -> str:
    """The lake of a setting: an absolute path without symbolic links, or a URL.

    Args:
        value: A folder or an fsspec URL.
        root: The folder that a relative path belongs to.
        setting: Its name, for messages.

    Raises:
        PermanentError: The value does not name exactly one place.
    """
    text = value.strip()
    if "::" in text:
        raise PermanentError(
            f"{setting} chains file systems with `::`, and files would be written to only one of them.",
            remedy="Name a single folder or bucket.",
        )
    protocol, separator, path = text.partition("://")
    if not separator:
        return str(_local(text, root, setting))
    if protocol not in _LOCAL:
        host, slash, key = path.partition("/")
        key = key.rstrip("/")
        if {"", ".", ".."} & set(key.split("/")) and key:
            raise PermanentError(
                f"{setting} has an empty step, `.` or `..` in the path of its bucket.",
                remedy="Write the path as s3://bucket/growth/lake.",
            )
        _refuse_odd(f"{host.rpartition('@')[2]}{slash}{key}", setting)
        return f"{protocol}://{host}{slash if key else ''}{key}"
    if not path.startswith("/"):
        raise PermanentError(
            f"{setting} has a relative path in a file URL.", remedy="Write it as file:///srv/lake, or as a path."
        )
    return str(_local(path, root, setting))


def state_place(value: str, root: Path | None, *, setting: str = "ANALYTICS_STATE") -> str:
    """The state database of a setting; the file of an SQLite database as an absolute path.

    Args:
        value: An SQLAlchemy URL. One that cannot be read is returned as it is; opening it says what is wrong.
        root: The folder that a relative path belongs to.
        setting: Its name, for messages.

    Raises:
        PermanentError: The value names a database in memory, or not exactly one file.
    """
    text = value.strip()
    try:
        url = make_url(text)
    except ArgumentError:
        return text
    if url.get_backend_name() != "sqlite":
        return text
    file = url.database or ""
    if not file or ":memory:" in file or url.query.get("mode") == "memory":
        raise PermanentError(
            f"{setting} names an SQLite database in memory, which ends with each process: report tasks and budgets would be lost.",
            remedy="Write it as sqlite:///data/state.db.",
        )
    if file.startswith("file:"):
        raise PermanentError(f"{setting} names its file by a URI.", remedy="Write it as sqlite:////srv/state.db.")
    return url.set(database=str(_local(file, root, setting))).render_as_string(hide_password=False)


def address(root: str) -> str:
    """A lake's root as any reader names it: an absolute path, or the URL without a user's name and password.

    Raises:
        PermanentError: The URL is of no known kind, or does not name exactly one place.
    """
    whole = lake_place(root, Path.cwd(), setting="The lake")
    protocol, separator, place = whole.partition("://")
    if not separator:
        return whole
    if protocol not in fsspec.available_protocols():
        raise unknown_place(f"Protocol not known: {protocol}")
    host, slash, path = place.partition("/")
    return f"{protocol}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def unknown_place(why: object) -> PermanentError:
    """The error of a lake that cannot be opened."""
    return PermanentError(
        f"ANALYTICS_LAKE cannot be opened: {why}.",
        remedy="Use a folder, or the address of a bucket, such as s3://bucket/lake.",
    )


def _local(path: str, root: Path | None, setting: str) -> Path:
    _refuse_odd(path, setting)
    try:
        place = Path(path).expanduser()
    except RuntimeError as error:
        raise PermanentError(
            f"{setting}={path!r} begins with the home folder of a user who is not known here.",
            remedy="Write the path out.",
        ) from error
    if place.is_absolute():
        return place.resolve()
    if root is None:
        raise PermanentError(
            f"{setting}={path!r} is a relative path, and no Dagster project is here for it to belong to.",
            remedy="Use an absolute path, set DAGSTER_HOME, or run this in the folder of the project.",
        )
    return (root / place).resolve()


def _refuse_odd(path: str, setting: str) -> None:
    """Raises `PermanentError` for a path that this system would take literally and a person would not."""
    if not path.isprintable():
        raise PermanentError(f"{setting} holds a line break or another control character.", remedy="Set it again.")
    if _VARIABLE.search(path):
        raise PermanentError(
            f"{setting}={path!r} holds a variable that nothing has replaced.", remedy="Write its value out."
        )
    if _WINDOWS.match(path) or "\\" in path:
        raise PermanentError(
            f"{setting}={path!r} is a path of Windows.", remedy="Use one of this system, such as /srv/lake."
        )


def _is_project(folder: Path) -> bool:
    if (folder / _INSTANCE).is_file():
        return True
    about = folder / "pyproject.toml"
    return about.is_file() and "[tool.dg" in about.read_text(encoding="utf-8", errors="replace")
