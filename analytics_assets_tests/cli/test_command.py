"""The command line: what it prints, on which stream, and with which status it ends. The vendor is a server on the loopback."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics_assets import SOURCES
from analytics_assets.__main__ import main
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.fixed_world import FixedWorld
from analytics_assets_tests.integration.server import Sandbox, sandbox_server

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CALIBRATE = ("calibrate", "bento")
ROOT = Path(__file__).parents[2]
ACCOUNT = """\
type: analytics_assets.BentoStats

attributes:
  keys: {{publishable: SHOP_KEY}}
  ads: {{window: {{zone: {zone}}}}}
  schedule: {{cron: 10 2 * * *, lookback_days: 7, days_per_run: 12}}
"""


def clock() -> datetime:
    """The present instant of these tests."""
    return NOW


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A Bento in Newfoundland that takes the end in, where requests go."""
    options = Options(now=clock, bento_zone="America/St_Johns", bento_end="inclusive", bento_dates="noon")
    with sandbox_server(options) as server:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", server.url)
        yield server


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of a command."""
    status = main(arguments, clock=clock)
    out, err = capsys.readouterr()
    # How many zones there are changes with the zone data.
    return status, re.sub(r"(?<=readings left: )\d+", "N", out), err


def test_it_prints_what_was_seen_and_the_lines_to_paste(vendor, capsys):
    """The lines stand at the depth they have in the YAML."""
    assert said(capsys, *CALIBRATE) == (
        0,
        """\
Asking Bento (sandbox), account bento, about 2026-03-06 ...
  1. start_date='2026-03-04' end_date='2026-03-08': 100 chart points, 2026-03-04 15:30 to 2026-03-09 01:30 UTC, 249 signups; readings left: N
  2. start_date='2026-03-06' end_date='2026-03-07': 34 chart points, 2026-03-06 15:30 to 2026-03-08 02:30 UTC, 82 signups; readings left: N
  3. start_date='2026-03-06 00:00' end_date='2026-03-07 00:00': 45 chart points, 2026-03-06 03:30 to 2026-03-08 02:30 UTC, 112 signups; readings left: N
  4. start_date='2026-03-06 00:00' end_date='2026-03-06 00:00': 22 chart points, 2026-03-06 03:30 to 2026-03-07 02:30 UTC, 55 signups; readings left: N
Bento reads dates in America/St_Johns, takes the last day in and takes an ISO date for noon, so that a time of day has to go with it.
Write this under `ads` in defs/bento/defs.yaml:

    window:
      zone: America/St_Johns
      end: inclusive
      format: iso_time
""",
        "",
    )
    assert vendor.counts() == {"bento GET /stats/ads": 4}


def test_a_day_may_be_named(vendor, capsys):
    """An older one than the newest that can be asked about."""
    status, out, _ = said(capsys, *CALIBRATE, "--account", "bento", "--day", "2026-02-01")
    assert (status, out.splitlines()[0]) == (0, "Asking Bento (sandbox), account bento, about 2026-02-01 ...")
    assert "start_date='2026-01-30' end_date='2026-02-03'" in out


def test_where_it_stays_open_it_ends_with_status_one_and_prints_no_yaml(monkeypatch, capsys):
    """A site without traffic."""
    with sandbox_server(Options(now=clock), FixedWorld([])) as server:
        monkeypatch.setenv("ANALYTICS_SANDBOX_URL", server.url)
        assert said(capsys, *CALIBRATE) == (
            1,
            """\
Asking Bento (sandbox), account bento, about 2026-03-06 ...
  1. start_date='2026-03-04' end_date='2026-03-08': no chart points; readings left: N
