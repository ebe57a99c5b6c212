"""Keys are nowhere afterwards, whatever vendors say: not in what is written, and not in what people are told.

Written are the lake, its quarantine, the ledger, Dagster's storages and the logs and outputs of runs; told are the words of a sensor, alerts that
arrived and the doctor's report. Every credential is a mark found nowhere else, and the vendors repeat it in every response, refusal, redirect,
crash and cut connection.
"""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics_assets.sandbox.options import Options
from analytics_assets_tests.integration.echo import CUT, FAULTS, FINE, EchoingVendors
from analytics_assets_tests.integration.echoed_run import LONGEST_S, MANNERS, NOW
from analytics_assets_tests.integration.everywhere import found
from analytics_assets_tests.integration.server import served
from analytics_assets_tests.operations.alerts.receivers import Receiver

pytestmark = pytest.mark.proof(4)

ROOT = Path(__file__).parents[2]
# With letters that addresses, JSON and base64 write otherwise; the mark itself is the same in all but base64.
KEYS = {
    "BENTO_PUBLISHABLE_KEY": 'pk_MARKPUBLISHABLE71/+"&x',
    "BENTO_SECRET_KEY": 'sk_MARKSECRET72/+"&x',
    "BENTO_SITE_UUID": "MARKSITE73-0000-4000-8000-a/b",
    "STATSIG_CONSOLE_KEY": 'console-MARKCONSOLE74/+"&x',
    "AIRBRIDGE_API_TOKEN": 'MARKTOKEN75/+"&x',
}
# The doctor's accounts name variables of their own.
DOCTORS = dict(
    zip(("SHOP_PUBLISHABLE", "SHOP_SECRET", "SHOP_SITE", "LAB_KEY", "APP_TOKEN"), KEYS.values(), strict=True)
)
HOOK, DOWN = "MARKHOOK76", "MARKDOWN77"
PLAIN = [
    *(b"MARKPUBLISHABLE71", b"MARKSECRET72", b"MARKSITE73", b"MARKCONSOLE74", b"MARKTOKEN75"),
    *(HOOK.encode(), DOWN.encode()),
]
TABLES = {
    *("ads_raw", "ads_attribution", "ads_totals", "ads_chart", "audience_raw", "audience_counts", "values_raw"),
    *("metric_values", "listing_raw", "revenue_raw", "revenue_cohorts", "revenue_cohort_totals", "catalog"),
    *("revenue_restatements", "revenue_tasks"),
}


def packed(mark: bytes) -> list[bytes]:
    """The letters of a mark in base64, whatever stands before it."""
    return [base64.b64encode(b"\0" * before + mark)[4 if before else 0 : -4] for before in range(3)]


