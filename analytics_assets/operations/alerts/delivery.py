"""Sends messages to each destination on its own, so that one that is down delays no other. Apprise's result decides what arrived.

A destination is an environment variable that holds one Apprise address; such an address is a secret, so it is in no message, log or file.
A message that does not arrive is composed and sent again after a growing pause.
Library: Apprise, https://github.com/caronc/apprise/wiki
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.statuses import Vendor
from analytics_assets.operations.alerts.messages import Message, Writer, fit_body, shorten
from analytics_assets.settings import secret
from analytics_assets.state.alert_log import LONGEST_PAUSE, AlertLog

if TYPE_CHECKING:
    import apprise

SENDING_S = 15.0
_LATE = f"It did not respond within {SENDING_S:.0f} s."
# Line break and counter that Apprise allows for beside a title.
_TITLE_MARGIN = 16
_FIRST_PAUSE = timedelta(minutes=1)
# After so many messages in a row a tick leaves the destination alone; a message that it refuses alone delays no other.
_MOST_FAILURES = 2
# Shorter parts of an address, such as a port, stand in any text.
_SHORTEST_SECRET = 5

# At DEBUG it writes addresses with their passwords.
logging.getLogger("apprise").setLevel(logging.WARNING)


def deliver(
    log: AlertLog,
    destinations: Sequence[str],
    writer: Writer,
    *,
    repeat: timedelta,
    clock: Clock,
    has_time: Callable[[], bool],
) -> int:
    """Sends what is due, to all destinations at once; returns how many messages arrived.

    Args:
        log: The open issues.
        destinations: Environment variables that hold addresses.
        writer: Composes the messages.
        repeat: An issue that is still seen is sent again after this.
        clock: The present instant.
        has_time: True if another message can be sent in this tick; one takes twice `SENDING_S` at most.
    """

    def to(destination: str) -> int:
        arrived = failures = 0
        while failures < _MOST_FAILURES and has_time():
            issues = log.claim(destination, repeat=repeat, now=clock())
            if not issues:
                break
            error = send(destination, writer.message(issues))
            if error is None:
                log.sent(issues, now=clock())
                arrived, failures = arrived + 1, 0
            else:
                tries = min(issue.tries for issue in issues)
                pause = min(LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(tries, 10))
                log.failed(issues, error, next_try_at=clock() + pause)
                failures += 1
        return arrived

    if not destinations:
        return 0
    with ThreadPoolExecutor(len(destinations)) as pool:
        return sum(pool.map(to, destinations))


def send(destination: str, message: Message, *, environment: Mapping[str, str] | None = None) -> str | None:
    """Sends a message now, shortened to what the service takes; one that is refused is sent in its shortest form.

    Returns why it did not arrive, without any part of the address, or None if it did.
    """
    try:
        address = secret(
            destination,
            environment,
            advice="Alerts go there: set it to an Apprise address, or take it out of the YAML.",
        )
    except AccessRefusedError as error:
        return str(error)
    # Only a process that sends loads it and its many services; every run loads this module.
    import apprise  # noqa: PLC0415

    services = apprise.Apprise(asset=apprise.AppriseAsset(app_id="analytics_assets", async_mode=False))
    if not services.add(address) or len(services) != 1:
        return (
            f"The environment variable {destination} does not hold one Apprise address, such as "
            "slack://TokenA/TokenB/TokenC or mailtos://user:password@host?to=name@host."
        )
    service = services[0]
    is_split = service.overflow_mode == apprise.OverflowMode.SPLIT
    if not is_split:
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
        message = replace(message, body=fit_body(message.body, _room(service, message.title)))
    failure = _notify(services, message)
    # After a time-out one part has perhaps arrived already; several parts may never arrive within the time.
    if failure is not None and (short := shorten(message)) is not None and (is_split or failure != _LATE):
        failure = _notify(services, short) and failure
    return None if failure is None else Vendor(destination, destination, _secrets(address)).redact(failure)


def _notify(services: "apprise.Apprise", message: Message) -> str | None:
    """Why a message did not arrive, in Apprise's words, which may hold the address; None if it did."""
    import apprise  # noqa: PLC0415

    result = services.notify(
        title=message.title,
        body=message.body,
        notify_type=message.severity,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=SENDING_S,
    )
    if result:
        return None
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        return _LATE
    error = " ".join(dict.fromkeys(log.message for log in result.logs()))
    return error or "It was refused without a reason."


def _room(service: "apprise.NotifyBase", title: str) -> int:
    """Characters that a service takes in the body, which holds the title too where the service has none."""
    room = int(service.body_maxlen) - int(service.overflow_buffer)
    has_no_title = service.title_maxlen <= 0 or service.overflow_amalgamate_title
    return max(1, room - (len(title) + _TITLE_MARGIN if has_no_title else 0))


def _secrets(address: str) -> list[str]:
    """The parts of an address that could be a secret: all of them that are no number and no word of the form."""
    parts = re.split(r"[:/@?&=;,#\s]+", address)
    return [text for part in parts for text in {part, unquote(part)} if len(text) >= _SHORTEST_SECRET]
