"""The job `housekeeping` over the hand-made account: raw days go where nothing needs them, and say so; leftovers go; settings turn it off."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.job_base import RepoBackedJob
from dagster._core.execution.api import execute_run

from analytics_assets.clock import utc_now
from analytics_assets.errors import Evidence, TransientError
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.store import Lake
from analytics_assets.state.ledger import Ledger
from analytics_assets.upkeep.housekeeping import housekeeping, raw_tables
from analytics_assets.upkeep.raw import OldDay, Raw, due
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, RAW, SUMS, days
from analytics_assets_tests.shop import Shop, span, table_key

MARCH = days(6)
LATER = NOW + timedelta(days=40)
SHOP_TABLES = {("shop", table.name): table for table in (RAW, NUMBERS, SUMS)}
NO_COPIES = {"written": 0, "equal": 0, "removed": 0, "files": 0, "bytes": 0}
SHOP_RAW = Raw("shop", "numbers_raw", (("shop", "numbers"), ("shop", "sums")))


@pytest.fixture
def empty_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The account before its first run; raw is kept for 30 days."""
    monkeypatch.setenv("ANALYTICS_STATE", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.setenv("ANALYTICS_KEEP_RAW_DAYS", "30")
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Shop(tmp_path / "lake", instance)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """The account with two days, of a time ago."""
    empty_shop.run(span("01", "02"))
    return empty_shop


def keep_house(shop: Shop, now: datetime = LATER, assets: Sequence[dg.AssetSpec] = ()) -> dict[str, dict[str, Any]]:
    """Runs the job, beside assets of a user's own; returns what each of its steps says."""
    job, _ = housekeeping("0 0 * * *", lambda: now, lambda: SHOP_TABLES, is_on=False)
    definitions = dg.Definitions.merge(shop.definitions(), dg.Definitions(jobs=[job], assets=assets))
    repository = definitions.get_repository_def()
    run = shop.instance.create_run_for_job(job_def=repository.get_job("housekeeping"))
    execute_run(RepoBackedJob("housekeeping", repository), run, shop.instance, raise_on_error=True)
    said = {}
    for log in shop.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT):
        assert log.dagster_event is not None
        metadata = log.dagster_event.step_output_data.metadata
        said[str(log.step_key)] = {name: value.value for name, value in metadata.items()}
    return said


def footers(shop: Shop, table: str = "numbers_raw") -> dict[str, tuple[int, Footer]]:
    """Of each day the rows of its file and what it says."""
    found = {}
    for day in shop.lake.days("shop", table):
        landed = shop.lake.landed("shop", table, day)
        assert landed is not None
        assert pq.read_metadata(landed.path).num_rows == landed.rows
        found[f"{day:%d}"] = (landed.rows, landed.footer)
    return found


def test_old_raw_days_are_emptied_where_nothing_needs_them(shop: Shop) -> None:
    """Not a day whose typed table is gone, nor one that is red, nor one a report task is to land; the files say what they held."""
    shop.run(span("03", "06"))
    shop.vendor.answers = {MARCH[1]: TransientError("Later.")}
    shop.run(span("02", "02"))
    Path(shop.lake.path("shop", "sums", MARCH[2])).unlink()
    Ledger(f"sqlite:///{shop.folder.parent}/state.db").join_or_open(
        "shop", "any", "spec", [MARCH[3]], longest=1, now=NOW
    )
    Path(shop.lake.path("shop", "numbers", MARCH[4])).write_bytes(b"no Parquet")
    before, squares = footers(shop), {table: shop.statuses(table) for table in ("numbers_raw", "numbers", "sums")}

    said = keep_house(shop)["raw_answers"]

    emptied = {"emptied_at": LATER, "emptied_rows": 1}
    expected = {
        day: (0, Footer(**{**_fields(footer), **emptied})) if day in {"01", "06"} else (rows, footer)
        for day, (rows, footer) in before.items()
    }
    assert footers(shop) == expected
    assert {table: shop.statuses(table) for table in ("numbers_raw", "numbers", "sums")} == squares
    assert (said["days_emptied"], said["quarantined_answers"]) == (2, 0)
    assert said["stay"].splitlines()[2:] == [
        "- shop/numbers_raw 2026-03-02: the day is red, or something works at it",
        "- shop/numbers_raw 2026-03-03: shop/sums does not stand",
        "- shop/numbers_raw 2026-03-04: the day is red, or something works at it",
        "- shop/numbers_raw 2026-03-05: shop/numbers cannot be read (UnusableFileError)",
    ]
    # The next day finds nothing more to do, but for what stands in the way still.
    assert keep_house(shop, LATER + timedelta(days=1))["raw_answers"]["days_emptied"] == 0


def _fields(footer: Footer) -> dict[str, Any]:
    return {name: getattr(footer, name) for name in Footer.__struct_fields__}


