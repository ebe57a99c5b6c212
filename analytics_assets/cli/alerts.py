"""`analytics-assets alerts test`: sends a message to every destination and says which took it.

Status: 0 all arrived, 1 one did not. How a message is sent is `operations/alerts/delivery.py`.
"""

import argparse
from pathlib import Path
from typing import Any

from analytics_assets.cli.accounts import RefusedError, component, folders, is_alerts
from analytics_assets.clock import Clock
from analytics_assets.operations.alerts.component import Alerts
from analytics_assets.operations.alerts.delivery import send
from analytics_assets.operations.alerts.issue import SUCCESS
from analytics_assets.operations.alerts.messages import Message
from analytics_assets.settings import settings


def add(subparsers: Any) -> None:
    """Adds the command's parser."""
    alerting = subparsers.add_parser("alerts", help="try where alerts go")
    testing = alerting.add_subparsers(title="what to do", required=True, metavar="WHAT").add_parser(
        "test",
        help="send a message to every destination",
        description="Sends one message to every destination, and says which took it.",
    )
    testing.set_defaults(carry_out=_test)


def _test(_arguments: argparse.Namespace, defs: Path, _clock: Clock) -> int:
    loaded = (component(defs / name, option="alerts") for name in folders(defs) if is_alerts(defs / name))
    names = [name for alerts in loaded if isinstance(alerts, Alerts) for name in alerts.destinations]
    if not names:
        raise RefusedError("no destination is configured: name one under `destinations` in defs/alerts/defs.yaml.")
    text = "This is a test. Alerts arrive here: failed runs, report tasks in trouble, failed checks and late days."
    message = Message(f"analytics_assets ({settings().mode}): alerts arrive here", text, SUCCESS)
    troubles = {name: send(name, message) for name in names}
    for name, error in troubles.items():
        print(f"{name}: {'arrived.' if error is None else f'did not arrive. {error}'}")
    return int(any(troubles.values()))
