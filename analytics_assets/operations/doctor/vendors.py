"""Whether keys are set and each vendor accepts them, and whether the clock here is that of the vendors.

One request an account, through the session that runs use: its keys are taken out of what vendors repeat, its budget holds, and it goes before
a backfill as a poll does. What an outcome means is judged apart from asking, so that each can be read by itself.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from analytics_assets.clock import Clock
from analytics_assets.errors import AccessRefusedError, BlockedError, SourceError, TransientError, UnreachableError
from analytics_assets.http.statuses import FORBIDDEN, NOT_FOUND, SERVER_FAULT, THROTTLED, UNAUTHORIZED
from analytics_assets.operations.doctor.line import Line, Verdict, happened
from analytics_assets.orchestration.diagnostics import Diagnostics, VendorDiagnostics
from analytics_assets.settings import Mode, secret
from analytics_assets.state.rate_limit import RequestOrigin, RequestPriority

ASKING_S: Final = 15.0
_CLOCK_WARNS_S: Final = 60.0
_CLOCK_WRONG_S: Final = 300.0
_SUCCESS, _REDIRECT, _INVALID = 200, 300, 400


class WaitsError(Exception):
    """The budget would keep the request waiting; says for what and until when."""


@dataclass(frozen=True)
class Outcome:
    """What came of the request.

    Attributes:
        error: What was raised; None where it was answered.
        ahead_s: Seconds by which the clock here is ahead of the vendor's.
        seconds: How long it took.
    """

    error: Exception | None
    ahead_s: float | None = None
    seconds: float = 0.0


def variables(name: str, diagnostics: Diagnostics, mode: Mode) -> Iterator[Line]:
    """Whether each variable that a folder names is set."""
    if diagnostics.is_live_only and mode != "live":
        remedy = "ANALYTICS_MODE=live reads them; until then there is nothing to do."
        yield Line("keys", f"{name}: variables", "not checked", "the sandbox needs none", remedy)
        return
    for variable in diagnostics.variables:
        try:
            secret(variable)
        except AccessRefusedError:
            remedy = f"Set it where the daemon and the code server run; defs/{name}/defs.yaml names it."
            yield Line("keys", f"{name}: {variable}", "wrong", "not set", remedy)
        else:
            yield Line("keys", f"{name}: {variable}", "ok", "set")


def accepted(name: str, diagnostics: Diagnostics, clock: Clock, into: dict[str, float | None]) -> Iterator[Line]:
    """Whether the vendor accepts the keys; how far the clock is ahead is put into a mapping, by vendor."""
    account = diagnostics.account
    assert account is not None
    outcome = asyncio.run(_asked(account, clock))
    into[account.vendor] = outcome.ahead_s
    yield Line("keys", f"{name}: accepted", *judged(name, account, diagnostics.variables, outcome, clock()))


async def _asked(account: VendorDiagnostics, clock: Clock) -> Outcome:
    origin = RequestOrigin(RequestPriority.SENSOR, say=_refuse_to_wait)
    began = asyncio.get_running_loop().time()
    error: Exception | None = None
    try:
        async with asyncio.timeout(ASKING_S):
            await account.resource.health_check(clock=clock, origin=origin)
    except (SourceError, TimeoutError, WaitsError) as raised:
        error = raised
    return Outcome(error, origin.meter.ahead_s, asyncio.get_running_loop().time() - began)


def _refuse_to_wait(message: str) -> None:
    raise WaitsError(message)


def judged(
    name: str, account: VendorDiagnostics, keys: Sequence[str], outcome: Outcome, now: datetime
) -> tuple[Verdict, str, str]:
    """Verdict, finding and remedy of an outcome."""
    error, yaml = outcome.error, f"defs/{name}/defs.yaml"
    if error is None:
        return "ok", f"{account.vendor} answered in {outcome.seconds:.1f} s", ""
    if isinstance(error, WaitsError):
        return "not checked", str(error).rstrip("."), "Ask again then; the budget holds for the doctor too."
    if not isinstance(error, SourceError):
        problem = f"{account.resource.base_url} gave no complete answer within {ASKING_S:g} s"
        return "wrong", problem, f"Check the network, and `base_url` in {yaml}."
    message = happened(error)
    if isinstance(error, UnreachableError):
        if isinstance(error, BlockedError):
            problem = f"{message}: the keys were not looked at"
            remedy = f"Allow this machine's address and User-Agent there; check HTTPS_PROXY, and `base_url` in {yaml}."
        else:
            problem, remedy = message, f"Check the network, the name resolution and `base_url` in {yaml}."
        return "wrong", problem, remedy
    if error.status is None:
        remedy = f"Ask again; if it stays, check the network and `base_url` in {yaml}."
        # Where nothing could be sent at all, the error says what to look at.
        return ("warning", message, remedy) if isinstance(error, TransientError) else ("wrong", message, error.remedy)
    return _answered(error.status, message, error, name=name, account=account, keys=", ".join(keys), now=now)


def _answered(
    status: int, message: str, error: SourceError, *, name: str, account: VendorDiagnostics, keys: str, now: datetime
) -> tuple[Verdict, str, str]:
    """The same for a response that came but was no success, or not the vendor's."""
    vendor, yaml = account.vendor, f"defs/{name}/defs.yaml"
    wait = error.retry_after_s if isinstance(error, TransientError) else None
    closed = f"{now + timedelta(seconds=wait):%Y-%m-%d %H:%M:%S} UTC" if wait else "a time it does not name"
    verdicts: Mapping[int, tuple[Verdict, str, str]] = {
        THROTTLED: (
            "warning",
            f"{vendor} wants no request until {closed} (HTTP 429)",
            f"Wait; all processes do. `analytics-assets resume {name}` ends the pause now. If it comes back, lower `budget` in {yaml}.",
        ),
        UNAUTHORIZED: ("wrong", f"{message}: the keys are refused", f"Set {keys} to active keys of the account."),
        FORBIDDEN: (
            "wrong",
            f"{message}: the keys lack the permission",
            f"Give the role behind {keys} the right to read.",
        ),
        NOT_FOUND: (
            "wrong",
            f"{message}: {account.unknown} is unknown",
            f"Check it, {keys}, and `base_url` in {yaml}.",
        ),
    }
    if status in verdicts:
        return verdicts[status]
    if status >= SERVER_FAULT:
        return "warning", message, f"Ask again later; if it stays, {vendor}'s status page or support knows more."
    if _SUCCESS <= status < _REDIRECT:
        return (
            "wrong",
            message,
            f"See what answers in place of {vendor} at {account.resource.base_url}: a proxy, a log-in page.",
        )
    addition = ": moved elsewhere, and keys are sent nowhere else" if status < _INVALID else ""
    return "wrong", f"{message}{addition}", f"Check `base_url` and the names in {yaml}."


