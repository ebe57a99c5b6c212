"""How `make demo` and `make dev` end before their end: stopped by a person, or not begun because something is at work already."""

import fcntl
import shutil
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from analytics_assets.cli.demo import check_lake, main, stale_days
from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.lake_binding import StateConfirmations
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets_tests.lake.vendor import NUMBERS, RAW
from analytics_assets_tests.prerequisites import skip_or_fail
from analytics_assets_tests.production.parts import patient


def test_of_two_demos_in_a_folder_the_second_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both would write to one lake and one history; what the first has said stays."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "data/demo.log"
    log.parent.mkdir()
    with log.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        print("of the first", file=held, flush=True)
        with pytest.raises(SystemExit) as caught:
            main()
    assert caught.value.code == (
        f"Another demo is at work in {tmp_path}: wait for its end or stop it, then `make demo` again."
    )
    assert log.read_text() == "of the first\n"


def test_a_demo_that_is_interrupted_says_so_and_leaves_no_process(tmp_path: Path) -> None:
    """What it starts holds its log, so a log that can be had again is held by nobody."""
    with subprocess.Popen(
        [sys.executable, "-m", "analytics_assets.cli.demo"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert "Sandbox ready" in demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        _, err = demo.communicate(timeout=60)
    assert (demo.returncode, err) == (
        130,
        "Stopped: Dagster and the sandbox have ended. What is stored stays; `make demo` starts over.\n",
    )
    with (tmp_path / "data/demo.log").open() as log:
        # A process that was killed just now may still be on its way out.
        patient(lambda: fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB) is None, "the log", seconds=10)


def test_a_port_that_is_taken_is_told_with_another_way() -> None:
    """Dagster would go on without its UI."""
    if shutil.which("make") is None:
        skip_or_fail("there is no make")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [
                "make",
                "--no-print-directory",
                "--old-file",
                ".venv/.ready",
                "dev",
                f"BIN={Path(sys.executable).parent}",
                f"PORT={port}",
            ],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (
        2,
        "",
        f"Port {port} is in use, perhaps by a `make dev` that is still at work: end it, or choose another, as in `make dev PORT=3001`.",
    )


def test_a_demo_over_a_lake_that_is_gone_says_so_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its runs would fail. A new lake, and one that is there, are as they should be."""
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    check_lake()
    LakeResource().open().files.check_writable()
    check_lake()
    (tmp_path / "lake").rename(tmp_path / "away")
    with pytest.raises(SystemExit) as refused:
        check_lake()
    assert str(refused.value).startswith(f"The lake is not at {tmp_path}/lake: the state database knows lake ")
    assert str(refused.value).endswith("\n`make clean` removes all local data; then the demo starts anew.")


def test_days_of_an_earlier_demo_are_not_taken_for_days_of_this_one(tmp_path: Path) -> None:
    """A raw day says when it was last requested, in its file or by a confirmation; equal content is not written again."""
    lake, at = Lake(str(tmp_path)), datetime(2026, 3, 1, 12, tzinfo=UTC)
    typed = lake.store_day("shop", NUMBERS, at.date(), NUMBERS.rows([]), is_sandbox=True)
    raw = lake.store_day("shop", RAW, at.date(), RAW.rows([]), request_hash="v1", requested_at=at, is_sandbox=True)
    assert stale_days(lake, [typed, raw], since=at) == 0
    later = at + timedelta(seconds=1)
    assert stale_days(lake, [typed, raw], since=later) == 1
    lake.confirmations = confirmations = StateConfirmations(lake.files, f"sqlite:///{tmp_path}/state.db")
    confirmations.write("shop", RAW.name, at.date(), msgspec.structs.replace(raw.footer, requested_at=later))
    assert stale_days(lake, [typed, raw], since=later) == 0
