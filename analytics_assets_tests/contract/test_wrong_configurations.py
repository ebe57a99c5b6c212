"""Wrong YAML and wrong environments, each with the one message it gets: place, reason, remedy. Bento's YAML is in `orchestration/test_source_component.py` too."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from analytics_assets.errors import AccessRefusedError, PermanentError
from analytics_assets.http.destination import destination, keys
from analytics_assets.settings import secrets, settings
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets.sources.statsig.source import StatsigResource
from analytics_assets_tests.contract.clients import NOW

SCHEDULE = "schedule: {cron: 20 20 * * *, lookback_days: 4, days_per_run: 31}\n"
APP = "app_name: shop\ntimezone: Asia/Seoul\ncurrency: USD\n" + SCHEDULE
REPORT = {
    "name": "revenue",
    "group_by": "[channel]",
    "metric": "app_revenue",
    "aggregation": "cumulative",
}
Refused = Callable[[str, str], str]


def report(**changed: str) -> str:
    """An app with one report; keys changed, or left out where empty."""
    lines = [f"{name}: {value}" for name, value in {**REPORT, **changed}.items() if value]
    return APP + "reports:\n  - " + "\n    ".join(lines) + "\n"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Loads a project with one account of a component, as Dagster does, and gives all that is told of what is wrong."""
    name = f"wrong_{re.sub(r'[^a-z0-9]', '_', tmp_path.name)}"
    monkeypatch.syspath_prepend(tmp_path)
    place = tmp_path / name / "defs" / "shop"
    place.mkdir(parents=True)
    for folder in (tmp_path / name, tmp_path / name / "defs"):
        (folder / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\nregistry_modules = ["analytics_assets"]\n'
    )

    def told(component: str, attributes: str) -> str:
        (place / "defs.yaml").write_text(
            f"type: analytics_assets.{component}\n\nattributes:\n{indent(attributes, '  ')}"
        )
        try:
            with pytest.raises(ComponentTreeException) as caught:
                dg.load_from_defs_folder(path_within_project=tmp_path / name)
        finally:
            for module in [one for one in sys.modules if one.split(".")[0] == name]:
                del sys.modules[module]
        causes: list[BaseException] = [caught.value]
        while causes[-1].__cause__ is not None:
            causes.append(causes[-1].__cause__)
        return "\n".join(map(str, causes))

    return told


STATSIG = (
    (
        "events: []\n" + SCHEDULE,
        "statsig listing: events is empty, so nothing would be asked. Name events, or leave it out to discover them.",
    ),
    ("events: [a, b, a]\n" + SCHEDULE, "statsig listing: events names 'a' twice. Name each once."),
    ('events: [".."]\n' + SCHEDULE, "statsig listing: events names '..', which no address can hold. Take it out."),
    (
        "day_utc_offset_hours: 15\n" + SCHEDULE,
        "day_utc_offset_hours is 15.0; no zone is that far from UTC. Use -12 to 14; Statsig's default is -8.",
    ),
    (
        "final_after_hours: -1\n" + SCHEDULE,
        "final_after_hours is -1.0, so a day would be requested before it ends. Use 0 or more; 12 is Statsig's own pace.",
    ),
)
AIRBRIDGE = (
    (APP + "reports: []\n", "attributes.reports: List should have at least 1 item after validation, not 0"),
    (
        report().replace("Asia/Seoul", "Asia/Soul"),
        "Airbridge app 'shop', timezone: 'Asia/Soul' is no time zone. Use a name such as Asia/Seoul.",
    ),
    (
        report().replace("USD", "dollars"),
        "Airbridge app 'shop', currency: 'dollars' is no currency code. Use one such as USD.",
    ),
    (
        report() + "  - " + "\n    ".join(f"{name}: {value}" for name, value in REPORT.items()) + "\n",
        "reports: two have the same name, so their tables would collide. Give each a name of its own.",
    ),
    (report(metric="app_ltv"), "metric: 'app_ltv' is not known. Use app_revenue"),
    (report(metric="app_roas", aggregation="on-day"), "aggregation: app_roas cannot be had 'on-day'. Use cumulative."),
    (
        report(granularity="week"),
        "granularity: the rows of a week begin at the first day requested, so they cannot be tables of a day. Use day and add up the daily cohorts.",
    ),
    (report(intervals="121"), "intervals: 121 is not within 0 to 120 days. Choose a number in that range."),
    (report(start_events="[app_instal]"), "start_events: 'app_instal' is not known. Use app_install"),
    (
        report(group_by="[]"),
        "group_by: it is empty, or has an empty or a repeated entry. List different dimensions, at least one.",
    ),
    (
        report(name="Revenue-2"),
        "name: 'Revenue-2' cannot begin a table's name. Use small letters, digits and _, a letter first.",
    ),
    (report(filters="[{field: channel, type: IN}]"), "filters[0].values: IN needs values. Give at least one."),
    (
        report(filters="[{field: channel, type: LIKES, values: [a]}]"),
        "filters[0].filter_type: 'LIKES' is not known. Use IN",
    ),
    (report() + "tasks: {days_per_task: 93}\n", "Input should be less than or equal to 92"),
    (
        report(group_by="[channel, Channel]"),
        "group_by: the field 'Channel' would be the column 'channel', which there is already.",
    ),
)
KEYS = (
    ("StatsigMetrics", "keys: STATSIG_CONSOLE_KEY\n" + SCHEDULE, "attributes.keys"),
    ("AirbridgeRevenue", report(metrics="app_revenue"), "attributes.reports.0.metrics: unknown field"),
    ("BentoStats", "segments: {newsletter: yes}\n" + SCHEDULE, "attributes.segments"),
)


