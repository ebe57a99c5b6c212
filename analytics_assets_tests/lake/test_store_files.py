"""Files of the lake: what is listed, what is refused, and what survives writers that are killed or race."""

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analytics_assets.errors import Evidence, LakeError, PermanentError
from analytics_assets.http.response import JsonResponse
from analytics_assets.lake.raw import raw_day, raw_table
from analytics_assets.lake.store import Lake
from analytics_assets_tests.lake.sample import DAY, NEXT, NOON, TABLE, files, land, row


def test_only_days_in_their_own_place_are_listed(lake: Lake) -> None:
    """What a killed writer left, a copy, another tool's folder and another table are no days."""
    stored = land(lake, row())
    folder = f"{lake.root}/airbridge/revenue"
    with lake.files.fs.open(stored.path, "rb") as file:
        content = file.read()
    for name in (
        "dt=2026-03-02/_0123456789abcdef.tmp",
        "dt=2026-03-01/_0123456789abcdef.tmp",
        "dt=20260303/data.parquet",
        "dt=unknown/data.parquet",
        "old/dt=2026-03-04/data.parquet",
        "data.parquet",
        "../revenue_old/dt=2026-03-05/data.parquet",
    ):
        path = f"{folder}/{name}".replace("revenue/../", "")
        lake.files.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        lake.files.put(path, content[: len(content) // 2] if name.endswith(".tmp") else content)
    assert lake.days("airbridge", "revenue") == [DAY]
    assert lake.read("airbridge", TABLE).to_pylist() == [row()]
    assert lake.stored_day("airbridge", "revenue", NEXT) is None
    assert land(lake, row(date=NEXT), day=NEXT).is_changed


def test_days_that_cannot_be_listed_are_told_and_not_taken_for_missing(disk: Lake) -> None:
    """Or they would be requested again."""
    Path(disk.folder("airbridge", "revenue")).parent.mkdir(parents=True)
    Path(disk.folder("airbridge", "revenue")).symlink_to(disk.folder("airbridge", "revenue"))
    with pytest.raises(LakeError, match=r"airbridge/revenue cannot be listed \(Too many levels of symbolic links\)"):
        disk.days("airbridge", "revenue")


def test_a_folder_that_was_moved_within_the_lake_is_listed_through_its_link(disk: Lake) -> None:
    """From the table, and from the root as the verification does."""
    land(disk, row())
    account = Path(disk.root, "airbridge")
    account.rename(account.with_name("large"))
    account.symlink_to("large")
    assert disk.days("airbridge", "revenue") == [DAY] == list(disk.marks("airbridge", "revenue"))
    names = [str(path).removeprefix(f"{disk.root}/") for path in disk.files.under(disk.root)]
    assert sorted(names) == [f"{name}/revenue/dt=2026-03-01/data.parquet" for name in ("airbridge", "large")]


def test_a_write_that_fails_leaves_nothing_behind(disk: Lake) -> None:
    """The day's place is taken by a folder, so the last step fails; the half-made file is taken away again."""
    blocked = Path(disk.path("airbridge", "revenue", DAY))
    (blocked / "in the way").mkdir(parents=True)
    with pytest.raises(PermanentError, match=r"cannot be written \(Is a directory\). Check ANALYTICS_LAKE"):
        disk.files.put(str(blocked), b"content")
    assert list(blocked.parent.iterdir()) == [blocked]


def test_of_many_writers_of_one_day_one_wins_whole(disk: Lake) -> None:
    """Whoever reads meanwhile sees one of the days and never a mixture or half of one."""
    versions = [[row(campaign=f"{letter}{no}", currency=letter) for no in range(200)] for letter in "abcdefgh"]
    start = threading.Barrier(len(versions) + 1)
    land(disk, *versions[0])

    def write(rows: list[dict[str, Any]]) -> None:
        start.wait(10)
        for _ in range(5):
            land(disk, *rows)

    def look() -> list[tuple[int, int]]:
        start.wait(10)
        reads = [disk.read("airbridge", TABLE) for _ in range(30)]
        return [(read.num_rows, len(set(read["currency"].to_pylist()))) for read in reads]

    with ThreadPoolExecutor(len(versions) + 1) as pool:
        writing = [pool.submit(write, version) for version in versions]
        assert set(pool.submit(look).result(60)) == {(200, 1)}
        for written in writing:
            written.result(60)
    left = disk.read("airbridge", TABLE).to_pylist()
    assert left in [sorted(version, key=lambda each: str(each["campaign"])) for version in versions]
    assert files(disk) == ["airbridge/revenue/dt=2026-03-01/data.parquet"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../up", "a/b", "/a", "a/", "a\\b", ".a", "_a", "-a", "a\n", "a\0", "a b", "*", "a?", "[a]", "a.b"],
)
def test_a_name_that_would_leave_the_lake_is_refused(lake: Lake, name: str) -> None:
    """As account, as table and in the quarantine; nothing is written anywhere."""
    table = replace(TABLE, name=name)
    refusals: list[Callable[[], object]] = [
        lambda: lake.store_day(name, TABLE, DAY, TABLE.rows([row()])),
        lambda: lake.store_day("airbridge", table, DAY, TABLE.rows([row()])),
        lambda: lake.stored_day(name, "revenue", DAY),
        lambda: lake.days("airbridge", name),
        lambda: lake.read(name, TABLE),
        lambda: lake.quarantine.keep(name, Evidence("GET /x", body="x"), seen_at=NOON),
    ]
    for refused in refusals:
        with pytest.raises(PermanentError, match="cannot be a folder of the lake"):
            refused()
    assert files(lake) == []


@pytest.mark.parametrize("link", ["airbridge", "airbridge/revenue", "airbridge/revenue/dt=2026-03-01", "_quarantine"])
def test_a_link_that_leads_out_of_the_lake_is_not_followed(tmp_path: Path, link: str) -> None:
    """At any level; the message says what to do, and nothing is written there."""
    lake, outside = Lake(str(tmp_path / "lake")), tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "lake" / link).parent.mkdir(parents=True)
    (tmp_path / "lake" / link).symlink_to(outside)
    kept = partial(lake.quarantine.keep, "airbridge", Evidence("GET /x", body="x"), seen_at=NOON)
    with pytest.raises(PermanentError, match=r"outside of the lake, where a symbolic link leads. Take the link away"):
        kept() if link == "_quarantine" else land(lake, row())
    assert [one for one in outside.rglob("*") if one.is_file()] == []


def test_a_lake_behind_a_link_is_a_lake(tmp_path: Path) -> None:
    """Where the root itself is a link, and where links inside stay inside."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "lake").symlink_to(tmp_path / "disk")
    assert land(Lake(str(tmp_path / "lake")), row()).is_changed
    assert files(Lake(str(tmp_path / "disk"))) == ["airbridge/revenue/dt=2026-03-01/data.parquet"]


def test_names_of_letters_digits_and_dashes_are_taken(lake: Lake) -> None:
    """What a person would call an account."""
    for name in ("bento", "bento-2", "Site_EU", "앱"):
        assert lake.folder(name, "ads") == f"{lake.root}/{name}/ads"


@pytest.mark.parametrize("size", [10, 10**5])
def test_an_answer_as_sent_is_in_its_file_once(lake: Lake, size: int) -> None:
    """Not again as the least and the greatest of its column; small or large, every reader of Parquet reads it back."""
    raw = raw_table("x_raw", "X.", "https://example.com")
    numbers = random.Random(1)
    body = json.dumps([numbers.random() for _ in range(size // 20)])
    answer = JsonResponse("GET /x", "/x", (), 200, body.encode(), NOON, NOON)
    stored = lake.store_day("bento", raw, DAY, raw_day(raw, DAY, [answer]).content)
    assert stored.size < 8192 + len(body) * 2 // 3
    with lake.files.fs.open(stored.path, "rb") as file:
        assert pq.read_table(file)["body"].to_pylist() == [body]


def test_an_answer_in_quarantine_can_be_read_by_a_person(lake: Lake) -> None:
    """The body as it came, under a name that says when and what; an equal answer is kept once, another apart; no table lists them."""
    evidence = Evidence("GET /stats/{kind}?x=../" + "y" * 300, status=200, body="<html>ü\ud800</html>")
    first, again = (lake.quarantine.keep("bento", evidence, seen_at=NOON) for _ in range(2))
    other = lake.quarantine.keep("bento", replace(evidence, body="<html>other</html>"), seen_at=NOON)
    folder, _, name = first.rpartition("/")

    assert (again, other) == (first, first.replace(first[-16:-4], other[-16:-4]))
    assert other != first
    assert folder == lake.files.named(f"{lake.root}/_quarantine/bento")
    assert name.startswith("20260301-GET--stats--kind--x----y")
    assert (len(name) < 255, name.endswith(".txt")) == (True, True)
    with lake.files.fs.open(first, "rb") as file:
        assert file.read().decode() == "<html>ü?</html>"
    assert len(files(lake)) == 2


def test_a_second_process_is_seen_at_once(tmp_path: Path) -> None:
    """A long-lived reader lists what another has stored meanwhile."""
    reader, writer = Lake(str(tmp_path)), Lake(f"file://{tmp_path}")
    assert reader.days("airbridge", "revenue") == []
    land(writer, row())
    assert reader.days("airbridge", "revenue") == [DAY]
    assert reader.files.fs.storage_options["use_listings_cache"] is False
