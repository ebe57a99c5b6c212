"""What is thought of what was found, without a set-up: outcomes of a request, heartbeats, switches; and checks that fail or hang."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.clock import utc_now
from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    LakeError,
    PermanentError,
    SourceError,
    TransientError,
)
from analytics_assets.lake.store import Lake
from analytics_assets.operations.doctor.accounts import ExaminedAccount, late
from analytics_assets.operations.doctor.daemon import Heartbeat, heartbeats, hearts, switched, switches
from analytics_assets.operations.doctor.dagster_home import opens
from analytics_assets.operations.doctor.line import Line, ago, examined, without_secrets
from analytics_assets.operations.doctor.vendors import Outcome, clocks, judged
from analytics_assets.orchestration.source_component import ScheduleConfig
from analytics_assets.settings import settings
from analytics_assets.sources.statsig.source import StatsigMetrics
from analytics_assets_tests.lake.vendor import SUMS
from analytics_assets_tests.operations.doctor import patient

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LAB = StatsigMetrics(key="LAB_KEY", schedule=ScheduleConfig(cron="0 0 * * *", lookback_days=1, days_per_run=1))
ASKED = "Statsig GET /metrics/list"


def answered(kind: type[SourceError], status: int | None, said: str) -> SourceError:
    """What a session raises for a response."""
    return kind(f"{ASKED}: {said}.", remedy="What to do.", evidence=Evidence("GET /metrics/list", status=status))


@pytest.mark.parametrize(
    ("error", "verdict", "found", "remedy"),
    [
        (
            answered(BlockedError, 403, "HTTP 403 (an HTML page)"),
            "wrong",
            f"{ASKED}: HTTP 403 (an HTML page): the keys were not looked at",
            "Allow this machine's address and User-Agent there; check HTTPS_PROXY, and `base_url` in defs/lab/defs.yaml.",
        ),
        (
            answered(BlockedError, 200, "HTTP 200, not JSON: an HTML page came from HOST (title 'Acme. Sign in')"),
            "wrong",
            f"{ASKED}: HTTP 200, not JSON: an HTML page came from HOST (title 'Acme. Sign in'): the keys were not looked at",
            "Allow this machine's address and User-Agent there; check HTTPS_PROXY, and `base_url` in defs/lab/defs.yaml.",
        ),
        (
            answered(AccessRefusedError, 403, "HTTP 403 (no role)"),
            "wrong",
            f"{ASKED}: HTTP 403 (no role): the keys lack the permission",
            "Give the role behind LAB_KEY the right to read.",
        ),
        (
            answered(PermanentError, 404, "HTTP 404 (Not here. Try (again).) [trace 7]"),
            "wrong",
            f"{ASKED}: HTTP 404 (Not here. Try (again).) [trace 7]: the project of LAB_KEY is unknown",
            "Check it, LAB_KEY, and `base_url` in defs/lab/defs.yaml.",
        ),
        (
            answered(TransientError, 429, "HTTP 429"),
            "warning",
            "Statsig wants no request until a time it does not name (HTTP 429)",
            "Wait; all processes do. `analytics-assets resume lab` ends the pause now. If it comes back, lower `budget` in defs/lab/defs.yaml.",
        ),
        (
            answered(TransientError, 503, "HTTP 503 (busy)"),
            "warning",
            f"{ASKED}: HTTP 503 (busy)",
            "Ask again later; if it stays, Statsig's status page or support knows more.",
        ),
        (
            answered(PermanentError, 302, "HTTP 302"),
            "wrong",
            f"{ASKED}: HTTP 302: moved elsewhere, and keys are sent nowhere else",
            "Check `base_url` and the names in defs/lab/defs.yaml.",
        ),
        (
            answered(PermanentError, 400, "HTTP 400 (page)"),
            "wrong",
            f"{ASKED}: HTTP 400 (page)",
            "Check `base_url` and the names in defs/lab/defs.yaml.",
        ),
        (
            answered(TransientError, None, "no complete answer (cut)"),
            "warning",
            f"{ASKED}: no complete answer (cut)",
            "Ask again; if it stays, check the network and `base_url` in defs/lab/defs.yaml.",
        ),
        (
            AccessRefusedError("Statsig: the header STATSIG-API-KEY holds a line break.", remedy="Check LAB_KEY."),
            "wrong",
            "Statsig: the header STATSIG-API-KEY holds a line break",
            "Check LAB_KEY.",
        ),
        (
            TimeoutError(),
            "wrong",
            "https://statsigapi.net/console/v1 gave no complete answer within 15 s",
            "Check the network, and `base_url` in defs/lab/defs.yaml.",
        ),
    ],
)
def test_each_outcome_of_a_request_has_words_of_its_own(error, verdict, found, remedy) -> None:
    """Those that a set-up shows are in `test_broken_vendors.py`."""
    diagnostics = LAB.diagnostics()
    assert judged("lab", diagnostics.account, diagnostics.variables, Outcome(error), NOW) == (verdict, found, remedy)


@pytest.mark.parametrize(
    ("ahead", "verdict", "found"),
    [
        ({"Bento": 59.0, "Statsig": None}, "ok", "beside Bento's: 59 s ahead"),
        ({"Bento": -61.0}, "warning", "beside Bento's: 61 s behind"),
        ({"Bento": 0.4, "Statsig": -301.0}, "wrong", "beside Bento's: 0 s ahead, Statsig's: 301 s behind"),
        ({"Bento": None}, "not checked", "no vendor has dated a response"),
    ],
)
def test_a_clock_is_judged_by_whoever_it_differs_from_most(ahead, verdict, found) -> None:
    """A minute warns, five minutes are wrong."""
    line = clocks(ahead, is_offline=False, is_in_process=False)
    assert (line.verdict, line.found) == (verdict, found)


def beat(age_s: float, *, daemon: str = "one", errors: tuple[str, ...] = ()) -> Heartbeat:
    """A heartbeat so many seconds ago."""
    return Heartbeat(NOW - timedelta(seconds=age_s), daemon, errors)


@pytest.mark.parametrize(
    ("beats", "lines"),
    [
        ([beat(5), beat(40)], [("heartbeats", "ok", "within 40 s: A, B")]),
        (
            [beat(5), beat(130)],
            [("heartbeats", "ok", "within 5 s: A"), ("B", "warning", "its last heartbeat is 2 min old")],
        ),
        (
            [beat(5), beat(7200)],
            [("heartbeats", "ok", "within 5 s: A"), ("B", "wrong", "its last heartbeat is 2 h old")],
        ),
        ([beat(5)], [("heartbeats", "ok", "within 5 s: A"), ("B", "warning", "no heartbeat yet")]),
        (
            [beat(5), beat(5, errors=("disk full",))],
            [("heartbeats", "ok", "within 5 s: A, B"), ("B", "wrong", "its last round failed: disk full")],
        ),
        (
            [beat(5), beat(5, daemon="two")],
            [
                ("heartbeats", "ok", "within 5 s: A, B"),
                ("processes", "warning", "more than one daemon sends heartbeats"),
            ],
        ),
        ([beat(130), beat(150)], [("heartbeats", "wrong", "the last one is 2 min old")]),
    ],
)
def test_the_daemon_is_judged_by_its_heartbeats(beats, lines) -> None:
    """Whatever is not ok says what to do."""
    told = list(hearts(["A", "B"], dict(zip("AB", beats, strict=False)), NOW))
    assert [(line.what, line.verdict, line.found) for line in told] == lines
    assert [bool(line.remedy) for line in told] == [line.verdict != "ok" for line in told]


def switch(*, is_sensor: bool, is_on: bool) -> dg.SensorDefinition | dg.ScheduleDefinition:
    """A sensor or schedule of that default."""
    if is_sensor:
        status = dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED
        return dg.SensorDefinition(name="one", evaluation_fn=lambda _: None, job_name="j", default_status=status)
    default = dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(name="one", cron_schedule="0 0 * * *", job_name="j", default_status=default)


@pytest.mark.parametrize(
    ("is_sensor", "is_on", "status", "mode", "told"),
    [
        (False, False, None, "sandbox", ("ok", "off, as schedules are in the sandbox")),
        (False, False, None, "live", ("warning", "off: no day is requested by itself")),
        (False, False, "RUNNING", "live", ("ok", "on; no tick yet")),
        (False, True, "DECLARED_IN_CODE", "live", ("ok", "on; no tick yet")),
        (
            False,
            True,
            "STOPPED",
            "live",
            ("wrong", "switched off, though the project needs this schedule"),
        ),
        (True, False, "STOPPED", "live", ("ok", "off, as it is without a destination")),
    ],
)
def test_a_switch_is_judged_by_what_the_project_needs(is_sensor, is_on, status, mode, told) -> None:
    """And by the mode."""
    line = switched(switch(is_sensor=is_sensor, is_on=is_on), status, None, mode)
    assert (line.subject, line.verdict, line.found) == ("sensors" if is_sensor else "schedules", *told)


def test_a_heartbeat_has_the_first_line_of_each_error_of_its_last_round(tmp_path: Path) -> None:
    """As the daemon stored it; the rest is in the daemon's log."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        patient.beats(instance, daemon="one", BACKFILL="disk full\nmore")
        found = heartbeats(instance)
        assert set(found) == {*instance.get_required_daemon_types()}
    assert (found["BACKFILL"].errors, found["SENSOR"].errors) == (["disk full"], [])
    assert {beat.daemon_id for beat in found.values()} == {"one"}
    assert abs(found["SENSOR"].at - utc_now()) < timedelta(minutes=1)


