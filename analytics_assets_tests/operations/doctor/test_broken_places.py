"""YAML, settings, lake, state and Dagster's home, broken on purpose: each is told in a line of its own, with cause and remedy."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from analytics_assets import COMPONENTS
from analytics_assets.state import database
from analytics_assets.state.report_ledger import Ledger
from analytics_assets_tests.operations.doctor.patient import ACCOUNTS, Patient, Visit, beats

SHOWS = "Correct it there; docs/configuration.md has every field."
HOME_FIRST = (
    "not checked",
    "the daemon, schedules and sensors are known by Dagster's home",
    "Fix Dagster's home first.",
)


@pytest.fixture(scope="module")
def displaced(admit: Callable[[], Patient]) -> tuple[Patient, Visit]:
    """The lake is a file, the state is newer than this program, Dagster's home is gone, and the first day is to come."""
    patient = admit()
    (patient.folder / "file").touch()
    patient.environment |= {
        "ANALYTICS_LAKE": str(patient.folder / "file"),
        "ANALYTICS_START_DATE": "2999-01-01",
        "DAGSTER_HOME": str(patient.folder / "gone"),
    }
    Ledger(patient.environment["ANALYTICS_STATE"])
    database.engine.cache_clear()
    with create_engine(patient.environment["ANALYTICS_STATE"]).begin() as connection:
        connection.execute(text("update schema_version set version = 99"))
    return patient, patient.visited("--offline")


@pytest.fixture(scope="module")
def misspelt(admit: Callable[[], Patient]) -> tuple[Patient, Visit]:
    """Every kind of broken YAML, one account that is fine, and a `dagster.yaml` that does not load."""
    patient = admit()
    shop, lab, app = (ACCOUNTS[name].format(url=patient.url) for name in ("shop", "lab", "app"))
    patient.writes("shop", shop.replace("SHOP_PUBLISHABLE", "sk_live_pasted_key"))
    patient.writes("lab", lab.replace("LAB_KEY", "[LAB_KEY"))
    patient.writes("app", app.replace("Asia/Seoul", "Mars/Olympus"))
    patient.writes("wide", shop.replace("lookback_days: 7", "lookback_days: soon"))
    patient.writes("red", f"{shop}  colour: red\n")
    patient.writes("kind", "type: analytics_assets.Shop\n")
    patient.writes("owned", f"{shop}  owners: [nobody]\n")
    patient.writes("fine", lab)
    (patient.home / "dagster.yaml").write_text("telemetry: {enabled: pass-word}\nfoo: 1\n")
    return patient, patient.visited("--offline")


def test_a_lake_that_cannot_be_written_is_told(displaced) -> None:
    """With the path and the setting."""
    patient, visit = displaced
    assert visit.line("lake", "identity") == (
        "wrong",
        f"{patient.folder}/file/_lake.json cannot be read (Not a directory)",
        "Check ANALYTICS_LAKE, its rights and its space.",
    )
    assert visit.line("lake", "writable") == (
        "not checked",
        "it is not the lake that is known",
        "Fix the lake's identity first.",
    )


def test_a_state_database_of_a_newer_program_is_told(displaced) -> None:
    """And what rests on it is left out."""
    _, visit = displaced
    assert visit.lines("state") == [
        (
            "database",
            "wrong",
            f"The state database has schema 99, this package knows {database.VERSION}",
            "Update analytics_assets.",
        )
    ]
    assert visit.lines("budget") == [
        ("all", "not checked", "budgets and report tasks are in the state database", "Fix the state database first.")
    ]


def test_a_dagster_home_that_is_gone_is_told(displaced) -> None:
    """And what rests on it is left out."""
    patient, visit = displaced
    assert visit.lines("dagster") == [
        (
            "home",
            "wrong",
            f"DAGSTER_HOME is {patient.folder}/gone, which is no folder",
            "Set DAGSTER_HOME to the absolute path of the folder with dagster.yaml.",
        )
    ]
    assert visit.lines("daemon") == [("all", *HOME_FIRST)]


def test_a_first_day_to_come_is_told(displaced) -> None:
    """By the name of its setting."""
    assert displaced[1].line("clock", "first day") == (
        "wrong",
        "ANALYTICS_START_DATE is 2999-01-01, in the future",
        "Set ANALYTICS_START_DATE to a past day: until then no table has a day.",
    )


