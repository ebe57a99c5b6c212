"""Files of a lake that are not what they should be, one kind of damage after the other; in a folder, and behind fsspec."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from analytics_assets.lake.content import content_hash
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.parquet import parquet
from analytics_assets.lake.store import Lake
from analytics_assets.lake.table import Column
from analytics_assets.operations.verify.files import DamagedError, ForeignError, examine_file, inventory
from analytics_assets_tests.lake.sample import DAY, NEXT, TABLE, land, row

NAME = ("airbridge", TABLE.name)


def planted(lake: Lake, content: pa.Table, **said: Any) -> None:
    """Puts a file in the place of the day, with a footer that says what a lake's would, or something else."""
    footer = {"content_hash": "", **said}
    body = parquet(content, {b"analytics_assets": msgspec.json.encode(Footer(**footer))})
    lake.files.put(lake.path("airbridge", TABLE.name, DAY), body)


def nullable(content: pa.Table) -> pa.Table:
    """The rows, written by somebody who takes null anywhere."""
    return content.cast(pa.schema([field.with_nullable(nullable=True) for field in content.schema]))


def without(name: str) -> pa.Table:
    """A day without a column."""
    return TABLE.rows([row()]).drop_columns([name])


DAMAGES: dict[str, tuple[Callable[[Lake], None], str]] = {
    "rows of another day": (
        lambda lake: planted(lake, TABLE.rows([row(date=NEXT)])),
        "its rows are not valid: revenue: rows belong to 2026-03-02",
    ),
    "a key twice": (
        lambda lake: planted(lake, TABLE.rows([row(), row(clicks=8)])),
        "its rows are not valid: revenue: 1 keys occur more than once, the first is campaign='spring', country='KR'",
    ),
    "nothing where something has to be": (
        lambda lake: planted(lake, nullable(TABLE.rows([row(campaign=None)]))),
        "its rows are not valid: revenue: column campaign has no value in 1 of 1 rows",
    ),
    "another type": (
        lambda lake: planted(lake, without("clicks").append_column("clicks", pa.array(["7"]))),
        "columns are of other types than its table declares: clicks is string and not int64",
    ),
    "a column nobody declares": (
        lambda lake: planted(lake, TABLE.rows([row()]).append_column("colour", pa.array(["red"]))),
        "columns are not declared by its table: colour",
    ),
    "a part of the key missing": (
        lambda lake: planted(lake, without("country")),
        "key columns are missing: country",
    ),
    "other content than its hash": (
        lambda lake: planted(lake, TABLE.rows([row()]), content_hash=content_hash(TABLE, TABLE.rows([row(clicks=8)]))),
        "its content does not match its footer: it was changed after it was stored",
    ),
    "no footer of a lake": (
        lambda lake: lake.files.put(lake.path("airbridge", TABLE.name, DAY), parquet(TABLE.rows([row()]))),
        "it was not written by a lake: its footer names no day",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_not_as_declared_is_told_in_words(lake: Lake, damage: str) -> None:
    """Whatever is wrong with it; a whole one beside it is right."""
    land(lake, row(date=NEXT), day=NEXT)
    plant, words = DAMAGES[damage]
    plant(lake)
    with pytest.raises(DamagedError) as caught:
        examine_file(lake, "airbridge", TABLE, DAY, is_sandbox=False)
    assert str(caught.value) == words
    assert examine_file(lake, "airbridge", TABLE, NEXT, is_sandbox=False) == lake.stored_day(*NAME, NEXT)


def test_a_file_that_is_cut_off_anywhere_is_damaged(disk: Lake) -> None:
    """In its footer, in its pages, and to nothing."""
    path = Path(land(disk, row()).path)
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match="it cannot be read to its end"):
            examine_file(disk, "airbridge", TABLE, DAY, is_sandbox=False)


def test_no_byte_of_a_value_can_change_unseen(disk: Lake) -> None:
    """Those of columns that no hash covers neither, such as when a day was read: each page has a checksum."""
    path = Path(land(disk, row()).path)
    whole = path.read_bytes()
    of_footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    unseen = []
    for position in range(4, of_footer):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            result = examine_file(disk, "airbridge", TABLE, DAY, is_sandbox=False)
        except DamagedError:
            continue
        # Sizes and statistics that a page says of itself and nobody needs.
        unseen += [position] if result is None or disk.held(*NAME, DAY).to_pylist() != [row()] else []
    assert unseen == []


def test_an_older_file_may_lack_a_column_that_was_declared_later(disk: Lake) -> None:
    """Its hash is over the columns it has."""
    stored = land(disk, row())
    later = Column("colour", pa.string(), "Of the banner; not null since it is told.")
    columns = [*TABLE.columns[:3], later, *TABLE.columns[3:]]
    table = type(TABLE)(TABLE.name, TABLE.description, columns, TABLE.key)
    assert examine_file(disk, "airbridge", table, DAY, is_sandbox=False) == type(stored)(
        stored.path, 1, stored.size, stored.footer, is_changed=False
    )


def test_numbers_of_the_other_mode_are_no_damage_of_the_file(disk: Lake) -> None:
    """They are told by themselves, because a wrong setting looks the same."""
    land(disk, row())
    with pytest.raises(ForeignError) as caught:
        examine_file(disk, "airbridge", TABLE, DAY, is_sandbox=True)
    assert str(caught.value) == "it holds live numbers, and ANALYTICS_MODE is sandbox"


def test_whatever_is_in_a_lake_is_listed_as_what_it_is(lake: Lake) -> None:
    """Days of declared tables, strangers, leftovers, the quarantine; nothing is left out and nothing is read."""
    land(lake, row())
    land(lake, row(date=NEXT), day=NEXT)
    far = DAY + timedelta(days=40)
    land(lake, row(date=far), day=far)
    others = {
        "strangers": [
            "airbridge/other/dt=2026-03-01/data.parquet",
            "airbridge/revenue/dt=2026-02-30/data.parquet",
            "airbridge/revenue/dt=2026-03-01/data.parquet.bak",
            "notes.txt",
        ],
        "leftovers": [f"airbridge/revenue/dt=2026-03-01/_{'a' * 32}.tmp", f"_probe_{'b' * 32}"],
        "quarantined": ["_quarantine/airbridge/answer.txt"],
        "not tables": ["_lake.json", "_months/airbridge/revenue/2026-03.parquet"],
    }
    for name in (name for names in others.values() for name in names):
        lake.files.put(f"{lake.root}/{name}", b"")
    result = inventory(lake, {NAME: TABLE, ("airbridge", "empty"): TABLE})
    assert dict(result.days) == {NAME: [DAY, NEXT, far], ("airbridge", "empty"): []}
    assert (result.strangers, result.leftovers, result.quarantined) == (
        sorted(others["strangers"]),
        sorted(others["leftovers"]),
        1,
    )
