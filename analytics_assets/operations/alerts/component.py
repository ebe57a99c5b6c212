"""The component of `defs/alerts/defs.yaml`: where alerts go and which, and their sensor.

Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

from datetime import timedelta
from typing import Literal

import dagster as dg
from pydantic import Field, field_validator

from analytics_assets.clock import utc_now
from analytics_assets.operations.alerts.sensor import AlertSpec, alert_sensor
from analytics_assets.orchestration.diagnostics import Diagnostics
from analytics_assets.orchestration.yaml_component import YamlComponent, variable_name
from analytics_assets.state.alert_log import IssueKind


class Alerts(YamlComponent):
    """Where alerts go and which: one message an issue, to Slack, e-mail, a webhook or any other service that Apprise knows."""

    destinations: list[str] = Field(
        default=[],
        description="Environment variables that hold one Apprise address each; never the address itself. None: no alerts.",
    )
    ui: str = Field(default="http://127.0.0.1:3000", description="Address of Dagster's UI, for the links in messages.")
    kinds: list[Literal["failure", "task", "check", "late"]] = Field(
        default=["failure", "task", "check", "late"],
        description="Any of failure (runs), task (report tasks refused or failing often), check and late (days).",
    )
    checks_from: Literal["warn", "error"] = Field(
        default="warn", description="warn, or error for alerts about checks of that severity only."
    )
    repeat_hours: float = Field(
        default=24.0, description="An issue that goes on is sent again after so many hours; more than 0."
    )

    @field_validator("destinations")
    @classmethod
    def _names(cls, value: list[str]) -> list[str]:
        names = [variable_name(variable) for variable in value]
        if len(set(names)) < len(names):
            raise ValueError("destinations: a variable is named twice, so each alert would come twice. Name it once.")
        return names

    @field_validator("ui")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or "@" in value:
            raise ValueError(
                "this must be the address of the UI, without a password, such as https://dagster.example.com"
            )
        return value

    @field_validator("repeat_hours")
    @classmethod
    def _is_time(cls, value: float) -> float:
        if not 0 < value < timedelta.max.total_seconds() / 3600:
            raise ValueError(f"{value} hours are no time to wait: use more than 0, such as 24.")
        return value

    def diagnostics(self) -> Diagnostics:
        """What there is to examine of the alerts."""
        return Diagnostics(self.destinations, is_live_only=False)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002 - Dagster gives it
        """The sensor."""
        spec = AlertSpec(
            destinations=tuple(self.destinations),
            ui=self.ui,
            kinds=frozenset(map(IssueKind, self.kinds)),
            warnings=self.checks_from == "warn",
            repeat=timedelta(hours=self.repeat_hours),
        )
        return dg.Definitions(sensors=[alert_sensor(spec, clock=utc_now)])
