"""The environment, put into words when it cannot be used."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.sandbox import credentials
from analytics_assets.settings import SHORTEST_KEY, VARIABLES, Settings, is_variable, secret, secrets, settings

ROOT = Path(__file__).parents[1]
DEFAULTS = Settings(
    mode="sandbox",
    lake=f"{ROOT}/data/sandbox",
    reader_lake=None,
    state=f"sqlite:///{ROOT}/data/sandbox.db",
    sandbox_url=None,
    start_date=date(2025, 1, 1),
    schedules_on=False,
    budget_on=False,
    repository=None,
    keep_runs=timedelta(days=90),
)


def test_without_settings_everything_is_the_sandbox() -> None:
    """No key, no schedule, and folders of its own."""
    assert settings({}) == DEFAULTS


def test_an_empty_variable_is_like_one_that_is_not_set() -> None:
    """Compose files and CI systems set variables to nothing."""
    assert settings(dict.fromkeys(VARIABLES, "")) == DEFAULTS


def test_live_mode_has_its_own_lake_and_state_and_runs_its_schedules() -> None:
    """Invented numbers and real ones never share a folder by default."""
    assert settings({"ANALYTICS_MODE": "live"}) == Settings(
        mode="live",
        lake=f"{ROOT}/data/live",
        reader_lake=None,
        state=f"sqlite:///{ROOT}/data/live.db",
        sandbox_url=None,
        start_date=date(2025, 1, 1),
        schedules_on=True,
        budget_on=True,
        repository=None,
        keep_runs=timedelta(days=90),
    )


def test_every_variable_can_be_set() -> None:
    """Each of those that the README's table names."""
    given = {
        "ANALYTICS_MODE": "live",
        "ANALYTICS_LAKE": "s3://bucket/lake",
        "ANALYTICS_READER_LAKE": "/mnt/lake/",
        "ANALYTICS_STATE": "postgresql+psycopg2://host/state",
        "ANALYTICS_SANDBOX_URL": "http://127.0.0.1:8000",
        "ANALYTICS_START_DATE": "2024-02-29",
        "ANALYTICS_SCHEDULES": "off",
        "ANALYTICS_BUDGET": "off",
        "ANALYTICS_REPOSITORY": "https://github.com/acme/growth/blob/main",
        "ANALYTICS_KEEP_RUNS_DAYS": "forever",
    }
    assert given.keys() == VARIABLES.keys()
    assert settings(given) == Settings(
        mode="live",
        lake="s3://bucket/lake",
        reader_lake="/mnt/lake",
        state="postgresql+psycopg2://host/state",
        sandbox_url="http://127.0.0.1:8000",
        start_date=date(2024, 2, 29),
        schedules_on=False,
        budget_on=False,
        repository="https://github.com/acme/growth/blob/main",
        keep_runs=None,
    )


def test_schedules_can_be_on_in_the_sandbox() -> None:
    """The mode is only the default."""
    assert settings({"ANALYTICS_SCHEDULES": "on"}).schedules_on


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ANALYTICS_MODE", "prod", "ANALYTICS_MODE='prod' is not known. Use sandbox or live."),
        ("ANALYTICS_MODE", "Live", "ANALYTICS_MODE='Live' is not known. Use sandbox or live."),
        ("ANALYTICS_SCHEDULES", "true", "ANALYTICS_SCHEDULES='true' is not known. Use on or off."),
        (
            "ANALYTICS_START_DATE",
            "01/02/2025",
            "ANALYTICS_START_DATE='01/02/2025' is not a date. Write it as 2025-01-01.",
        ),
        (
            "ANALYTICS_START_DATE",
            "2025-02-29",
            "ANALYTICS_START_DATE='2025-02-29' is not a date. Write it as 2025-01-01.",
        ),
        (
            "ANALYTICS_READER_LAKE",
            "s3://ana:key@bucket/lake",
            "ANALYTICS_READER_LAKE holds a password or a control character, and the database would show it. Write the folder or bucket only, "  # noqa: ISC004
            "such as /mnt/lake or s3://bucket/lake. Readers use their own credentials.",
        ),
        *(
            (
                "ANALYTICS_REPOSITORY",
                value,
                "ANALYTICS_REPOSITORY is no address of a web page. Write it as https://github.com/acme/growth/blob/main.",
            )
            for value in (
                "git@github.com:acme/growth.git",
                "https://ana:key@github.com/acme/growth",
                "javascript:alert(1)",
            )
        ),
        *(
            (
                "ANALYTICS_KEEP_RUNS_DAYS",
                value,
                f"ANALYTICS_KEEP_RUNS_DAYS={value!r} is not a number of days. Use 7 or more, or forever.",
            )
            for value in ("6", "-90", "90d", "1e3", "123456", "never")
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name_and_remedy(variable: str, value: str, message: str) -> None:
    """One sentence, before anything runs."""
    with pytest.raises(PermanentError) as refused:
        settings({variable: value})
    assert str(refused.value) == message


def test_a_key_is_read_by_its_variables_name() -> None:
    """Without the line break that a copied secret often ends with."""
    assert secret("SHOP_KEY", {"SHOP_KEY": " sk-12345\n"}) == "sk-12345"


def test_a_key_of_a_few_characters_is_refused() -> None:
    """It is a part of a key, and would be found in ordinary words; the value is not repeated."""
    with pytest.raises(AccessRefusedError) as refused:
        secrets("SHOP_KEY", "OTHER_KEY", environment={"SHOP_KEY": "sk-4711", "OTHER_KEY": "sk-47110"})
    assert str(refused.value) == (
        "SHOP_KEY: the value is shorter than 8 characters, so it is only a part of a key. Copy the whole key."
    )


def test_the_keys_of_the_sandbox_are_long_enough() -> None:
    """A live process may be pointed at a sandbox server with them."""
    public = [value for name, value in vars(credentials).items() if name.isupper()]
    assert len(public) == 5
    assert min(map(len, public)) >= SHORTEST_KEY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BENTO_SECRET_KEY", True),
        ("TOKEN", True),
        ("_K", True),
        ("sk_live", False),
        ("console-4711", False),
        ("0123ABCD", False),
        ("AC3FE0B5D14711AC3FE0", False),
        ("AC3FE0B5D14711AC3FE", True),
    ],
)
def test_what_looks_like_a_key_is_not_taken_for_a_name(name: str, expected: bool) -> None:
    """Lower case, dashes, a digit in front, and a long run of capitals and digits."""
    assert is_variable(name) is expected


@pytest.mark.parametrize("given", [{}, {"SHOP_KEY": ""}, {"SHOP_KEY": "  "}])
def test_a_key_that_is_not_set_refuses_the_whole_account(given: dict[str, str]) -> None:
    """The message names the variable."""
    with pytest.raises(AccessRefusedError) as refused:
        secret("SHOP_KEY", given)
    assert str(refused.value) == (
        "The environment variable SHOP_KEY is not set. Live mode needs it; ANALYTICS_MODE=sandbox needs no key."
    )


def test_by_default_the_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read anew each time: nothing is remembered from import."""
    assert settings().mode == "sandbox"
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    monkeypatch.setenv("SHOP_KEY", "sk-22222")
    assert (settings().mode, secret("SHOP_KEY")) == ("live", "sk-22222")