def test_offline_asks_nobody_and_says_so(displaced, vendors) -> None:
    """Not even for the clock."""
    _, visit = displaced
    left_out = ("not checked", "--offline asks no vendor", "Run it without --offline.")
    assert [line[1:] for line in visit.lines("keys") if line[0].endswith("accepted")] == [left_out] * 3
    assert visit.line("clock", "this machine's clock") == left_out
    assert vendors.counts() == {}


def test_each_broken_yaml_is_named_with_file_and_line(misspelt) -> None:
    """What stands there is not repeated where it may be a key; the account that is fine is looked at."""
    _, visit = misspelt
    wrong = {
        "app": "app/defs.yaml:8 attributes.timezone: Airbridge app 'myapp', timezone: 'Mars/Olympus' is no time zone. Use a name such as "
        "Asia/Seoul.",
        "kind": "kind/defs.yaml:1 type: there is no such component. This project has "
        + ", ".join(f"analytics_assets.{name}" for name in sorted(COMPONENTS))
        + ".",
        "lab": "lab/defs.yaml:6 this is not valid YAML (while parsing a flow sequence).",
        "owned": "owned/defs.yaml:7 attributes.owners: 'nobody' is no owner: use an e-mail address, or `team:` and a "
        "name, such as team:growth.",
        "red": "red/defs.yaml:7 attributes.colour: unknown field.",
        "shop": "shop/defs.yaml:5 attributes.keys.publishable: this must be the NAME of an environment variable, in capital letters, "
        "such as BENTO_SECRET_KEY; the key itself never stands in YAML",
        "wide": "wide/defs.yaml:6 attributes.schedule.lookback_days: Input should be a valid integer, unable to parse string as an "
        "integer",
    }
    expected = [(name, "wrong", f"defs/{found}", SHOWS) for name, found in wrong.items()]
    assert visit.lines("definitions") == sorted(
        [*expected, *((name, "ok", f"defs/{name}/defs.yaml loads", "") for name in ("fine", "shared"))]
    )
    assert [line[:2] for line in visit.lines("keys")] == [("fine: LAB_KEY", "ok"), ("fine: accepted", "not checked")]
    assert "pasted" not in visit.out


def test_a_dagster_yaml_that_does_not_load_is_told_without_its_values(misspelt) -> None:
    """Which may be passwords."""
    patient, visit = misspelt
    assert visit.line("dagster", "dagster.yaml") == (
        "wrong",
        "dagster.yaml does not load: foo: field not defined; telemetry.enabled: runtime type mismatch",
        f"Correct {patient.home}/dagster.yaml.",
    )
    assert visit.lines("daemon") == [("all", *HOME_FIRST)]


def test_numbers_of_the_other_mode_are_told_and_where_the_history_is(admit) -> None:
    """A live process over a lake of invented numbers; without DAGSTER_HOME the history is that of the project, not of the folder."""
    patient = admit()
    patient.lands(date(2026, 3, 1), is_sandbox=True)
    patient.lands(date(2026, 3, 2))
    del patient.environment["DAGSTER_HOME"]
    visit = patient.visited("--offline")
    assert visit.line("lake", "mode") == (
        "wrong",
        f"{patient.folder}/lake/shop/ads_chart/dt=2026-03-01/data.parquet holds sandbox numbers; live numbers are not put in their place",
        "Set ANALYTICS_LAKE to another folder.",
    )
    assert visit.line("dagster", "home") == (
        "ok",
        f"DAGSTER_HOME is not set; the dagster.yaml of {Path(__file__).parents[3]} is read",
        "",
    )


