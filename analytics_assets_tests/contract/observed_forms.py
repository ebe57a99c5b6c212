"""Reads every stream under every form and says what came of it. No assertions here; they are in `test_forms.py`.

A form that only spells the same facts otherwise is read for a week of days, any other for as few days as show it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from analytics_assets.sandbox.options import Options
from analytics_assets.sandbox.world import SeededWorld
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets_tests.contract.clients import NOW
from analytics_assets_tests.contract.operations import REPORT
from analytics_assets_tests.contract.readings import Read, Wish, read
from analytics_assets_tests.contract.server import SandboxServer, sandbox_server
from analytics_assets_tests.vendors.awkward_names import AwkwardWorld
from analytics_assets_tests.vendors.forms import Form
from analytics_assets_tests.vendors.registry import FORMS

USUAL, WEEK, ALL, AWKWARD = "the usual form", "the usual form for a week", "all harmless forms", "awkward names"
ONE_PAGE = "statsig-pagination-absent"
OPTIONS = Options(now=lambda: NOW, task_seconds=0, statsig_max_limit=25)
# Points as text and as milliseconds cannot be had at once, nor can a young cohort be filled in three ways.
APART = {"bento-milliseconds", "airbridge-young-null", "airbridge-young-carried", ONE_PAGE}
USERS = replace(REPORT, name="users", metric="app_user_count", aggregation="unique-cumulative")
DAYS = {
    "bento": Wish([date(2026, 7, 13)]),
    "statsig": Wish([date(2026, 7, 14)]),
    "airbridge": Wish([date(2026, 7, 12) + timedelta(days=number) for number in range(3)]),
}
_SEVEN = [date(2026, 7, 8) + timedelta(days=number) for number in range(7)]
WEEKS = {
    "bento": Wish(
        _SEVEN,
        ads=AdsSpec(dimensions=("source", "campaign")),
        segments=("segment_a",),
        reports=("report_signups", "report_counter", "report_wrapped"),
    ),
    "statsig": Wish(_SEVEN),
    "airbridge": Wish(_SEVEN, revenue=(REPORT, USERS)),
}
Readings = dict[tuple[str, str, str], Read]


def observed_forms(folder: Path) -> Readings:
    """Every stream of a form's vendor, by vendor, name of the form and name of the stream."""
    found: Readings = {}
    with sandbox_server(OPTIONS) as server:
        for vendor, few in DAYS.items():
            forms = [form for form in FORMS if form.vendor == vendor and not form.of_errors and form.name != ONE_PAGE]
            together = [form.name for form in forms if form.is_harmless and form.name not in APART]
            cells: list[tuple[str, Sequence[str], Wish]] = [(USUAL, (), few), (WEEK, (), WEEKS[vendor])]
            cells += [(form.name, (form.name,), _wish(form)) for form in forms]
            for name, on, wish in [*cells, (ALL, together, WEEKS[vendor])]:
                found |= _read(server, vendor, name, on, wish=wish, folder=folder / vendor / name)
    with sandbox_server(replace(OPTIONS, statsig_max_limit=100)) as server:
        found |= _read(server, "statsig", ONE_PAGE, (ONE_PAGE,), wish=WEEKS["statsig"], folder=folder / ONE_PAGE)
    with sandbox_server(OPTIONS, AwkwardWorld(SeededWorld(OPTIONS.seed))) as server:
        for vendor, wish in WEEKS.items():
            found |= _read(server, vendor, AWKWARD, (), wish=wish, folder=folder / vendor / AWKWARD)
    return found


def _wish(form: Form) -> Wish:
    """A week for a harmless form; ROAS only where it is what changes."""
    wish = (WEEKS if form.is_harmless else DAYS)[form.vendor]
    return wish if "roas" in form.name else replace(wish, revenue=wish.revenue[:1])


def _read(server: SandboxServer, vendor: str, form: str, on: Sequence[str], *, wish: Wish, folder: Path) -> Readings:
    server.reset()
    server.switch_on(*on)
    reads = asyncio.run(read(server, vendor, wish, folder))
    return {(vendor, form, stream): one for stream, one in reads.items()}
