"""The sandbox as a server: ``python -m analytics_assets.sandbox --port N``.

Here live the command line and the loopback server. It prints one line with its address once it answers, then the line to
export. What it serves is ``app``; in-process use needs no server at all.
"""

import argparse
import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import uvicorn

from analytics_assets.sandbox.app import create_app
from analytics_assets.sandbox.faults import Rule, parse_rules
from analytics_assets.sandbox.options import Options, utc_now

_FAULT = 'a fault to begin with, may be given again, such as {"kind":"status","status":503,"rate":0.1}'


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("give the instant a zone, such as 2026-07-01T12:00:00Z")
    return at


def _zone(text: str) -> str:
    return ZoneInfo(text).key


def _rule(text: str) -> Rule:
    try:
        return parse_rules([json.loads(text)])[0]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _clock_from(start: datetime) -> Callable[[], datetime]:
    """A clock that shows ``start`` now and runs at the usual speed."""
    shift = start - utc_now()
    return lambda: utc_now() + shift


def _parser() -> argparse.ArgumentParser:
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m analytics_assets.sandbox",
        description="Serve simulated Bento, Statsig and Airbridge APIs from one synthetic business.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind to")
    add("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    add("--seed", type=int, default=usual.seed, help="seed of the synthetic business")
    add("--latency", type=float, default=usual.latency_s, help="seconds by which every vendor answer is delayed")
    add("--task-seconds", type=float, default=usual.task_seconds, help="seconds an Airbridge report task takes")
    add("--fail-every", type=int, default=0, help="every n-th report task ends FAILURE; 0 is never")
    add("--cancel-every", type=int, default=0, help="every n-th report task ends CANCELED; 0 is never")
    add("--forget-every", type=int, default=0, help="every n-th report task answers 404 once done; 0 is never")
    add("--now", type=_instant, help="instant with a zone at which the vendors' clock starts; it runs on from there")
    add(
        "--until",
        type=_instant,
        help="instant with a zone from which on nothing happens in the business; the clock runs on",
    )
    add("--fault", action="append", default=[], type=_rule, metavar="JSON", help=_FAULT)
    add("--bento-zone", type=_zone, default=usual.bento_zone, help="zone in which Bento reads dates")
    add(
        "--bento-end",
        choices=("exclusive", "inclusive"),
        default=usual.bento_end,
        help="whether Bento leaves the end date out or takes it in",
    )
    add(
        "--bento-dates",
        choices=("midnight", "noon", "words"),
        default=usual.bento_dates,
        help="what a date without time means to Bento; with words, ISO dates are refused",
    )
    add(
        "--bento-buckets",
        choices=("hourly", "daily"),
        default=usual.bento_buckets,
        help="length of a point of Bento's chart",
    )
    add("--bento-currency", default=usual.bento_currency, help="main currency of Bento's figures")
    add(
        "--bento-chart-key",
        choices=("chartData", "chart"),
        default=usual.bento_chart_key,
        help="name of the chart in Bento's ads statistics",
    )
    add("--airbridge-zone", type=_zone, default=usual.airbridge_zone, help="zone of the Airbridge app")
    add("--airbridge-currency", default=usual.airbridge_currency, help="standard currency of the Airbridge app")
    add(
        "--airbridge-envelope",
        choices=("data", "task"),
        default=usual.airbridge_envelope,
        help="shape around an Airbridge report: the page's sample, or its prose and the sibling reports",
    )
    return parser


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        seed=chosen.seed,
        latency_s=chosen.latency,
        task_seconds=chosen.task_seconds,
        fail_every=chosen.fail_every,
        cancel_every=chosen.cancel_every,
        forget_every=chosen.forget_every,
        now=_clock_from(chosen.now) if chosen.now else utc_now,
        until=chosen.until,
        bento_zone=chosen.bento_zone,
        bento_end=chosen.bento_end,
        bento_dates=chosen.bento_dates,
        bento_buckets=chosen.bento_buckets,
        bento_currency=chosen.bento_currency,
        bento_chart_key=chosen.bento_chart_key,
        airbridge_zone=chosen.airbridge_zone,
        airbridge_currency=chosen.airbridge_currency,
        airbridge_envelope=chosen.airbridge_envelope,
    )


class _Server(uvicorn.Server):
    """Says where it is as soon as it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Print the address and the line to export once the port is open."""
        await super().startup(sockets)
        if self.started:
            url = f"http://{self.config.host}:{self.servers[0].sockets[0].getsockname()[1]}"
            print(f"sandbox ready at {url}\nexport ANALYTICS_SANDBOX_URL={url}", flush=True)  # noqa: T201 -- the interface


def _server(chosen: argparse.Namespace) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(_options(chosen), faults=chosen.fault),
        host=chosen.host,
        port=chosen.port,
        access_log=False,
        # Answers broken off on purpose are errors to the server; its log would drown what matters.
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    return _Server(config)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    with suppress(KeyboardInterrupt):
        _server(_parser().parse_args(arguments)).run()


if __name__ == "__main__":
    main()