def test_settings_that_differ_are_warnings_and_the_status_is_0(admit) -> None:
    """Without a `dagster.yaml` Dagster runs with settings of its own."""
    patient = admit()
    (patient.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with patient.instance() as instance:
        beats(instance)
    visit = patient.visited("--offline")
    assert visit.status == 0
    assert [line for line in visit.lines("dagster") if line[1] == "warning"] == [
        (name, "warning", f"not as this project needs it: {effect}", f"Set `{name}: {{{value}}}` in dagster.yaml.")
        for name, value, effect in (
            ("run_monitoring", "enabled: true", "a killed run stays STARTED for ever"),
            ("run_launcher", "class: WatchedRunLauncher", "nobody notices when the process of a run is gone"),
            (
                "run_retries",
                "enabled: true, retry_on_asset_or_op_failure: false",
                "a crashed run is not started again, or days that failed are requested over and over",
            ),
            ("sensors", "use_threads: true", "one slow sensor holds up all others"),
            ("schedules", "use_threads: true", "one slow schedule holds up the others"),
        )
    ]


def test_a_setting_that_cannot_be_read_is_told_alone(admit) -> None:
    """Everything else rests on it."""
    patient = admit()
    patient.environment["ANALYTICS_SCHEDULES"] = "sometimes"
    visit = patient.visited()
    assert (visit.status, visit.lines("settings")) == (
        1,
        [
            (
                "environment",
                "wrong",
                "ANALYTICS_SCHEDULES='sometimes' is not known",
                "Use on or off.",
            ),
            (
                "all other checks",
                "not checked",
                "the settings cannot be read",
                "Correct the setting first: everything else reads it.",
            ),
        ],
    )
    assert len(visit.told) == 2


def test_each_unknown_variable_is_a_warning_without_its_value(admit) -> None:
    """Even if the settings cannot be read. Known are the variables of the deployment, and those that a defs.yaml names."""
    patient = admit()
    patient.writes("lab", ACCOUNTS["lab"].format(url=patient.url).replace("LAB_KEY", "ANALYTICS_LAB_KEY"))
    unknown = (
        "ANALYTICS_SCHEDLUES",
        "ANALYTICS_KEEP_RAW_DAYS",
        "ANALYTICS_LAB",
        "ANALYTICS_COLOUR",
        "ANALYTICS_MONTHS_AFTER_DAYS",
    )
    known = ("ANALYTICS_BROKER", "ANALYTICS_CODE_HOST", "ANALYTICS_LAB_KEY")
    patient.environment |= {**dict.fromkeys((*unknown, *known), "pass-word"), "ANALYTICS_SCHEDULES": "sometimes"}
    visit = patient.visited("--offline")
    found = "no setting has this name, so it has no effect"
    assert visit.lines("settings")[:5] == [
        ("ANALYTICS_COLOUR", "warning", found, "Remove it. README.md has all settings."),
        (
            "ANALYTICS_KEEP_RAW_DAYS",
            "warning",
            "this setting of an earlier version has no effect",
            "Remove it. Raw tables are kept for ever; docs/upkeep.md says how to delete their old days.",
        ),
        ("ANALYTICS_LAB", "warning", found, "Remove it. README.md has all settings."),
        (
            "ANALYTICS_MONTHS_AFTER_DAYS",
            "warning",
            "this setting of an earlier version has no effect",
            "Remove it. The copies in the lake's folder _months are not updated any more; docs/lake.md has a query that writes one file a month.",
        ),
        ("ANALYTICS_SCHEDLUES", "warning", found, "Remove it, or rename it if you mean ANALYTICS_SCHEDULES."),
    ]
    assert [line[0] for line in visit.lines("settings")[5:]] == ["environment", "all other checks"]
    assert "pass-word" not in visit.out


def test_unknown_variables_alone_keep_status_0(admit) -> None:
    """They change nothing, so a nightly call of the doctor does not fail."""
    patient = admit()
    patient.environment |= {"ANALYTICS_COLOUR": "pass-word"}
    with patient.instance() as instance:
        beats(instance)
    visit = patient.visited("--offline")
    assert (visit.status, visit.line("settings", "ANALYTICS_COLOUR")[0]) == (0, "warning")


def test_a_storage_that_cannot_be_read_is_told_by_the_class_of_its_error(admit) -> None:
    """Its text may hold an address with a password; what rests on it is left out. First a column is another, then it is no database at all."""
    patient = admit()
    with patient.instance():
        database = patient.home / "history/runs.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("alter table runs rename column run_body to body")
    visit = patient.visited("--offline")
    assert visit.line("dagster", "storage") == (
        "wrong",
        "it cannot be read (OperationalError)",
        "Check `storage` in dagster.yaml; after an update of Dagster run `dagster instance migrate`.",
    )
    assert visit.lines("daemon") == [
        ("all", "not checked", "Dagster's storage does not answer", "Fix the storage first.")
    ]
    for file in database.parent.glob(f"{database.name}*"):
        file.write_bytes(b"no database" * 1000)
    visit = patient.visited("--offline")
    assert visit.line("dagster", "dagster.yaml") == (
        "wrong",
        "dagster.yaml cannot be carried out (DatabaseError)",
        "Check `storage` and the classes named in dagster.yaml, and that the database can be reached from here.",
    )
    assert visit.lines("daemon") == [("all", *HOME_FIRST)]
