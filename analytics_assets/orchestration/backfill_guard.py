"""Refuses a backfill of many days that nobody has confirmed, before its first request, and says what it would cost.

Dagster's dialog offers all partitions with one click. Runs of schedules, sensors and `analytics-assets load` are exempt: their days are
bounded, or a person has seen the plan.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import dagster as dg

from analytics_assets.dates import in_words
from analytics_assets.orchestration.dagster_private import backfill_keys
from analytics_assets.orchestration.state_resource import LOAD_TAG

CONFIRM_TAG: Final = "analytics/confirm_backfill"
MOST_DAYS: Final = 92
# Every daily table depends on this asset, because Dagster's dialog offers a range of days only where all tables have one root.
PLAN_KEY: Final = dg.AssetKey("backfill_plan")
PLAN_DEP: Final = dg.AssetDep(PLAN_KEY, partition_mapping=dg.IdentityPartitionMapping())
_EXEMPT: Final = ("dagster/schedule_name", "dagster/sensor_name", LOAD_TAG)


@dataclass(frozen=True)
class BackfillGuard:
    """How many days a backfill may have without confirmation.

    Attributes:
        most_days: A backfill of more days has to be confirmed by its tag.
        costs: What some days cost, in lines.
    """

    most_days: int
    costs: Callable[[Sequence[date]], Sequence[str]]

    def check(self, context: dg.AssetExecutionContext, key: dg.AssetKey, days: Sequence[date]) -> None:
        """Refuses a run of a backfill that is too large and not confirmed, or a run that is.

        Args:
            context: The step's.
            key: An asset of the step.
            days: The days of the run.

        Raises:
            dg.Failure: It has more days than `most_days`; the message has the plan.
        """
        tags = context.run.tags
        if tags.get(CONFIRM_TAG) == "true" or not tags.keys().isdisjoint(_EXEMPT):
            return
        backfill = tags.get("dagster/backfill")
        keys = backfill_keys(context.instance, backfill, key) if backfill else []
        run_days = [date.fromisoformat(one) for one in keys] or list(days)
        if len(run_days) > self.most_days:
            what = "backfill" if backfill else "run"
            costs = "\n".join(self.costs(run_days))
            raise dg.Failure(
                f"This {what} has {len(run_days)} days, {in_words(run_days)}. More than {self.most_days} have to be confirmed, so nothing was "
                f"requested.\n{costs}\nTo load them, launch it again with the tag `{CONFIRM_TAG}` set to `true`. To load fewer, choose a "
                "shorter range.",
                allow_retries=False,
            )
