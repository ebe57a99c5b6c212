"""Sends messages: to each destination on its own, so that one that is down holds up no other.

A destination is an environment variable that holds one Apprise address; such an address is a secret, so it is in no message, log or file.
What does not arrive is tried again with a growing pause for as long as it takes. Keep what is told out of here (`messages.py`).
Library: Apprise, https://github.com/caronc/apprise/wiki
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import unquote

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError
from analytics_assets.http.statuses import Vendor
from analytics_assets.settings import secret
from analytics_assets.state.outbox import Message, Outbox

SENDING_S = 15.0
_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3600.0
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
        has_time: Whether another message can be sent in this tick; one takes `SENDING_S` at most.
    """

    def to(destination: str) -> int:
        arrived = 0
        while has_time() and (held := outbox.take(destination, now=clock())) is not None:
            trouble = send(destination, held.message)
            if trouble is not None:
                pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(held.tries - 1, 10))
                outbox.failed(held.id, trouble, next_try_at=clock() + timedelta(seconds=pause))
                break
            outbox.arrived(held.id, now=clock())
            arrived += 1
        return arrived

    if not destinations:
        return 0
    with ThreadPoolExecutor(len(destinations)) as pool:
        return sum(pool.map(to, destinations))


def send(destination: str, message: Message, *, environment: Mapping[str, str] | None = None) -> str | None:
    """Sends a message now; returns why it did not arrive, without any part of the address, or None if it did."""
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

    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="analytics_assets", async_mode=False))
    if not service.add(address) or len(service) != 1:
        return (
            f"The environment variable {destination} does not hold one Apprise address, such as "
            "slack://TokenA/TokenB/TokenC or mailtos://user:password@host?to=name@host."
        )
    result = service.notify(
        title=message.title,
        body=message.body,
        notify_type=message.severity,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=SENDING_S,
    )
    if result:
        return None
    said = " ".join(dict.fromkeys(log.message for log in result.logs()))
    return Vendor(destination, destination, _secrets(address)).redact(said) or "It was refused without a reason."


def _secrets(address: str) -> list[str]:
    """The parts of an address that could be a secret: all of them that are no number and no word of the form."""
    parts = re.split(r"[:/@?&=;,#\s]+", address)
    return [one for part in parts for one in {part, unquote(part)} if len(one) >= _SHORTEST_SECRET]
