"""Sends messages: to each destination on its own, so that one that is down holds up no other.

A destination is an environment variable that holds one Apprise address; such an address is a secret, so it is in no message, log or file.
What does not arrive is tried again with a growing pause for as long as it takes. Keep what is told out of here (`messages.py`).
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

from analytics_assets.alerts.lengths import fit_body, shorten
from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.statuses import Vendor
from analytics_assets.settings import secret
from analytics_assets.state.outbox import LONGEST_PAUSE, Message, Outbox

if TYPE_CHECKING:
    import apprise

SENDING_S = 15.0
_LATE = f"It did not respond within {SENDING_S:.0f} s."
# Line break and counter that Apprise allows for beside a title.
_TITLE_MARGIN = 16
_FIRST_PAUSE_S = 60.0
# After so many messages in a row the destination is taken to be down; one that it refuses alone holds up no newer one.
_MOST_FAILURES = 2
# Shorter parts of an address, such as a port, stand in any text.
_SHORTEST_SECRET = 5

# At DEBUG it writes addresses with their passwords.
logging.getLogger("apprise").setLevel(logging.WARNING)


def deliver(
    outbox: Outbox,
    destinations: Sequence[str],
    *,
    clock: Clock,
    has_time: Callable[[], bool],
) -> int:
    """Sends what is due, to all destinations at once; returns how many messages arrived.

    Args:
        outbox: Where messages wait.
        destinations: Environment variables that hold addresses.
        clock: The present instant.
        has_time: Whether another message can be sent in this tick; one takes twice `SENDING_S` at most.
    """

    def to(destination: str) -> int:
        arrived = failures = 0
        while failures < _MOST_FAILURES and has_time() and (held := outbox.take(destination, now=clock())) is not None:
            trouble = send(destination, held.message)
            if trouble is not None:
                pause = min(LONGEST_PAUSE.total_seconds(), _FIRST_PAUSE_S * 2 ** min(held.tries - 1, 10))
                outbox.failed(held.id, trouble, next_try_at=clock() + timedelta(seconds=pause))
                failures += 1
                continue
            outbox.arrived(held.id, now=clock())
            arrived += 1
            failures = 0
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
    said = _notify(services, message)
    # After a time-out one part has perhaps arrived already; several parts may never arrive within the time.
    if said is not None and (short := shorten(message)) is not None and (is_split or said != _LATE):
        said = _notify(services, short) and said
    return None if said is None else Vendor(destination, destination, _secrets(address)).redact(said)


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
    said = " ".join(dict.fromkeys(log.message for log in result.logs()))
    return said or "It was refused without a reason."


def _room(service: "apprise.NotifyBase", title: str) -> int:
    """Characters that a service takes in the body, which holds the title too where the service has none."""
    room = int(service.body_maxlen) - int(service.overflow_buffer)
    has_no_title = service.title_maxlen <= 0 or service.overflow_amalgamate_title
    return max(1, room - (len(title) + _TITLE_MARGIN if has_no_title else 0))


def _secrets(address: str) -> list[str]:
    """The parts of an address that could be a secret: all of them that are no number and no word of the form."""
    parts = re.split(r"[:/@?&=;,#\s]+", address)
    return [one for part in parts for one in {part, unquote(part)} if len(one) >= _SHORTEST_SECRET]
