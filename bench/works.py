"""The works: how much is asked, for which days, and the specifications that this project asks with.

A work is the same for every way: the same requests where the way can ask so, the same rows in the end (the number of rows is compared).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from analytics_assets.sources.airbridge.report_loader import Waiting
from analytics_assets.sources.airbridge.report_spec import ReportSpec
from analytics_assets.sources.airbridge.streams import App
from analytics_assets.sources.airbridge.task_decisions import TaskPolicy
from analytics_assets.sources.bento.client import DIMENSIONS
from analytics_assets.sources.bento.streams import AdsSpec

STATSIG, BENTO, AIRBRIDGE = "statsig_day", "bento_year", "airbridge_cohorts"
# Only to see what memory the other days of the year cost.
BENTO_MONTH = "bento_month"
WORKS = (STATSIG, BENTO, BENTO_MONTH, AIRBRIDGE)
_MONTH_DAYS = 30
ITEMS_PER_PAGE = 100
LOOK_S = 0.05
IN_FLIGHT = 16
DAYS_PER_RUN = 92
APP = App("myapp", "Asia/Seoul", "USD", 4.0)
WAITING = Waiting(60.0, DAYS_PER_RUN, 8, TaskPolicy(first_poll_s=LOOK_S, first_pause_s=LOOK_S))


@dataclass(frozen=True)
class Sizes:
    """How much there is, counted from `today`.

    Attributes:
        today: The day the benchmark is run, in UTC.
        events: Statsig events, `pages` pages of definitions each.
        pages: Pages an event has.
        days: Days of Bento, up to the last one that is final.
        dimensions: Bento's dimensions; one request each and day.
        cohorts: Airbridge start dates, all of them with all intervals reached.
        groups: Groups of the Airbridge report.
        intervals: Its last interval.
    """

    today: date
    events: int = 60
    pages: int = 3
    days: int = 365
    dimensions: int = len(DIMENSIONS)
    cohorts: int = 90
    groups: int = 101
    intervals: int = 120

    def event_names(self) -> list[str]:
        """The Statsig events."""
        return [f"event_{number:03}" for number in range(self.events)]

    def metric_day(self) -> date:
        """The Statsig day that the definitions are made for: the newest that is over in UTC-8."""
        return self.today - timedelta(days=2)

    def bento_days(self) -> list[date]:
        """The days of Bento, oldest first."""
        return _days(self.today - timedelta(days=2), self.days)

    def ads(self) -> AdsSpec:
        """What is asked of Bento each day."""
        return AdsSpec(dimensions=DIMENSIONS[: self.dimensions])

    def cohort_days(self) -> list[date]:
        """The start dates of Airbridge, oldest first."""
        return _days(self.today - timedelta(days=self.intervals + 3), self.cohorts)

    def report(self) -> ReportSpec:
        """What is asked of Airbridge."""
        return ReportSpec(
            name="revenue",
            group_by=("channel", "campaign"),
            metric="app_revenue",
            aggregation="cumulative",
            start_events=("app_install",),
            return_events=("app_order_complete",),
            intervals=self.intervals,
        )


def sizes(today: date, *, is_small: bool) -> Sizes:
    """The sizes of the comparison, or small ones that only show that everything runs."""
    if not is_small:
        return Sizes(today)
    return Sizes(today, events=3, pages=2, days=3, dimensions=2, cohorts=3, groups=10, intervals=5)


def of_work(work: str, chosen: Sizes) -> tuple[str, Sizes]:
    """What a work is done as, and its sizes: the month is the last part of the year."""
    return (BENTO, replace(chosen, days=min(_MONTH_DAYS, chosen.days))) if work == BENTO_MONTH else (work, chosen)


def tasks(days: list[date], *, each: int) -> list[tuple[date, date]]:
    """First and last day of each report task that covers so many of the days."""
    return [(some[0], some[-1]) for some in (days[at : at + each] for at in range(0, len(days), each))]


def _days(last: date, count: int) -> list[date]:
    return [last - timedelta(days=ago) for ago in reversed(range(count))]
