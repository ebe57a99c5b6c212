"""A small lake with two Airbridge apps, written by hand rules, and its rows as plain values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from analytics_assets.growth.build import GrowthSpec, PlannedSpend, Report
from analytics_assets.growth.channels import ChannelRule
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.tables import cohort_totals_table, cohorts_table

REPORT = ReportSpec(
    name="revenue",
    group_by=("channel", "campaign"),
    metric="app_revenue",
    aggregation="cumulative",
    start_events=("app_install",),
    return_events=("app_order_complete",),
    intervals=30,
)
RULES = (
    ChannelRule("airbridge", "Organic", name=""),
    ChannelRule("airbridge", "Google Ads", name="google.adwords"),
    ChannelRule("airbridge", "Google, other", pattern="google*"),
    ChannelRule("airbridge", "Meta", pattern="facebook.*"),
    ChannelRule("bento", "Newsletter", name="tiktok"),
)
CHANNEL_OF = {
    "": "Organic",
    "google.adwords": "Google Ads",
    "google.display": "Google, other",
    "facebook.business": "Meta",
    "facebook.lite": "Meta",
    "tiktok": "tiktok",
}
FIRST = date(2026, 3, 2)
# The last day that is over for all cohorts.
LAST_REACHED = FIRST + timedelta(days=44)


@dataclass(frozen=True)
class Group:
    """A group of one start date, with the cells of each day since start; a cell that is not reached has no value."""

    account: str
    date: date
    raw_channel: str
    campaign: str
    currency: str
    cost: Decimal | None
    users: int | None
    cells: tuple[Decimal | None, ...]
    masked: frozenset[int] = frozenset()
    is_cost_masked: bool = False
    is_users_masked: bool = False

    @property
    def channel(self) -> str:
        """Its channel, by the table above."""
        return CHANNEL_OF[self.raw_channel]

    @property
    def reached(self) -> int:
        """The last day since start that its cohort has reached."""
        return min(30, (LAST_REACHED - self.date).days)


@dataclass(frozen=True)
class SmallLake:
    """The rows of a lake and the days that are stored."""

    groups: list[Group] = field(default_factory=list)
    stored: set[tuple[str, date]] = field(default_factory=set)


def small_lake() -> SmallLake:
    """Two apps over 45 days: an incomplete week, an empty day, masks, two currencies, a channel without cost, an unmapped name."""
    lake = SmallLake()
    for account in ("app_a", "app_b"):
        for number in range(45):
            day = FIRST + timedelta(days=number)
            if (account, number) in {("app_a", 16), ("app_b", 3)}:
                continue
            lake.stored.add((account, day))
            # Empty days: one among the old ones, and the newest.
            if (account, number) not in {("app_a", 9), ("app_a", 44)}:
                lake.groups.extend(_groups(account, number, day))
    return lake


def _groups(account: str, number: int, day: date) -> Iterator[Group]:
    # The first app changes its currency after five weeks, in the middle of a week.
    currency = "KRW" if account == "app_b" else "EUR" if number >= 38 else "USD"
    for place, (raw, campaign) in enumerate(
        [
            ("", ""),
            ("google.adwords", "brand"),
            ("google.adwords", "search"),
            ("google.display", "wide"),
            ("facebook.business", "spring"),
            ("facebook.lite", "spring"),
            ("tiktok", "first"),
        ]
    ):
        if raw == "tiktok" and number % 3:
            continue
        users = 20 + (number * 7 + place * 5) % 31
        unit = Decimal(place * 3 + number % 5 + 1) / 4
        cells: list[Decimal | None] = [unit * users * (n + 1) for n in range(31)]
        if raw == "google.display":
            # A refund after day 10.
            cells = [value if n < 10 or value is None else value - unit * 50 for n, value in enumerate(cells)]
        if raw == "facebook.lite" and number == 12:
            cells[7] = None
        masked = frozenset({0, 1, 7}) if raw.startswith("facebook") and number % 4 == 0 else frozenset()
        reached = (LAST_REACHED - day).days
        yield Group(
            account,
            day,
            raw,
            campaign,
            currency,
            None if raw == "" else Decimal(0) if campaign == "search" else Decimal(number * 11 + place * 13 + 7),
            None if (raw, number) == ("tiktok", 6) else 0 if (raw, number) == ("google.display", 5) else users,
            tuple(value if n <= reached else None for n, value in enumerate(cells)),
            masked,
            is_cost_masked=raw == "tiktok" and number == 9,
            is_users_masked=bool(masked),
        )


def written(small: SmallLake, folder: Path | str) -> Lake:
    """The lake as Parquet files."""
    lake = Lake(str(folder))
    cohorts, totals = cohorts_table(REPORT), cohort_totals_table(REPORT)
    for account, day in sorted(small.stored):
        groups = [group for group in small.groups if (group.account, group.date) == (account, day)]
        names = [
            {"date": day, "channel": one.raw_channel, "campaign": one.campaign, "currency": one.currency}
            for one in groups
        ]
        cells = [
            {
                **name,
                "days_since_start": n,
                "value": value,
                "is_masked": n in group.masked and n <= group.reached,
                "is_reached": n <= group.reached,
            }
            for name, group in zip(names, groups, strict=True)
            for n, value in enumerate(group.cells)
        ]
        sums = [
            {
                **name,
                "cost": group.cost,
                "cost_is_masked": group.is_cost_masked,
                "revenue": None,
                "revenue_is_masked": False,
                "users": group.users,
                "users_is_masked": group.is_users_masked,
            }
            for name, group in zip(names, groups, strict=True)
        ]
        lake.store_day(account, cohorts, day, cohorts.rows(cells))
        lake.store_day(account, totals, day, totals.rows(sums))
    return lake


PLAN = tuple(
    PlannedSpend(account, month, channel, currency, Decimal(amount))
    for account, month, channel, currency, amount in (
        ("app_a", date(2026, 3, 1), "Google Ads", "USD", "5000.50"),
        ("app_a", date(2026, 4, 1), "Google Ads", "USD", "1000"),
        ("app_a", date(2026, 4, 1), "Google Ads", "EUR", "700"),
        ("app_a", date(2026, 3, 1), "Organic", "USD", "10"),
        ("app_b", date(2026, 4, 1), "Meta", "KRW", "0"),
        ("app_b", date(2026, 5, 1), "Meta", "KRW", "900"),
        ("app_b", date(2026, 3, 1), "Radio", "KRW", "900"),
    )
)


def spec(week_start: str = "monday", plan: Sequence[PlannedSpend] = ()) -> GrowthSpec:
    """What the growth tables of that lake are made from."""
    reports = [
        Report(account, cohorts_table(REPORT), cohort_totals_table(REPORT), "channel", "campaign")
        for account in ("app_a", "app_b")
    ]
    return GrowthSpec(reports, RULES, week_start, plan=plan)
