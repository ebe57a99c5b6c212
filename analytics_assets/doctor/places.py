"""The lake and the state database: where they are, whether they can be used, and whether invented and real numbers keep apart.

The newest and the oldest day of each table tell which numbers a lake holds. Keep Dagster's storage out of here (`dagster_home.py`).
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.engine import make_url

from analytics_assets.doctor.line import Line
from analytics_assets.lake.files import address
from analytics_assets.lake.store import Lake, refuse_other_mode
from analytics_assets.settings import Settings
from analytics_assets.state.database import engine, schema_version


def writable(chosen: Settings) -> Iterator[Line]:
    """Whether days can be put into the lake."""
    Lake(chosen.lake).files.probe()
    yield Line("lake", "writable", "ok", f"{address(chosen.lake)} can be written")


def unmixed(chosen: Settings, tables: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """Whether what stands, by account and table, is of the mode that is set."""
    lake, count = Lake(chosen.lake), 0
    for account, table in ((account, table) for account, names in tables.items() for table in names):
        days = lake.days(account, table)
        for day in dict.fromkeys([*days[:1], *days[-1:]]):
            if (landed := lake.landed(account, table, day)) is not None:
                refuse_other_mode(landed, is_sandbox=chosen.mode == "sandbox")
        count += bool(days)
    found = f"{chosen.mode} numbers, in {count} of the daily tables" if count else "no day has landed yet"
    yield Line("lake", "mode", "ok", found)


def state(chosen: Settings) -> Iterator[Line]:
    """Whether the state database can be reached, and is of the version that this program knows."""
    with engine(chosen.state).connect().execution_options(is_reading=True) as connection:
        version = connection.execute(select(schema_version.c.version)).scalar_one()
    shown = make_url(chosen.state).render_as_string(hide_password=True)
    yield Line("state", "database", "ok", f"{shown} can be used, schema {version}")