@pytest.mark.parametrize("codes", [("before", "after"), ("after", "before")])
def test_a_schedule_of_a_renamed_code_location_has_the_state_that_ticked_last(tmp_path: Path, codes) -> None:
    """In whichever order Dagster lists them; the earlier one was switched off."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for code in codes:
            is_new = code == "after"
            at = NOW if is_new else NOW - timedelta(days=1)
            patient.switched(instance, "one", is_on=is_new, is_sensor=False, failure=code, at=at, code=code)
        [line] = switches(instance, [switch(is_sensor=False, is_on=False)], "live")
    assert (line.verdict, line.found) == ("wrong", "on; its last tick failed at 2026-03-10 12:00 UTC: after")


def test_a_check_that_fails_is_a_line_without_its_words() -> None:
    """Class and place; the words may hold a secret."""

    def fails() -> list[Line]:
        raise KeyError("hunter2")

    [line] = examined("lake", "writable", fails)
    assert (line.verdict, line.found.rpartition(":")[0]) == (
        "wrong",
        "the check itself failed: KeyError at doctor/test_judgement.py",
    )
    assert line.remedy == "This is a fault of the doctor: report class and place; the other lines stand."


def test_a_check_that_refuses_in_words_is_told_in_them() -> None:
    """The remedy is what our messages end with."""

    def refuses() -> list[Line]:
        raise LakeError("x cannot be written (full). Nothing was read.", remedy="Check ANALYTICS_LAKE: see its rights.")

    assert examined("lake", "writable", refuses) == [
        Line(
            "lake",
            "writable",
            "wrong",
            "x cannot be written (full). Nothing was read",
            "Check ANALYTICS_LAKE: see its rights.",
        )
    ]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("storage: {sqlite: {base_dir: {env: DOCTOR_UNSET}}}\n", "the environment variable DOCTOR_UNSET is not set"),
        (
            "nonsense: 1\nstorage: {sqlite: {base_dir: {env: DOCTOR_UNSET}}}\n",
            "nonsense: field not defined",
        ),
    ],
)
def test_the_reason_why_dagster_yaml_does_not_load_comes_from_fields(tmp_path, monkeypatch, config, reason) -> None:
    """A variable that is not set is named only where Dagster failed to resolve a value."""
    (tmp_path / "dagster.yaml").write_text(config)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("DOCTOR_UNSET", raising=False)
    with ExitStack() as stack:
        line = list(opens(stack, [], creates=True))[-1]
    assert (line.verdict, line.found) == ("wrong", f"dagster.yaml does not load: {reason}")


def test_a_check_that_hangs_is_not_waited_for() -> None:
    """A dead mount or database delays the report and does not stop it."""
    ends = threading.Event()
    try:
        lines = examined("state", "database", lambda: [Line("", "", "ok", str(ends.wait(60)))], within_s=0.05)
    finally:
        ends.set()
    remedy = "See whether what it looks at (a mount, a bucket, a database) hangs."
    assert lines == [Line("state", "database", "wrong", "no response within 0.05 s", remedy)]


def test_secrets_are_taken_out_of_every_line_but_no_word_is() -> None:
    """What is shorter than any key would be found everywhere."""
    lines = [Line("keys", "key hunter2", "wrong", "hunter2 is refused", "Change hunter2 at a.")]
    assert without_secrets(lines, ["hunter2", "a"]) == [
        Line("keys", "key [redacted]", "wrong", "[redacted] is refused", "Change [redacted] at a.")
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (400000, "5 d")]
)
def test_a_length_of_time_is_told_in_the_largest_unit_that_fits_twice(seconds, words) -> None:
    """So that 90 s are not 2 min."""
    assert ago(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("start", "missing"),
    [(None, "2026-03-02 to 2026-03-03"), (date(2026, 3, 3), "2026-03-03"), (date(2026, 3, 4), None)],
)
def test_days_before_the_first_one_of_an_account_are_not_late(
    tmp_path: Path, start: date | None, missing: str | None
) -> None:
    """Stored on the first and the fourth of March, when the account's first day was an earlier one."""
    lake = Lake(str(tmp_path))
    for day in (date(2026, 3, 1), date(2026, 3, 4)):
        lake.store_day("lab", SUMS, day, SUMS.rows([{"date": day, "sum": 1}]))
    diagnostics = LAB.model_copy(update={"start_date": start}).diagnostics().account
    assert diagnostics is not None
    chosen = replace(settings({}), start_date=date(2026, 1, 1), lake=str(tmp_path))
    lines = list(late(ExaminedAccount("lab", diagnostics, [SUMS.name]), chosen, datetime(2026, 3, 6, 19, tzinfo=UTC)))
    assert [line.found.partition(":")[0] for line in lines if line.verdict == "warning"] == [missing] * (
        missing is not None
    )
    assert {line.verdict for line in lines} <= {"warning", "ok"}
