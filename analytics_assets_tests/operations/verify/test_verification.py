"""The lake and Dagster's record side by side."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import dagster as dg
import msgspec
import pytest

from analytics_assets.errors import PermanentError
from analytics_assets.lake.files import Files
from analytics_assets.operations.verify.repairs import record_files
from analytics_assets.operations.verify.verification import ProblemKind
from analytics_assets.orchestration.asset_specs import materialization
from analytics_assets.orchestration.lake_binding import StateConfirmations
from analytics_assets_tests.lake.vendor import NOW, NUMBERS, Vendor, days
from analytics_assets_tests.operations.verify.scene import file, names, problem_rows, scope, verify
from analytics_assets_tests.shop import Shop, span, table_key

FIRST, SECOND, THIRD = days(3)


def test_a_lake_whose_days_are_recorded_is_well(shop: Shop) -> None:
    """Every file is read and counted."""
    result = verify(shop)
    standing = [shop.lake.stored_day("shop", table, day) for _, table in scope(shop).selected for day in days(3)]
    assert (result.problems, result.files, sorted(result.days)) == ([], 9, days(3))
    assert result.size == sum(problem.size for problem in standing if problem)


def test_each_disagreement_is_told_once_with_what_to_do(shop: Shop) -> None:
    """Damaged, missing, landed without a record, landed otherwise than recorded."""
    file(shop, "numbers_raw", FIRST).write_bytes(b"PAR1")
    file(shop, "numbers", SECOND).unlink()
    shop.lake.store_day("shop", NUMBERS, date(2026, 3, 7), NUMBERS.rows([]))
    shop.lake.store_day("shop", NUMBERS, THIRD, NUMBERS.rows([]))
    result = verify(shop)
    assert problem_rows(result) == [
        ("numbers_raw", "01", "damaged"),
        ("numbers", "02", "missing"),
        ("numbers", "03", "recorded otherwise"),
        ("numbers", "07", "not recorded"),
    ]
    assert [problem.remedy for problem in result.problems] == [
        "load the day again: the file moves to the quarantine",
        "load the day again",
        "`analytics-assets lake verify --record-again` records the stored file; materialize the day to load it again",
        "`analytics-assets lake verify --record-again` records the stored file",
    ]


def test_only_what_is_chosen_is_looked_at(shop: Shop) -> None:
    """By table and by day, in the lake and in the record."""
    for table in ("numbers_raw", "numbers"):
        for day in days(3):
            file(shop, table, day).unlink()
    assert problem_rows(verify(shop, selected=names(["numbers"]), first=SECOND, last=SECOND)) == [
        ("numbers", "02", "missing")
    ]


def test_a_day_that_failed_after_it_had_landed_is_well(shop: Shop) -> None:
    """It is red in Dagster, and what stood there stays."""
    shop.vendor = Vendor({SECOND: PermanentError("refused")})
    assert shop.run(span("01", "03")).status == dg.DagsterRunStatus.FAILURE
    assert shop.statuses("numbers")["02"] == "FAILED"
    assert problem_rows(verify(shop)) == []


def test_a_lake_from_a_backup_is_recorded_where_dagster_knows_nothing(shop: Shop, tmp_path: Path) -> None:
    """Each file becomes a materialization with its data version, and the partitions are green; nothing is asked or written."""
    (tmp_path / "new").mkdir()
    before = {path: path.read_bytes() for path in sorted((tmp_path / "lake").rglob("*.parquet"))}
    with dg.DagsterInstance.local_temp(str(tmp_path / "new")) as instance:
        restored = Shop(tmp_path / "lake", instance)
        result = verify(restored)
        assert {problem.kind for problem in result.problems} == {ProblemKind.UNRECORDED}
        assert len(list(record_files(scope(restored), result.problems))) == 9
        assert verify(restored).problems == []
        assert restored.statuses("sums") == shop.statuses("sums") == dict.fromkeys(("01", "02", "03"), "MATERIALIZED")
        event = instance.get_latest_data_version_record(table_key("sums"), partition_key="2026-03-02")
    assert event is not None
    made = event.asset_materialization
    standing = shop.lake.stored_day("shop", "sums", SECOND)
    assert made is not None
    assert standing is not None
    assert made.metadata["recorded"].value == "from the stored file"
    assert (made.tags or {})["dagster/data_version"] == standing.footer.content_hash
    assert {path: path.read_bytes() for path in sorted((tmp_path / "lake").rglob("*.parquet"))} == before


def test_a_raw_day_is_recorded_with_the_instant_of_its_last_request(shop: Shop, tmp_path: Path) -> None:
    """Its file is of an earlier problem."""
    lake, later = shop.lake, NOW + timedelta(hours=1)
    stored = lake.stored_day("shop", "numbers_raw", SECOND)
    assert stored is not None
    lake.confirmations = confirmations = StateConfirmations(lake.files, f"sqlite:///{tmp_path}/state.db")
    confirmations.write("shop", "numbers_raw", SECOND, msgspec.structs.replace(stored.footer, requested_at=later))
    (tmp_path / "new").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "new")) as instance:
        restored = Shop(tmp_path / "lake", instance)
        result = verify(restored, lake=lake, selected=names(["numbers_raw"]))
        assert len(list(record_files(scope(restored, lake=lake), result.problems))) == 3
        records = instance.fetch_materializations(table_key("numbers_raw"), limit=3).records
    shown = {
        record.partition_key: record.asset_materialization.metadata["requested_at"].value
        for record in records
        if record.asset_materialization is not None
    }
    assert shown == {str(day): (later if day == SECOND else NOW).timestamp() for day in (FIRST, SECOND, THIRD)}


def test_of_a_snapshot_the_last_reading_alone_is_in_the_record(shop: Shop) -> None:
    """Readings before it have no record of their own, and none is missed; a table never recorded is told by its newest file."""
    snapshots = {"daily": frozenset(names(["numbers_raw", "numbers"])), "selected": names(["sums"])}
    result = verify(shop, **snapshots)
    assert problem_rows(result) == [("sums", "03", "not recorded")]
    assert [problem.day for problem in record_files(scope(shop, **snapshots), result.problems)] == [THIRD]
    assert problem_rows(verify(shop, **snapshots)) == []
    file(shop, "sums", FIRST).unlink()
    assert problem_rows(verify(shop, **snapshots)) == []
    file(shop, "sums", THIRD).unlink()
    [lost] = verify(shop, **snapshots).problems
    assert (lost.day, lost.kind, "only a back-up has that day" in lost.remedy) == (THIRD, ProblemKind.MISSING, True)


def test_a_lake_of_the_other_mode_is_refused_and_a_few_such_files_are_told(shop: Shop) -> None:
    """A wrong setting must not put a whole lake into the quarantine."""
    with pytest.raises(PermanentError, match=r"Every file of .*: it holds live numbers, and ANALYTICS_MODE is sandbox"):
        verify(shop, is_sandbox=True)
    file(shop, "sums", FIRST).unlink()
    content = shop.lake.read("shop", scope(shop).tables["shop", "sums"], [SECOND])
    file(shop, "sums", SECOND).unlink()
    shop.lake.store_day("shop", scope(shop).tables["shop", "sums"], SECOND, content, is_sandbox=True)
    assert problem_rows(verify(shop)) == [("sums", "01", "missing"), ("sums", "02", "of the other mode")]


class Busy(Files):
    """Files of which one changes as soon as it has been read."""

    def __init__(self, root: str, of: Path, then: Callable[[], None]) -> None:
        super().__init__(root)
        self._of, self._then = str(of), [then]

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[bytes]]:
        """The file, and then the change, once."""
        with super().opened(path) as file:
            yield file
        if path == self._of and self._then:
            self._then.pop()()


def test_a_day_that_lands_while_the_lake_is_read_is_not_told(shop: Shop) -> None:
    """What differs is read once more, the file and the record."""

    def landing() -> None:
        stored = shop.lake.store_day("shop", NUMBERS, SECOND, NUMBERS.rows([]))
        shop.instance.report_runless_asset_event(
            materialization(table_key("numbers"), stored, {}, partition="2026-03-02", requested_at=None)
        )

    lake = shop.lake
    lake.files = Busy(lake.root, file(shop, "numbers", SECOND), landing)
    assert verify(shop, lake=lake).problems == []
    landing_seen = shop.lake.stored_day("shop", "numbers", SECOND)
    assert landing_seen is not None
    assert landing_seen.rows == 0
