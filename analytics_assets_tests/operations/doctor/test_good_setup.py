"""A set-up with nothing wrong: every line that is printed, the form for programs, status 0."""

import re
from datetime import timedelta

import pytest

from analytics_assets.__main__ import main
from analytics_assets.clock import utc_now
from analytics_assets.state.database import VERSION
from analytics_assets_tests.operations.doctor.patient import Visit, beats

GOOD = """\
settings
  ok           mode: live
definitions
  ok           app: defs/app/defs.yaml loads
  ok           lab: defs/lab/defs.yaml loads
  ok           shared: defs/shared/defs.yaml loads
  ok           shop: defs/shop/defs.yaml loads
  ok           all together: the folders of defs/ load together
keys
  ok           app: APP_TOKEN: set
  ok           app: accepted: Airbridge answered in # s
  ok           lab: LAB_KEY: set
  ok           lab: accepted: Statsig answered in # s
  ok           shop: SHOP_PUBLISHABLE: set
  ok           shop: SHOP_SECRET: set
  ok           shop: SHOP_SITE: set
  ok           shop: accepted: Bento answered in # s
clock
  ok           this machine's clock: beside Airbridge's: # s ahead, Statsig's: # s ahead, Bento's: # s ahead
  ok           first day: ANALYTICS_START_DATE is 2025-01-01
lake
  ok           identity: the lake gets it at the next write
  ok           writable: FOLDER/lake can be written
  ok           mode: live numbers, in 1 of the daily tables
state
  ok           database: sqlite:///FOLDER/state.db can be used, schema VERSION
dagster
  ok           home: DAGSTER_HOME is FOLDER/home
  ok           dagster.yaml: dagster.yaml loads
  ok           settings: as this project needs them: run_monitoring, run_launcher, run_retries, sensors, schedules, concurrency, telemetry
  ok           storage: runs, events and states can be read
  ok           history: it belongs to no lake yet; the first run decides
daemon
  ok           heartbeats: within # s: SENSOR, BACKFILL, SCHEDULER, QUEUED_RUN_COORDINATOR, MONITORING, EVENT_LOG_CONSUMER, ASSET, FRESHNESS_DAEMON
schedules
  ok           app_daily: on; no tick yet
  ok           checks_daily: on; no tick yet
  ok           housekeeping: on; no tick yet
  ok           lab_daily: on; no tick yet
  ok           shop_daily: on; no tick yet
  ok           snapshots: on; no tick yet
sensors
  ok           app_reports: on; no tick yet
budget
  ok           app: 99 left of 100 requests in 3600 s
  ok           lab: 99 left of 100 requests in 3600 s
  ok           shop: 29 left of 30 requests in 3600 s
report tasks
  ok           open: none
days
  not checked  app: no day of revenue_cohort_totals, revenue_cohorts, revenue_raw, revenue_restatements was ever stored
               -> Materialize the first days of app; the schedule goes on from there.
  not checked  lab: no day of event_metrics, metric_values, values_raw was ever stored
               -> Materialize the first days of lab; the schedule goes on from there.
  ok           shop: up to DAY: ads_chart
  not checked  shop: no day of ads_attribution, ads_raw, ads_totals was ever stored
               -> Materialize the first days of shop; the schedule goes on from there.
3 not checked, 38 ok
"""


@pytest.fixture(scope="module")
def visit(admit) -> tuple[Visit, str]:
    """The visit, and what was printed with what varies taken out."""
    patient = admit()
    # Bento's day is final after an hour, and late after three more.
    newest = (utc_now() - timedelta(hours=4)).date() - timedelta(days=1)
    patient.lands(newest - timedelta(days=1), newest)
    with patient.instance() as instance:
        beats(instance)
    seen = patient.visited()
    shown = seen.out.replace(str(patient.folder), "FOLDER").replace(str(newest), "DAY")
    shown = re.sub(r"(answered in|within) [\d.]+ s", r"\1 # s", shown)
    return seen, re.sub(r"\d+ s (ahead|behind)", "# s ahead", shown)


def test_every_line_is_printed_and_the_status_is_0(visit) -> None:
    """What could not be checked is no fault."""
    seen, shown = visit
    assert (seen.status, shown) == (0, GOOD.replace("VERSION", str(VERSION)))


def test_programs_get_the_same_lines(visit) -> None:
    """Each with five texts."""
    seen, _ = visit
    assert {tuple(line) for line in seen.told} == {("subject", "what", "verdict", "found", "remedy")}
    assert seen.told[1] == {
        "subject": "definitions",
        "what": "app",
        "verdict": "ok",
        "found": "defs/app/defs.yaml loads",
        "remedy": "",
    }
    printed = [line for line in seen.out.splitlines() if re.match(r"  (ok|warning|wrong|not checked) ", line)]
    assert printed == [f"  {line['verdict']:<11}  {line['what']}: {line['found']}" for line in seen.told]


def test_a_file_that_cannot_be_written_is_refused_with_status_2(admit, capsys) -> None:
    """After the report, which is not lost."""
    patient = admit()
    status = patient_status(patient, patient.folder / "none/told.json")
    out, err = capsys.readouterr()
    words = f"--json {patient.folder}/none/told.json: it cannot be written (No such file or directory)."
    assert (status, out.startswith("settings\n"), err) == (2, True, f"analytics-assets: {words}\n")


def patient_status(patient, file) -> int:
    """Status of a visit whose form for programs goes to a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_MODE", "neither")
        return main(("doctor", "--json", str(file)), defs=patient.defs)