def test_a_day_says_that_its_answers_were_removed_and_is_asked_anew_only_by_a_person(shop: Shop) -> None:
    """The newest materialization says it, typed tables alone are refused in words, and with raw selected the vendor is asked."""
    wanted = dg.AssetRecordsFilter(table_key("numbers_raw"), asset_partitions=["2026-03-01"])
    [before] = shop.instance.fetch_materializations(wanted, limit=5).records
    size = before.asset_materialization.metadata["bytes"].value
    checked = shop.verdicts(shop.look().run_id)
    keep_house(shop)
    # An emptied day stands, is valid, and is no gap.
    assert {key: one.passed for key, one in shop.verdicts(shop.look().run_id).items()} == {
        key: one.passed for key, one in checked.items()
    }
    [after] = shop.instance.fetch_materializations(wanted, limit=5).records
    words = f"1 rows, {size} bytes, removed on 2026-05-11 as ANALYTICS_KEEP_RAW_DAYS says."
    metadata = {**before.asset_materialization.metadata, "answers_removed": dg.MetadataValue.text(words)}
    assert after.asset_materialization == before.asset_materialization.with_metadata(metadata)
    assert (after.storage_id, after.run_id) == (before.storage_id, before.run_id)
    held = footers(shop, "numbers")

    alone = shop.run(span("01", "01"), tables=["numbers", "sums"])

    assert shop.failure(alone) is not None
    assert (
        "2026-03-01: The answers of the day were removed on 2026-05-11, as ANALYTICS_KEEP_RAW_DAYS says; what was made from them stands. "
        "Materialize numbers_raw too, to ask anew."
    ) in str(shop.failure(alone))
    assert footers(shop, "numbers") == held
    asked = len(shop.vendor.asked)
    shop.vendor.requested_at = LATER
    again = shop.run(span("01", "01"))
    assert again.is_success
    assert shop.vendor.asked[asked:] == [MARCH[0]]
    rows, footer = footers(shop)["01"]
    assert (rows, footer.requested_at, footer.emptied_at) == (1, LATER, None)
    # It was asked for a moment ago, so it stays.
    assert keep_house(shop)["raw_answers"]["days_emptied"] == 0


def test_raw_that_a_users_own_asset_is_made_from_stays(shop: Shop) -> None:
    """Nobody knows here what it has read already."""
    own = dg.AssetSpec("rollup", deps=[table_key("numbers_raw")])

    said = keep_house(shop, assets=[own])["raw_answers"]

    assert said["days_emptied"] == 0
    assert said["stay"].splitlines()[2] == "- shop/numbers_raw 2026-03-01: rollup/rollup does not stand"


def test_a_day_asked_for_anew_meanwhile_is_not_emptied(tmp_path: Path) -> None:
    """What was old when it was chosen may be young when its turn comes."""
    lake, row = Lake(str(tmp_path)), {"date": MARCH[0], "part": 0, "body": "1", "requested_at": NOW}
    for table, rows in ((RAW, [row]), (NUMBERS, []), (SUMS, [])):
        lake.land("shop", table, MARCH[0], table.rows(rows), asked="v1", requested_at=NOW)
    [chosen] = due(lake, SHOP_RAW, before=LATER, busy=lambda _days: ())
    assert chosen == OldDay(SHOP_RAW, MARCH[0], 1, chosen.size)
    lake.land("shop", RAW, MARCH[0], RAW.rows([row]), asked="v1", requested_at=LATER)

    assert not lake.empty("shop", "numbers_raw", MARCH[0], before=LATER, now=LATER)
    assert not lake.empty("shop", "numbers_raw", MARCH[1], before=LATER, now=LATER)

    assert lake.read("shop", RAW).num_rows == 1


def test_leftovers_and_old_quarantine_go(empty_shop: Shop) -> None:
    """A file left aside an hour ago, and an answer that could not be used; younger ones stay."""
    folder = empty_shop.folder / "shop" / "numbers"
    aside = [folder / f"_{digit * 32}.tmp" for digit in "ab"]
    folder.mkdir(parents=True)
    for path, age in zip(aside, (timedelta(hours=2), timedelta(minutes=10)), strict=True):
        path.write_bytes(b"half")
        os.utime(path, ((LATER - age).timestamp(),) * 2)
    old, young = (
        empty_shop.lake.quarantine.keep("shop", Evidence("GET /x", body=f"{at}"), seen_at=at)
        for at in (LATER - timedelta(days=31), LATER - timedelta(days=29))
    )

    said = keep_house(empty_shop)

    assert said["leftovers"] == {"files_left_aside_removed": 1, "report_requests_removed": 0}
    assert said["raw_answers"]["quarantined_answers"] == 1
    assert [path.exists() for path in (*aside, Path(old), Path(young))] == [False, True, False, True]


