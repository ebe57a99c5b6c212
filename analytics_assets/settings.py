"""The settings that come from the environment: the one place that reads it.

What is pulled stands in `defs/<account>/defs.yaml`; where it runs stands here. Secrets are read when a client is opened, by the name the
YAML gives, and are nowhere else. The README's table of settings is made from `VARIABLES`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast
from urllib.parse import unquote

from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.places import lake_place, project_root, state_place

Mode = Literal["sandbox", "live"]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_USER = re.compile(r"(?:^|//)([^/]*:[^/]*)@")
# curl, like most programs, lets the lower case win.
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")

VARIABLES: Mapping[str, tuple[str, str]] = {
    "ANALYTICS_MODE": ("sandbox", "`sandbox` runs against simulated vendors, without keys; `live` asks the vendors."),
    "ANALYTICS_LAKE": ("data/<mode>", "Folder or fsspec URL of the lake; a relative path belongs to the project."),
    "ANALYTICS_READER_LAKE": (
        "",
        "Folder or URL of the lake where `growth.duckdb` is opened, if it differs from ANALYTICS_LAKE, as for a mounted disk.",
    ),
    "ANALYTICS_STATE": (
        "sqlite:///data/<mode>.db",
        "SQLAlchemy URL of the database that holds report tasks, budgets and the last requests of unchanged days, one for each lake.",
    ),
    "ANALYTICS_SANDBOX_URL": ("", "Address of a sandbox server; without it the sandbox runs inside each process."),
    "ANALYTICS_START_DATE": (
        "2025-01-01",
        "First day of all daily tables; an account can name a later one, `start_date` in its YAML.",
    ),
    "ANALYTICS_SCHEDULES": (
        "off in sandbox, on in live",
        "`on` or `off`: whether the daily schedules run without being switched on in the UI.",
    ),
    "ANALYTICS_REPOSITORY": (
        "",
        "Address of this checkout's root on the web, such as `https://github.com/acme/growth/blob/main`, for links to code.",
    ),
    "ANALYTICS_BUDGET": (
        "off in sandbox, on in live",
        "`on` or `off`: whether requests wait for the `budget` of their account.",
    ),
    "ANALYTICS_KEEP_RUNS_DAYS": (
        "90",
        "Days after its end that a run stays in Dagster's history, from 7, or `forever`; every day's square and numbers stay longer.",
    ),
}

_PREFIX = "ANALYTICS_"
# The files in `deploy/` read these.
_DEPLOYMENT = ("ANALYTICS_BROKER", "ANALYTICS_CODE_HOST")
# Settings of earlier versions, each with what to do.
_REMOVED = {
    "ANALYTICS_KEEP_RAW_DAYS": "Remove it. Raw tables are kept for ever; docs/upkeep.md says how to delete their old days.",
    "ANALYTICS_MONTHS_AFTER_DAYS": "Remove it. The copies in the lake's folder _months are not updated any more; docs/lake.md has a query that writes one file a month.",
}

# Vendors' keys have 28 characters and more. A shorter value would also be found, and redacted, in ordinary words.
SHORTEST_KEY = 8
# Keys in capitals and digits can look like a name; names of this length have an underscore.
_LONG_NAME = 20
# A failed run is told, and re-executed, within a week.
_LEAST_RUNS_DAYS = 7
_FOREVER = "forever"


@dataclass(frozen=True)
class Settings:
    """Where and how this process runs.

    Attributes:
        mode: True if vendors are simulated or asked.
        lake: Absolute path or fsspec URL of the lake.
        reader_lake: Folder or URL of the lake for readers of the database of views, or None where it is that of the lake.
        state: SQLAlchemy URL of the state database.
        sandbox_url: Address of a sandbox server, or None for the one inside the process.
        start_date: First day of all daily tables.
        schedules_on: True if schedules run by default.
        budget_on: True if requests wait for the budget of their account.
        repository: Address of the checkout's root where its code is read, or None for the files of this machine.
        keep_runs: How long a run stays in Dagster's history after its end, or None for ever.
    """

    mode: Mode
    lake: str
    reader_lake: str | None
    state: str
    sandbox_url: str | None
    start_date: date
    schedules_on: bool
    budget_on: bool
    repository: str | None
    keep_runs: timedelta | None


def settings(environment: Mapping[str, str] | None = None, *, root: Path | None = None) -> Settings:
    """The settings of `environment`, by default the process's own.

    Args:
        environment: The variables.
        root: The folder that relative paths belong to, by default the project's.

    Raises:
        PermanentError: A variable has a value that cannot be used; the message names it.
    """
    variables = os.environ if environment is None else environment
    mode = _mode(variables)
    root = root or project_root(variables.get("DAGSTER_HOME"))
    return Settings(
        mode=cast("Mode", mode),
        lake=lake_place(variables.get("ANALYTICS_LAKE") or f"data/{mode}", root),
        reader_lake=_reader_lake(variables),
        state=state_place(variables.get("ANALYTICS_STATE") or f"sqlite:///data/{mode}.db", root),
        sandbox_url=variables.get("ANALYTICS_SANDBOX_URL") or None,
        start_date=_start_date(variables),
        schedules_on=_is_on(variables, "ANALYTICS_SCHEDULES", mode),
        budget_on=_is_on(variables, "ANALYTICS_BUDGET", mode),
        repository=_repository(variables),
        keep_runs=_keep_runs(variables),
    )


def unknown_variables(used: str) -> Iterator[tuple[str, str, str]]:
    """Each ANALYTICS_ variable of the environment that has no effect: its name, why, and what to do.

    Args:
        used: Text of all files that may name a variable of their own.
    """
    known_names = [*VARIABLES, *_DEPLOYMENT]
    named = set(re.findall(r"\w+", used))
    suffixes = [name.removeprefix(_PREFIX) for name in VARIABLES]
    for name in sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in {*known_names, *named}):
        if name in _REMOVED:
            yield name, "this setting of an earlier version has no effect", _REMOVED[name]
            continue
        # The common prefix would make all names alike.
        close = get_close_matches(name.removeprefix(_PREFIX).upper(), suffixes, n=1, cutoff=0.7)
        remedy = (
            f"Remove it, or rename it if you mean {_PREFIX}{close[0]}."
            if close
            else "Remove it. README.md has all settings."
        )
        yield name, "no setting has this name, so it has no effect", remedy


def secret(
    variable: str,
    environment: Mapping[str, str] | None = None,
    *,
    advice: str | None = None,
) -> str:
    """The value of a variable that holds a key; `advice` says why it has to be set.

    Raises:
        AccessRefusedError: It is not set; the message names it, unless it looks like the key itself.
    """
    return secrets(variable, environment=environment, advice=advice)[0]


def secrets(*variables: str, environment: Mapping[str, str] | None = None, advice: str | None = None) -> list[str]:
    """The values of variables that hold keys, without the blanks and lines around them.

    Raises:
        AccessRefusedError: Some are not set, hold a control character, or are shorter than `SHORTEST_KEY`; the message names the
            variables, unless one looks like the key itself.
    """
    if not all(is_variable(name) for name in variables):
        raise AccessRefusedError(
            "The YAML holds something else than the name of an environment variable where a key's variable belongs.",
            remedy="Write the name there, such as BENTO_SECRET_KEY.",
        )
    environment_values = os.environ if environment is None else environment
    values = {name: environment_values.get(name, "").strip() for name in variables}
    if missing := [name for name, value in values.items() if not value]:
        named = f"variable {missing[0]} is" if len(missing) == 1 else f"variables {', '.join(missing)} are"
        needed = f"Live mode needs {'it' if len(missing) == 1 else 'them'}; ANALYTICS_MODE=sandbox needs no key."
        raise AccessRefusedError(f"The environment {named} not set.", remedy=advice or needed)
    if broken := [name for name, value in values.items() if not value.isprintable()]:
        raise AccessRefusedError(
            f"{broken[0]} holds more than a key: a line break or another control character.", remedy="Set it anew."
        )
    if short := [name for name, value in values.items() if len(value) < SHORTEST_KEY]:
        raise AccessRefusedError(
            f"{', '.join(short)}: the value is shorter than {SHORTEST_KEY} characters, so it is only a part of a key.",
            remedy="Copy the whole key.",
        )
    return [values[name] for name in variables]


def mode() -> Mode:
    """Whether vendors are simulated; of all settings this one alone is read.

    Raises:
        PermanentError: ANALYTICS_MODE has a value that cannot be used.
    """
    return cast("Mode", _mode(os.environ))


def dagster_home() -> str | None:
    """The folder of Dagster's instance, which Dagster reads by itself; None where none is set."""
    return os.environ.get("DAGSTER_HOME") or None


