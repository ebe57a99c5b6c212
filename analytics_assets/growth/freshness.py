"""How fresh the accounts are that feed the growth tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from analytics_assets.dates import days_between
from analytics_assets.growth.build import GrowthSpec
from analytics_assets.lake.reader import LakeReader
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION
from analytics_assets.sources.statsig.tables import METRIC_VALUES


@dataclass(frozen=True)
class Freshness:
    """How fresh the days of a source are.

    Attributes:
        system: The vendor.
        account: The account.
        zone: Zone of its days.
        newest: Its newest stored day; None where nothing is stored.
        missing: Days between its first and its newest stored day that are not stored.
        is_sandbox: True if its numbers are invented.
    """

    system: str
    account: str
    zone: str
    newest: date | None
    missing: Sequence[date]
    is_sandbox: bool

    def age(self, now: datetime) -> str:
        """How many days ago the newest day was, in the zone of the source; empty where nothing is stored."""
        if self.newest is None:
            return ""
        days = (now.astimezone(ZoneInfo(self.zone)).date() - self.newest).days
        return f"{days} day{'' if days == 1 else 's'} ago"


def read_freshness(lake: LakeReader, spec: GrowthSpec) -> list[Freshness]:
    """How fresh the accounts are that feed the growth tables.

    Raises:
        LakeError: The lake cannot be listed.
    """
    return [
        *(
            _account_freshness(lake, "Airbridge", report.account, report.totals.name, report.zone)
            for report in spec.reports
        ),
        *(
            _account_freshness(lake, "Bento", source.account, ADS_ATTRIBUTION.name, source.zone)
            for source in spec.signups
        ),
        *(
            _account_freshness(lake, "Statsig", source.account, METRIC_VALUES.name, source.zone)
            for source in spec.metrics
        ),
    ]


def _account_freshness(lake: LakeReader, system: str, account: str, table: str, zone: str) -> Freshness:
    days = lake.days(account, table)
    if not days:
        return Freshness(system, account, zone, None, (), is_sandbox=False)
    newest = lake.usable(account, table, days[-1])
    missing = sorted({*days_between(days[0], days[-1])} - {*days})
    return Freshness(system, account, zone, days[-1], missing, newest is not None and newest.footer.is_sandbox)
