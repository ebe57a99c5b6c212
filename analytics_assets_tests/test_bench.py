"""The benchmark runs: small works, the ways that need nothing beyond this project's own packages. What it measures is not judged here."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import bare, lake
from bench.__main__ import main, served
from bench.limits import verdicts
from bench.works import AIRBRIDGE, BENTO, STATSIG, Sizes, sizes

ROOT = Path(__file__).parent.parent
# Requests and rows of the small works of `bench/works.py`.
EXPECTED = {
    "bento_year:bare loop": (6, 276),
    "bento_year:dagster": (6, 276),
    "statsig_day:lake": (6, 600),
    "airbridge_cohorts:lake": (4, 210),
}


@pytest.mark.proof(1)
def test_every_way_asks_the_same_and_lands_the_same_rows(tmp_path: Path) -> None:
    """As `make bench` runs it: the file holds one entry a work and way, with what it took."""
    file = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--small", "--runs", "1", "--json", str(file)]
        + [argument for one in EXPECTED for argument in ("--only", one)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    assert {f"{one['work']}:{one['way']}": (one["requests"], one["rows"]) for one in results} == EXPECTED
    assert [one for one in results if min(one["wall_s"], one["cpu_s"], one["peak_mb"]) <= 0] == []


def test_each_limit_stands_beside_its_value() -> None:
    """Only those that the results are enough for; a missed one says so."""
    took = {
        ("bento_year", "bare loop"): (4.0, 150),
        ("bento_year", "lake"): (4.4, 170),
        ("bento_year", "dagster"): (48.2, 300),
        ("bento_month", "lake"): (1.0, 160),
        ("airbridge_cohorts", "lake"): (3.0, 200),
        ("airbridge_cohorts", "dlt"): (2.0, 200),
    }
    results = [{"work": work, "way": way, "wall_s": s, "peak_mb": mb} for (work, way), (s, mb) in took.items()]
    assert [
        str(one).split("  ")[0] + f" {one.value:.4g} {one.limit}" for one in verdicts(results, Sizes(date(2026, 3, 1)))
    ] == [
        "bento_year: without Dagster, times bare loop 1.1 1.15",
        "airbridge_cohorts: without Dagster, times dlt 1.5 1.0",
        "bento_year: ms Dagster adds per asset and day 30 30.0",
        "bento: peak memory of a year, times that of a month 1.062 1.3",
    ]
    assert [str(one).rpartition(" ")[2] for one in verdicts(results[4:], Sizes(date(2026, 3, 1)))] == ["MISSED"]


def test_a_name_that_is_none_is_refused() -> None:
    """Before a server is started."""
    with pytest.raises(SystemExit, match=r"Nothing of that name\."):
        main(["--only", "nothing"])


def test_the_bare_loop_keeps_the_bytes_that_the_lake_keeps(tmp_path: Path) -> None:
    """Neither a byte more nor one less, in each work: so the two can be compared."""
    today = date(2026, 3, 1)
    with served(today, delay_s=0, is_small=True) as url:
        for work in (STATSIG, BENTO, AIRBRIDGE):
            plain, kept = tmp_path / f"{work}_bare", tmp_path / f"{work}_lake"
            bare.run(work, sizes(today, is_small=True), url, plain)
            kept.mkdir()
            lake.run(work, sizes(today, is_small=True), url, kept)
            bodies = _bodies(plain, "raw")
            assert bodies
            assert bodies == _bodies(kept, "lake/*/*_raw"), work


def _bodies(root: Path, tables: str) -> list[bytes]:
    """What is kept as sent below a folder, sorted."""
    files = [pq.ParquetFile(file).read() for file in root.glob(f"{tables}/dt=*/data.parquet")]
    texts = [one["sub_row" if "sub_row" in one.column_names else "body"].cast(pa.large_binary()) for one in files]
    return sorted(body for text in texts for body in text.to_pylist())