MARKS = [*PLAIN, *(form for mark in PLAIN for form in packed(mark))]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EchoingVendors, list[dict[str, Any]]]:
    """A folder with everything a live process has written or sent to people, the vendors it asked, and what it says of its runs."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "dagster").mkdir()
    vendors = EchoingVendors(Options(now=lambda: NOW, task_seconds=0))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}  # noqa: TID251
    ours = {
        "ANALYTICS_MODE": "live",
        "ANALYTICS_BUDGET": "off",
        "ANALYTICS_LAKE": str(folder / "lake"),
        "ANALYTICS_STATE": f"sqlite:///{folder}/state.db",
        "OPS_DOWN": f"json://127.0.0.1:1/{DOWN}",
        "PYTHONPATH": str(ROOT),
    }
    receiver = Receiver()
    module = "analytics_assets_tests.integration.echoed_run"
    with (
        served(vendors) as url,
        receiver.listening(),
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
    ):
        ours["OPS_HOOK"] = f"json://127.0.0.1:{receiver.port}/{HOOK}"
        subprocess.run(
            [sys.executable, "-m", module, url, str(folder / "dagster")],
            env={**kept, **KEYS, **DOCTORS, **ours},
            cwd=ROOT,
            stdout=out,
            stderr=err,
            timeout=LONGEST_S + 30,
            check=True,
        )
    (folder / "alerts.json").write_text(json.dumps(receiver.posts))
    told = [json.loads(line) for line in (folder / "out").read_text().splitlines() if line.startswith('{"manner"')]
    return folder, vendors, told


def test_no_key_is_anywhere_after_vendors_have_repeated_it_in_every_way(written) -> None:
    """Plain, unpacked from Parquet, SQLite and zlib, and in base64; the process ran to its end in each manner."""
    folder, vendors, told = written
    assert [run["manner"] for run in told] == list(MANNERS)
    assert [run["success"] for run in told] == [manner == FINE for manner in MANNERS]
    assert set(told[0]["landed"]) == TABLES
    assert all(run["landed"] == ["revenue_tasks"] for run in told[1:])
    asked = {(manner, vendor) for manner in MANNERS for vendor in ("bento", "statsig", "airbridge")}
    assert set(vendors.seen) == asked
    assert {cut.split("/")[4] for cut in vendors.cut} == {"bento", "statsig", "airbridge"}
    assert found(folder, MARKS) == {mark.decode(): set() for mark in MARKS}


def test_what_vendors_repeated_is_kept_without_the_keys(written) -> None:
    """The search looks where the answers are: raw tables, quarantine, state, event log and output show the place of each key."""
    folder, _, _ = written
    places = found(folder, [b"[redacted]"])["[redacted]"]
    kinds = {place.split("/")[0] for place in places}
    # The doctor repeats what vendors say of a refusal or a crash; of the other responses it has words of its own.
    patients = {f"patient_{manner}" for manner in ("refused", "unknown", "invalid", "broken")}
    assert kinds >= {"lake", "state.db", "dagster", "out", "err", "alerts.json", *patients}
    assert any("/compute_logs/" in place for place in places)
    raw = {place.split("/")[2] for place in places if place.startswith("lake/") and place.endswith(".parquet")}
    assert {"ads_raw", "audience_raw", "values_raw", "listing_raw"} <= raw
    assert any(place.startswith("lake/_quarantine/") for place in places)


def test_the_sensor_the_alerts_and_the_doctor_have_met_every_manner(written) -> None:
    """A look at the task of each, a message of each cause, and a verdict over each account; one destination never takes a message."""
    folder, _, told = written
    seen = {run["manner"]: run["tick"] for run in told}
    assert [manner for manner, words in seen.items() if "Open report requests:" not in words] == []
    # The run has requested Bento's counts before the doctor, who is the second to ask and so refused, not cut.
    verdicts = {FINE: {"ok"}, "throttled": {"warning"}, "broken": {"warning"}, CUT: {"warning", "wrong"}}
    assert {run["manner"]: set(run["doctor"].values()) for run in told} == {
        manner: verdicts.get(manner, {"wrong"}) for manner in MANNERS
    }
    assert [run["manner"] for run in told[1:] if "OPS_DOWN: " not in run["alerts"]] == []
    assert len(json.loads((folder / "alerts.json").read_text())) >= len(FAULTS)


def test_the_search_finds_a_mark_wherever_it_is(tmp_path: Path) -> None:
    """In a file's bytes or name, packed in Parquet or in its footer, in a row of SQLite, and in what is packed there."""
    mark = b"MARKSECRET72"
    (tmp_path / "plain.txt").write_bytes(b"\xff" + mark)
    (tmp_path / f"{mark.decode()}.txt").write_bytes(b"")
    pq.write_table(pa.table({"a": [mark.decode()] * 100}), tmp_path / "rows.parquet", compression="zstd")
    schema = pa.schema([pa.field("a", pa.int64())], metadata={b"k": mark})
    pq.write_table(pa.table({"a": [1]}, schema=schema), tmp_path / "footer.parquet")
    with closing(sqlite3.connect(tmp_path / "data.db")) as database, database:
        database.execute("create table t (a, b)")
        database.execute("insert into t values (?, ?)", (1, zlib.compress(mark * 3)))
    (tmp_path / "nothing.txt").write_bytes(b"MARKSECRET7")
    wanted = {"plain.txt", f"{mark.decode()}.txt", "rows.parquet", "footer.parquet", "data.db"}
    assert found(tmp_path, [mark]) == {mark.decode(): wanted}