def test_old_runs_go_with_the_job_and_forever_turns_it_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run is of no use for any page once all its days have landed anew; kept for ever, nothing goes."""
    shop.run(span("01", "02"))
    shop.look()
    much_later = utc_now() + timedelta(days=100)
    for name in ("ANALYTICS_KEEP_RUNS_DAYS", "ANALYTICS_KEEP_RAW_DAYS"):
        monkeypatch.setenv(name, "forever")
    assert keep_house(shop, much_later) == {
        "dagster_history": {"removed": "nothing: ANALYTICS_KEEP_RUNS_DAYS is `forever`"},
        "raw_answers": {"removed": "nothing: ANALYTICS_KEEP_RAW_DAYS is `forever`"},
        "leftovers": {"files_left_aside_removed": 0},
        "months": {**NO_COPIES, "copied": "nothing: ANALYTICS_MONTHS_AFTER_DAYS is `never`"},
    }
    monkeypatch.delenv("ANALYTICS_KEEP_RUNS_DAYS")

    # Of the runs so far, the second landed all that stands, and the third has evaluated all checks last; the job's own goes.
    said = keep_house(shop, much_later)["dagster_history"]
    assert [said[name] for name in ("runs_removed", "old_runs_kept", "newest_landings_kept")] == [2, 2, 0]
    assert [run.job_name for run in shop.instance.get_runs()] == ["housekeeping", "checks_daily", "shop_daily"]


def test_months_of_typed_tables_are_copied_when_their_time_has_come(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, and not the raw one; without the setting they go."""
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "40")
    assert keep_house(shop, datetime(2026, 5, 9, tzinfo=UTC))["months"] == {
        **NO_COPIES,
        "next": "2026-03, from 2026-05-10 on",
    }
    copies = [shop.folder / f"_months/shop/{table}/2026-03.parquet" for table in ("numbers", "sums")]

    said = keep_house(shop, datetime(2026, 5, 10, tzinfo=UTC))["months"]

    assert sorted(shop.folder.glob("_months/**/*.parquet")) == copies
    size = sum(path.stat().st_size for path in copies)
    assert said == {**NO_COPIES, "written": 2, "files": 2, "bytes": size, "next": "2026-04, from 2026-06-09 on"}
    assert [pq.read_table(path).to_pylist() for path in copies] == [
        shop.lake.read("shop", table).to_pylist() for table in (NUMBERS, SUMS)
    ]
    equal = keep_house(shop, datetime(2026, 6, 8, tzinfo=UTC))["months"]
    assert equal == {**NO_COPIES, "equal": 2, "files": 2, "bytes": size, "next": "2026-04, from 2026-06-09 on"}
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "never")
    words = "nothing: ANALYTICS_MONTHS_AFTER_DAYS is `never`"
    assert keep_house(shop, LATER)["months"] == {**NO_COPIES, "removed": 2, "copied": words}


def test_a_month_that_cannot_be_copied_fails_the_step_and_names_the_remedy(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person has to mend the day; everything else is done."""
    monkeypatch.setenv("ANALYTICS_MONTHS_AFTER_DAYS", "1")
    Path(shop.lake.path("shop", "sums", MARCH[1])).write_bytes(b"PAR1")

    with pytest.raises(dg.Failure) as failed:
        keep_house(shop)

    assert str(failed.value.description) == (
        "1 months were not copied, for a file of theirs cannot be used; a copy from before stays, and all other months are as they should be. "
        "`analytics-assets lake verify --ask-again` puts such files into the quarantine and asks for their days again.\n"
        "shop/sums 2026-03-02: it cannot be read to its end (Parquet file size is 4 bytes, smaller than the minimum file footer (8 bytes))"
    )
    assert [path.parent.name for path in shop.folder.glob("_months/**/*.parquet")] == ["numbers"]
    assert {name: value.value for name, value in failed.value.metadata.items() if name not in {"bytes", "next"}} == {
        "written": 1,
        "equal": 0,
        "removed": 0,
        "files": 1,
    }


def test_raw_tables_are_those_that_something_is_made_from(tmp_path: Path) -> None:
    """By the layer that an asset's tag names, and what depends on it; readings that nothing is made from stay for ever."""
    shop = Shop(tmp_path, dg.DagsterInstance.ephemeral())
    assert raw_tables(shop.definitions().resolve_asset_graph()) == [
        Raw("shop", "numbers_raw", [("shop", "numbers"), ("shop", "sums")])
    ]
    shop.lake.land("shop", RAW, MARCH[0], RAW.rows([]), asked="v1", requested_at=NOW)

    assert list(due(shop.lake, Raw("shop", "numbers_raw", ()), before=LATER, busy=lambda _days: ())) == []
    assert len(list(due(shop.lake, SHOP_RAW, before=LATER, busy=lambda _days: ()))) == 1
