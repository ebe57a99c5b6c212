"""The budget between real processes, on one SQLite file or one PostgreSQL database."""

import subprocess
import sys

import pytest

from analytics_assets.state.database import engine

# It keeps to the second what a vendor counts by the second, so nothing may run beside it.
pytestmark = pytest.mark.alone

REQUESTS, PER_S, SECONDS = 20, 2.0, 10.0
# Rows out of the window are forgotten, so the test has the database write down each request that is let through.
KEEP_ALL = {
    "sqlite": (
        "CREATE TABLE let_through (at INTEGER)",
        "CREATE TRIGGER keep AFTER INSERT ON budget_requests BEGIN INSERT INTO let_through VALUES (new.at); END",
    ),
    "postgresql": (
        "CREATE TABLE let_through (at BIGINT)",
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO let_through VALUES (new.at); RETURN new; END $$",
        "CREATE TRIGGER keep AFTER INSERT ON budget_requests FOR EACH ROW EXECUTE FUNCTION keep()",
    ),
}


def test_three_processes_stay_below_the_limit_and_use_nine_tenths_of_it(url: str) -> None:
    """In no two seconds are more than 20 requests let through, whichever two are looked at; and hardly any place stays empty."""
    with engine(url).begin() as connection:
        for statement in KEEP_ALL[connection.dialect.name]:
            connection.exec_driver_sql(statement)
    command = [sys.executable, "-m", "analytics_assets_tests.state.spender", url]
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
        for process in processes:
            process.communicate(timeout=SECONDS + 30)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0, 0]
    with engine(url).connect() as connection:
        sent = sorted(at / 1000 for (at,) in connection.exec_driver_sql("SELECT at FROM let_through"))
    assert max(sum(start <= at < start + PER_S for at in sent) for start in sent) == REQUESTS
    # The first window is full at once: so many begin within the time.
    assert sum(at < sent[0] + SECONDS for at in sent) >= 0.9 * REQUESTS * SECONDS / PER_S