def clocks(ahead: Mapping[str, float | None], *, is_offline: bool, is_in_process: bool) -> Line:
    """Whether the clock here is that of the vendors that dated their responses."""
    what = "this machine's clock"
    if is_offline:
        return Line("clock", what, "not checked", "--offline asks no vendor", "Run it without --offline.")
    if is_in_process:
        remedy = "ANALYTICS_SANDBOX_URL or live mode would have another clock; there is nothing to do."
        return Line("clock", what, "not checked", "the sandbox in this process shares it", remedy)
    dated = {vendor: seconds for vendor, seconds in ahead.items() if seconds is not None}
    if not dated:
        return Line(
            "clock",
            what,
            "not checked",
            "no vendor has dated a response",
            "Fix what keeps the vendors from answering.",
        )
    worst = max(map(abs, dated.values()))
    clocks_text = ", ".join(
        f"{vendor}'s: {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}" for vendor, seconds in dated.items()
    )
    verdict: Verdict = "wrong" if worst > _CLOCK_WRONG_S else "warning" if worst > _CLOCK_WARNS_S else "ok"
    remedy = "Set the clock by NTP: days would be requested too early or too late." if verdict != "ok" else ""
    return Line("clock", what, verdict, f"beside {clocks_text}", remedy)


def started(start: datetime, now: datetime) -> Line:
    """Whether the first day of all tables has begun."""
    state = f"ANALYTICS_START_DATE is {start:%Y-%m-%d}"
    if start > now:
        remedy = "Set ANALYTICS_START_DATE to a past day: until then no table has a day."
        return Line("clock", "first day", "wrong", f"{state}, in the future", remedy)
    return Line("clock", "first day", "ok", state)