def project() -> Path | None:
    """The folder that relative paths belong to; None where there is no project."""
    return project_root(dagster_home())


def passwords() -> list[str]:
    """User and password in the addresses of the lake, the state database and the proxy: together, and the password alone."""
    addresses = [os.environ.get(name, "") for name in ("ANALYTICS_LAKE", "ANALYTICS_STATE", *_PROXIES)]
    users = [user for address in addresses for user in _USER.findall(address)]
    return [text for user in users for text in {user, user.partition(":")[2], unquote(user.partition(":")[2])} if text]


def proxy_for(host: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Address of the proxy for https requests to `host`, with user and password if it has any; None for a direct connection.

    HTTPS_PROXY, else ALL_PROXY, in either case. This machine and the hosts in NO_PROXY are reached directly.
    """
    variables = os.environ if environment is None else environment
    excluded = re.split(r"[,\s]+", (variables.get("no_proxy") or variables.get("NO_PROXY") or "").lower())
    names = [entry.removeprefix("*.").removeprefix(".").removesuffix(":443") for entry in excluded if entry]
    if host in LOOPBACK or "*" in names or any(host == name or host.endswith(f".{name}") for name in names):
        return None
    return next((value for name in _PROXIES if (value := variables.get(name, "").strip())), None)


def certificate_paths(environment: Mapping[str, str] | None = None) -> tuple[str | None, str | None]:
    """SSL_CERT_FILE and SSL_CERT_DIR: what is trusted in place of the authorities that come with the program."""
    variables = os.environ if environment is None else environment
    return variables.get("SSL_CERT_FILE") or None, variables.get("SSL_CERT_DIR") or None


def is_set(name: str) -> bool:
    """True if the environment has the variable, even an empty one."""
    return name in os.environ


def is_variable(name: str) -> bool:
    """True if `name` looks like the name of an environment variable and not like a key."""
    return re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) is not None and ("_" in name or len(name) < _LONG_NAME)


def _mode(variables: Mapping[str, str]) -> str:
    return _one_of(variables, "ANALYTICS_MODE", ("sandbox", "live"), "sandbox")


def _is_on(variables: Mapping[str, str], name: str, mode: str) -> bool:
    return _one_of(variables, name, ("on", "off"), "on" if mode == "live" else "off") == "on"


def _one_of(variables: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = variables.get(name) or default
    if value not in allowed:
        raise PermanentError(f"{name}={value!r} is not known.", remedy=f"Use {' or '.join(allowed)}.")
    return value


def _start_date(variables: Mapping[str, str]) -> date:
    value = variables.get("ANALYTICS_START_DATE") or VARIABLES["ANALYTICS_START_DATE"][0]
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise PermanentError(
            f"ANALYTICS_START_DATE={value!r} is not a date.", remedy="Write it as 2025-01-01."
        ) from error


def _keep_runs(variables: Mapping[str, str]) -> timedelta | None:
    value = variables.get("ANALYTICS_KEEP_RUNS_DAYS") or VARIABLES["ANALYTICS_KEEP_RUNS_DAYS"][0]
    if value == _FOREVER:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) < _LEAST_RUNS_DAYS:
        raise PermanentError(
            f"ANALYTICS_KEEP_RUNS_DAYS={value!r} is not a number of days.",
            remedy=f"Use {_LEAST_RUNS_DAYS} or more, or {_FOREVER}.",
        )
    return timedelta(days=int(value))


def _reader_lake(variables: Mapping[str, str]) -> str | None:
    value = (variables.get("ANALYTICS_READER_LAKE") or "").strip()
    if _USER.search(value) or not value.isprintable():
        raise PermanentError(
            "ANALYTICS_READER_LAKE holds a password or a control character, and the database would show it.",
            remedy="Write the folder or bucket only, such as /mnt/lake or s3://bucket/lake. Readers use their own credentials.",
        )
    return value.rstrip("/\\") or None


def _repository(variables: Mapping[str, str]) -> str | None:
    value = variables.get("ANALYTICS_REPOSITORY")
    if value and not re.fullmatch(r"https?://[^\s@]+", value):
        raise PermanentError(
            "ANALYTICS_REPOSITORY is no address of a web page.",
            remedy="Write it as https://github.com/acme/growth/blob/main.",
        )
    return value or None
