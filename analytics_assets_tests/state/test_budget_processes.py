"""The budget between real processes on one SQLite file."""

import subprocess
import sys
from pathlib import Path

REQUESTS, PER_S, SECONDS = 20, 2.0, 10.0


def test_three_processes_stay_below_the_limit_and_use_nine_tenths_of_it(tmp_path: Path) -> None:
    """In no two seconds are more than 20 requests let through, whichever two are looked at; and hardly any place stays empty."""
    command = [sys.executable, "-m", "analytics_assets_tests.state.spender", f"sqlite:///{tmp_path}/state.db"]
    command += [str(REQUESTS), str(PER_S), str(SECONDS)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        told = [process.communicate(timeout=SECONDS + 30)[0].split() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert all(told)
    sent = sorted(float(at) for of_process in told for at in of_process)
    most = max(sum(start <= at < start + PER_S for at in sent) for start in sent)
    assert most <= REQUESTS
    # A window that begins with the first request is full at once: so many windows begin within the time.
    possible = REQUESTS * SECONDS / PER_S
    assert sum(at < sent[0] + SECONDS for at in sent) >= 0.9 * possible
