"""Runs every way of every work in processes of their own against a server of its own, shows the medians and judges them: `make bench`.

`--json FILE` writes a list of {work, way, wall_s, cpu_s, peak_mb, requests, rows}. Requests are those the server counted.
"""

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.limits import verdicts
from bench.one import A_TASK_A_DAY, BARE, DLT, LAKE, PLAIN, WAYS
from bench.server import ceiling
from bench.works import AIRBRIDGE, BENTO_MONTH, WORKS, sizes

_ROOT = Path(__file__).parent.parent
_LONGEST_S = 300
_DELAY_S = 0.03
_NEEDS = {DLT: "dlt", PLAIN: "requests"}

Result = dict[str, Any]


@contextmanager
def served(today: date, *, delay_s: float, is_small: bool) -> Iterator[str]:
    """The address of a server that runs until the block ends."""
    command = [sys.executable, "-m", "bench.server", "--today", f"{today}", "--delay", f"{delay_s}"]
    process = subprocess.Popen(
        [*command, *(["--small"] if is_small else [])], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError("the benchmark's server does not start")
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=10)


def once(work: str, way: str, today: date, url: str, *, is_small: bool) -> Result:
    """What one run took.

    Raises:
        RuntimeError: It failed; the message is what it said.
    """
    folder = tempfile.mkdtemp(prefix="bench-")
    try:
        before = _count(url)
        command = [sys.executable, "-m", "bench.one", "--work", work, "--way", way, "--url", url, "--folder", folder]
        done = subprocess.run(
            [*command, "--today", f"{today}", *(["--small"] if is_small else [])],
            capture_output=True,
            text=True,
            cwd=_ROOT,
            timeout=_LONGEST_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{work}, {way}: {done.stderr[-4000:]}")
        took: Result = json.loads(done.stdout.splitlines()[-1])
        return {**took, "requests": _count(url) - before}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def middle(work: str, way: str, runs: Sequence[Result]) -> Result:
    """The medians of some runs.

    Raises:
        RuntimeError: The runs asked or landed differently.
    """
    counts = {(run["requests"], run["rows"]) for run in runs}
    if len(counts) > 1:
        raise RuntimeError(f"{work}, {way}: requests and rows differ between runs: {sorted(counts)}")
    (requests, rows) = counts.pop()
    shown = {name: round(median(run[name] for run in runs), 3) for name in ("wall_s", "cpu_s", "peak_mb")}
    return {"work": work, "way": way, **shown, "requests": requests, "rows": rows}


def table(results: Sequence[Result]) -> str:
    """The results as lines; `x bare` is the wall time in those of the bare loop of the same work."""
    lines = [f"{'work':18}{'way':20}{'wall s':>8}{'x bare':>8}{'cpu s':>8}{'peak MB':>9}{'requests':>10}{'rows':>10}"]
    bare = {one["work"]: one["wall_s"] for one in results if one["way"] == BARE}
    for one in results:
        times = f"{one['wall_s'] / bare[one['work']]:.2f}" if one["work"] in bare else "-"
        lines.append(
            f"{one['work']:18}{one['way']:20}{one['wall_s']:8.2f}{times:>8}{one['cpu_s']:8.2f}{one['peak_mb']:9.0f}"
            f"{one['requests']:10}{one['rows']:10}"
        )
    return "\n".join(lines)


def _results(pairs: Sequence[tuple[str, str]], today: date, url: str, *, runs: int, is_small: bool) -> Sequence[Result]:
    """The medians of each way. The ways of a work take turns, so that what else the machine does falls on all of them."""
    took: dict[tuple[str, str], list[Result]] = {pair: [] for pair in pairs}
    for work in dict.fromkeys(work for work, _ in pairs):
        for _ in range(runs):
            for pair in (pair for pair in pairs if pair[0] == work):
                took[pair].append(once(*pair, today, url, is_small=is_small))
                print(f"{', '.join(pair)}: {took[pair][-1]['wall_s']:.2f} s", file=sys.stderr, flush=True)
    return [middle(*pair, runs) for pair, runs in took.items()]


def _count(url: str) -> int:
    with urllib.request.urlopen(f"{url}/count", timeout=10) as answer:  # noqa: S310 - the server started above
        return int(answer.read())


def _ceiling(today: date, *, is_small: bool) -> str:
    """How many answers a second the server gives when it does not wait, so that it is known not to be the brake."""
    day = sizes(today, is_small=is_small).bento_days()[0]
    with served(today, delay_s=0, is_small=is_small) as url:
        return f"{ceiling(url, f'/bento/api/v1/stats/ads?dimension=source&start_date={day}'):.0f}"


def _chosen(only: Sequence[str]) -> list[tuple[str, str]]:
    """Works and ways to run: those that hold every word of one `--only`, all of them without any."""
    known = [(work, way) for work in WORKS for way in WAYS if _is_done(work, way)]
    return [pair for pair in known if not only or any(_is_meant(one, pair) for one in only)]


def _is_done(work: str, way: str) -> bool:
    return way == LAKE if work == BENTO_MONTH else way != A_TASK_A_DAY or work == AIRBRIDGE


def _is_meant(only: str, pair: tuple[str, str]) -> bool:
    work, _, way = only.rpartition(":")
    return work in ("", pair[0]) and way in ("", pair[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and shows.

    Raises:
        SystemExit: A way needs a package that is not installed, or the ways of a work land different numbers of rows.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description="Time three works done in several ways.")
    add = parser.add_argument
    add("--runs", type=int, default=3, help="runs of each; medians are shown (default 3)")
    add(
        "--only",
        action="append",
        default=[],
        metavar="[WORK:][WAY]",
        help=f"some of them, may be given again; works: {', '.join(WORKS)}; ways: {', '.join(WAYS)}",
    )
    add("--small", action="store_true", help="small works, which only show that everything runs")
    add("--json", type=Path, metavar="FILE", help="write the results there too")
    chosen = parser.parse_args(arguments)
    pairs, today = _chosen(chosen.only), datetime.now(UTC).date()
    missing = {
        need for way, need in _NEEDS.items() if way in {way for _, way in pairs} and not importlib.util.find_spec(need)
    }
    if not pairs or missing:
        raise SystemExit(
            f"Not installed: {', '.join(sorted(missing))}. `make bench` installs them."
            if missing
            else "Nothing of that name."
        )
    print(
        f"The server answers {_ceiling(today, is_small=chosen.small)} requests a second without its delay of {_DELAY_S * 1000:g} ms.",
        flush=True,
    )
    began = time.monotonic()
    with served(today, delay_s=_DELAY_S, is_small=chosen.small) as url:
        results = _results(pairs, today, url, runs=chosen.runs, is_small=chosen.small)
    print(table(results))
    if not chosen.small:
        print("", *verdicts(results, sizes(today, is_small=False)), sep="\n")
    print(f"\nAll of it took {(time.monotonic() - began) / 60:.1f} minutes.")
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n")
    different = {
        work: rows for work in WORKS if len(rows := {one["rows"] for one in results if one["work"] == work}) > 1
    }
    if different:
        raise SystemExit(f"The ways land different numbers of rows: {different}")


if __name__ == "__main__":
    main()
