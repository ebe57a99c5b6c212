"""A project of its own with three live accounts whose vendors are a sandbox server, and the doctor's visit. No assertions here."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from analytics_assets.__main__ import main
from analytics_assets.clock import utc_now
from analytics_assets.lake.store import Lake
from analytics_assets.sandbox import credentials
from analytics_assets.sources.bento.tables import ADS_CHART

ROOT = Path(__file__).parents[3]
KEYS = {
    "SHOP_PUBLISHABLE": credentials.BENTO_PUBLISHABLE_KEY,
    "SHOP_SECRET": credentials.BENTO_SECRET_KEY,
    "SHOP_SITE": credentials.BENTO_SITE_UUID,
    "LAB_KEY": credentials.STATSIG_CONSOLE_KEY,
    "APP_TOKEN": credentials.AIRBRIDGE_API_TOKEN,
}
ACCOUNTS = {
    "shared": "type: analytics_assets.Shared\n",
    "shop": """\
type: analytics_assets.BentoStats

attributes:
  base_url: {url}/bento/api/v1
  keys: {{publishable: SHOP_PUBLISHABLE, secret: SHOP_SECRET, site_uuid: SHOP_SITE}}
  schedule: {{cron: 10 2 * * *, lookback_days: 7, days_per_run: 12}}
""",
    "lab": """\
type: analytics_assets.StatsigMetrics

attributes:
  base_url: {url}/statsig/console/v1
  key: LAB_KEY
  budget: {{requests: 100, per_seconds: 3600}}
  schedule: {{cron: 20 20 * * *, lookback_days: 4, days_per_run: 31}}
""",
    "app": """\
type: analytics_assets.AirbridgeRevenue

attributes:
  base_url: {url}/airbridge
  app_name: myapp
  token: APP_TOKEN
  budget: {{requests: 100, per_seconds: 3600}}
  timezone: Asia/Seoul
  currency: USD
  reports:
    - {{name: revenue, group_by: [channel], metric: app_revenue, aggregation: cumulative}}
  schedule: {{cron: 30 20 * * *, lookback_days: 32, days_per_run: 92}}
""",
}


@dataclass
class Patient:
    """A set-up.

    Attributes:
        folder: Where all of it stands.
        url: Address of the sandbox server.
        environment: What the process has.
    """

    folder: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Writes the project, and a Dagster home with the settings of this project but storage of its own."""
        self.name = f"project_{re.sub(r'[^a-z0-9]', '_', self.folder.name.lower())}"
        for name, text in ACCOUNTS.items():
            self.writes(name, text.format(url=self.url))
        (self.folder / self.name / "__init__.py").touch()
        (self.defs / "__init__.py").touch()
        (self.folder / "pyproject.toml").write_text(
            f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{self.name}"\n'
            'registry_modules = ["analytics_assets"]\n'
        )
        self.home.mkdir()
        shipped = yaml.safe_load((ROOT / "dagster.yaml").read_text())
        settings = {
            name: value
            for name, value in shipped.items()
            if name not in {"storage", "compute_logs", "local_artifact_storage"}
        }
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(settings))
        self.environment = {
            **KEYS,
            "ANALYTICS_MODE": "live",
            "ANALYTICS_LAKE": str(self.folder / "lake"),
            "ANALYTICS_STATE": f"sqlite:///{self.folder}/state.db",
            "DAGSTER_HOME": str(self.home),
            **self.environment,
        }

    @property
    def defs(self) -> Path:
        """Folder of the accounts."""
        return self.folder / self.name / "defs"

    @property
    def home(self) -> Path:
        """Dagster's home."""
        return self.folder / "home"

    def writes(self, account: str, text: str) -> None:
        """Puts a `defs.yaml` there."""
        (self.defs / account).mkdir(parents=True, exist_ok=True)
        (self.defs / account / "defs.yaml").write_text(text)

    def lands(self, *days: date, is_sandbox: bool = False) -> None:
        """Days of one of Bento's tables, without rows."""
        lake = Lake(self.environment["ANALYTICS_LAKE"])
        for day in days:
            lake.store_day("shop", ADS_CHART, day, ADS_CHART.schema.empty_table(), is_sandbox=is_sandbox)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's, to plant something in its storage."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    def visited(self, *arguments: str, later: timedelta = timedelta()) -> "Visit":
        """The doctor's visit, with a clock that may be ahead."""
        out, told = io.StringIO(), self.folder / "told.json"
        told.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            for name in ("ANALYTICS_SANDBOX_URL", "DAGSTER_HOME", "ANALYTICS_BUDGET", "ANALYTICS_SCHEDULES"):
                patch.delenv(name, raising=False)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.syspath_prepend(self.folder)
            command = ("doctor", "--json", str(told), *arguments)
            status = main(command, clock=lambda: utc_now() + later, defs=self.defs)
        return Visit(status, out.getvalue(), json.loads(told.read_text()))


@dataclass(frozen=True)
class Visit:
    """What the doctor said.

    Attributes:
        status: Exit status.
        out: What was printed.
        told: What was written for programs.
    """

    status: int
    out: str
    told: list[dict[str, Any]]

    def line(self, subject: str, what: str) -> tuple[str, str, str]:
        """Verdict, finding and remedy of a line; of several the first."""
        return next(line for line in self.lines(subject) if line[0] == what)[1:]

    def lines(self, subject: str) -> list[tuple[str, str, str, str]]:
        """What was looked at, verdict, finding and remedy of a subject's lines."""
        return [
            (line["what"], line["verdict"], line["found"], line["remedy"])
            for line in self.told
            if line["subject"] == subject
        ]


def beats(instance: dg.DagsterInstance, *, age: timedelta = timedelta(), daemon: str = "one", **errors: str) -> None:
    """A heartbeat of every thread that the instance needs; some with the error of their last round."""
    at = (utc_now() - age).timestamp()
    for name in instance.get_required_daemon_types():
        error = [SerializableErrorInfo(errors[name], [], "RuntimeError")] if name in errors else []
        instance.add_daemon_heartbeat(DaemonHeartbeat(at, name, daemon, error))


def switched(
    instance: dg.DagsterInstance,
    name: str,
    *,
    is_on: bool,
    is_sensor: bool,
    failure: str | None = None,
    at: datetime = datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
    code: str = "analytics_assets",
) -> None:
    """A schedule or sensor as it was switched in the UI, and its last tick where that failed.

    Args:
        instance: Dagster's.
        name: The schedule or sensor.
        is_on: True if it was switched on.
        is_sensor: True if it is a sensor.
        failure: Why its last tick failed.
        at: When that tick began.
        code: The code location.
    """
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="m"), location_name=code)
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
    kind = InstigatorType.SENSOR if is_sensor else InstigatorType.SCHEDULE
    data = SensorInstigatorData() if is_sensor else ScheduleInstigatorData(cron_schedule="0 0 * * *")
    status = InstigatorStatus.RUNNING if is_on else InstigatorStatus.STOPPED
    state = instance.add_instigator_state(InstigatorState(origin, kind, status, data))
    if failure is not None:
        cause = SerializableErrorInfo(failure, [], "TransientError")
        error = SerializableErrorInfo("Error occurred during the evaluation", [], "SensorExecutionError", cause)
        instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=name,
                instigator_type=kind,
                status=TickStatus.FAILURE,
                timestamp=at.timestamp(),
                error=error,
                selector_id=state.selector_id,
            )
        )