@pytest.mark.parametrize(("attributes", "message"), STATSIG, ids=lambda one: one[:40])
def test_a_statsig_project_that_cannot_be_read_is_told_in_one_message(refused: Refused, attributes: str, message: str):
    """With the file; the words are whole sentences."""
    told = refused("StatsigMetrics", attributes)
    assert message in told
    assert "shop" in told


@pytest.mark.parametrize(("attributes", "message"), AIRBRIDGE, ids=lambda one: one[-40:])
def test_an_airbridge_app_that_cannot_be_read_is_told_in_one_message(refused: Refused, attributes: str, message: str):
    """What the vendor would refuse after minutes is refused when it is loaded."""
    told = refused("AirbridgeRevenue", attributes)
    assert message in told
    assert "shop" in told


@pytest.mark.parametrize(("component", "attributes", "place"), KEYS, ids=lambda one: one[:20])
def test_a_wrong_key_or_type_is_told_with_file_and_line(refused: Refused, component: str, attributes: str, place: str):
    """The path of the key, the file, and the line in it."""
    told = refused(component, attributes)
    assert place in told
    assert re.search(r"defs\.yaml:\d+", told)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"ANALYTICS_MODE": "production"}, "ANALYTICS_MODE='production' is not known. Use sandbox or live."),
        ({"ANALYTICS_SCHEDULES": "yes"}, "ANALYTICS_SCHEDULES='yes' is not known. Use on or off."),
        (
            {"ANALYTICS_START_DATE": "01.02.2026"},
            "ANALYTICS_START_DATE='01.02.2026' is not a date. Write it as 2025-01-01.",
        ),
    ],
)
def test_a_wrong_setting_is_told_with_variable_value_and_remedy(environment: dict[str, str], message: str):
    """The whole message."""
    with pytest.raises(PermanentError) as caught:
        settings(environment)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        (
            "http://api.airbridge.io",
            "base_url to 'api.airbridge.io' is refused. It must start with https://, or with http:// to this machine.",
        ),
        (
            "https://name:word@api.airbridge.io",
            "base_url is refused. It must hold a host, a port and a path, and nothing else.",
        ),
        ("https://api.airbridge.io:port", "base_url is refused: it is not a URL. Write it as https://host/path."),
    ],
)
def test_an_address_keys_must_not_go_to_is_refused(base_url: str, message: str):
    """The whole message; it repeats no secret."""
    with pytest.raises(PermanentError) as caught:
        destination(settings({"ANALYTICS_MODE": "live"}), vendor="airbridge", base_url=base_url, documented=base_url)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("resource", "missing"),
    [
        (
            BentoResource(publishable_key_variable="SHOP_BENTO", secret_key_variable="SET"),
            "variables SHOP_BENTO, BENTO_SITE_UUID are not set. Live mode needs them",
        ),
        (
            StatsigResource(console_key_variable="SHOP_STATSIG"),
            "variable SHOP_STATSIG is not set. Live mode needs it",
        ),
        (
            AirbridgeResource(app_name="shop", token_variable="SHOP_AIRBRIDGE"),
            "variable SHOP_AIRBRIDGE is not set. Live mode needs it",
        ),
    ],
    ids=lambda one: one[:20] if isinstance(one, str) else "",
)
async def test_missing_keys_are_told_by_their_variables_when_the_account_is_opened(
    resource, missing: str, monkeypatch: pytest.MonkeyPatch
):
    """All at once, so that one look at the message sets them; live mode, nothing is sent."""
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    monkeypatch.setenv("SET", "a key")
    with pytest.raises(AccessRefusedError) as caught:
        async with resource.open(clock=lambda: NOW):
            pass
    assert str(caught.value) == f"The environment {missing}; ANALYTICS_MODE=sandbox needs no key."


def test_a_key_with_blanks_around_is_the_key_and_one_of_two_lines_is_none() -> None:
    """As files of secrets end; what stands there is not repeated."""
    assert secrets("SHOP", environment={"SHOP": "\n the whole key \n"}) == ["the whole key"]
    with pytest.raises(AccessRefusedError) as caught:
        secrets("SHOP", environment={"SHOP": "the\nkey"})
    assert str(caught.value) == "SHOP holds more than a key: a line break or another control character. Set it anew."


def test_an_address_of_the_sandbox_is_refused_by_the_name_of_its_setting() -> None:
    """A person who set it knows no base_url."""
    wrong, url = settings({"ANALYTICS_SANDBOX_URL": "localhost:8000"}), "https://app.bentonow.com/api/v1"
    with pytest.raises(PermanentError) as caught:
        destination(wrong, vendor="bento", base_url=url, documented=url)
    assert str(caught.value) == (
        "ANALYTICS_SANDBOX_URL to 'no host' is refused. It must start with https://, or with http:// to this machine."
    )


def test_a_key_of_blanks_is_no_key(monkeypatch: pytest.MonkeyPatch):
    """A variable that a deployment left empty."""
    monkeypatch.setenv("SHOP_STATSIG", "  ")
    with pytest.raises(AccessRefusedError, match="The environment variable SHOP_STATSIG is not set"):
        keys(settings({"ANALYTICS_MODE": "live"}), ["SHOP_STATSIG"], vendor="statsig", sandbox_constants=[])