There are no chart points around 2026-03-06, so nothing shows which days were counted. Try a day with signups and purchases with --day.
""",
            "",
        )


def test_a_refused_key_is_told_on_stderr_with_the_names_of_the_variables(vendor, capsys):
    """One request, status 2."""
    vendor.spoil(vendor="bento", kind="status", status=401)
    status, out, err = said(capsys, *CALIBRATE)
    assert (status, out) == (2, "Asking Bento (sandbox), account bento, about 2026-03-06 ...\n")
    assert err.startswith("analytics-assets: Bento GET /stats/ads: HTTP 401")
    assert "BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID" in err
    assert vendor.counts() == {"bento GET /stats/ads": 1}


def test_missing_keys_are_told_by_the_names_of_their_variables(monkeypatch, capsys):
    """In live mode the keys are those of the runs; nothing is asked without them."""
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    assert said(capsys, *CALIBRATE) == (
        2,
        "Asking Bento (live), account bento, about 2026-03-06 ...\n",
        "analytics-assets: The environment variables BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID are not set. Live mode needs them; ANALYTICS_MODE=sandbox needs no key.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--day", "2026-03-07"),
            "--day 2026-03-07: the days around it are not over everywhere. Use 2026-03-06 or an earlier day.",
        ),
        (
            ("--account", "shop"),
            f"--account shop: there is no such folder with a defs.yaml. There are: {', '.join(sorted(SOURCES))}.",
        ),
        (("--account", "statsig"), "--account statsig: defs/statsig/defs.yaml is no analytics_assets.BentoStats."),
    ],
)
def test_what_cannot_be_asked_is_refused_with_reason_and_remedy(capsys, arguments, words):
    """Before any request."""
    assert said(capsys, *CALIBRATE, *arguments) == (2, "", f"analytics-assets: {words}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*CALIBRATE, "--day", "soon"), "argument --day: 'soon' is no day; write it as 2026-03-01"),
        (("calibrate",), "the following arguments are required: VENDOR"),
        (("calibrate", "statsig"), "invalid choice: 'statsig'"),
        ((), "the following arguments are required: COMMAND"),
    ],
)
def test_a_command_that_is_not_understood_ends_with_status_two(capsys, arguments, words):
    """And with its usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, words in capsys.readouterr().err) == (2, True)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one account, `shop`, whose YAML is still to be written; its folder of accounts."""
    name = f"project_{re.sub(r'[^a-z0-9]', '_', tmp_path.name)}"
    monkeypatch.syspath_prepend(tmp_path)
    project = f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{name}"\nregistry_modules = ["analytics_assets"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / name / "defs" / "shop").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "defs/__init__.py").touch()
    return tmp_path / name / "defs"


def test_another_account_is_opened_as_its_yaml_says(shop, monkeypatch, capsys):
    """With the variables of its keys."""
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    (shop / "shop/defs.yaml").write_text(ACCOUNT.format(zone="Asia/Tokyo"))
    assert main((*CALIBRATE, "--account", "shop"), clock=clock, defs=shop) == 2
    assert capsys.readouterr() == (
        "Asking Bento (live), account shop, about 2026-03-06 ...\n",
        "analytics-assets: The environment variables SHOP_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID are not set. Live mode needs them; ANALYTICS_MODE=sandbox needs no key.\n",
    )


def test_an_account_whose_yaml_cannot_be_loaded_is_told_with_the_reason(shop, capsys):
    """As when Dagster loads it."""
    (shop / "shop/defs.yaml").write_text(ACCOUNT.format(zone="Mars/Olympus"))
    assert main((*CALIBRATE, "--account", "shop"), clock=clock, defs=shop) == 2
    assert capsys.readouterr() == (
        "",
        (
            "analytics-assets: defs/shop/defs.yaml:5 attributes.ads.window.zone: Bento ads, `window.zone`: 'Mars/Olympus' is no time zone. Use a name such "
            "as America/New_York.\nCorrect it there; docs/configuration.md has every field.\n"
        ),
    )


def test_it_runs_as_a_module_against_the_sandbox_in_its_own_process():
    """Nothing but the checkout is needed: no server, no key."""
    done = subprocess.run(
        [sys.executable, "-m", "analytics_assets", *CALIBRATE, "--day", "2026-03-06"],
        capture_output=True,
        timeout=60,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n\n    window:\n      zone: UTC\n      end: exclusive\n      format: iso\n")
