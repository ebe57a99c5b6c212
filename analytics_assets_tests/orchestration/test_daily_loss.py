"""Who may replace a day by far fewer rows: schedules, sensors and backfills only with a tag, a person for a few days."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets_tests.lake.vendor import NOW, Vendor, days
from analytics_assets_tests.shop import Shop, span

MANY = [str(number) for number in range(80)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Four days of eighty numbers, and a vendor that has none of them any more."""
    with dg.DagsterInstance.ephemeral() as instance:
        shop = Shop(tmp_path / "lake", instance, Vendor(dict.fromkeys(days(4), MANY)))
        shop.run(span("01", "04"))
        shop.vendor = Vendor({day: [] for day in days(4)}, requested_at=NOW.replace(hour=13))
        yield shop


@pytest.mark.parametrize(
    ("tags", "last", "is_accepted"),
    [
        ({}, "03", True),
        ({}, "04", False),
        ({"analytics/accept_loss": "true"}, "04", True),
        ({"dagster/schedule_name": "shop_daily"}, "01", False),
        ({"dagster/sensor_name": "shop_reports"}, "01", False),
        ({"dagster/backfill": "abc"}, "01", False),
        ({"dagster/backfill": "abc", "analytics/accept_loss": "true"}, "04", True),
        ({"dagster/schedule_name": "shop_daily", "analytics/accept_loss": "no"}, "01", False),
    ],
)
def test_a_loss_is_accepted_by_a_person_or_a_tag(
    shop: Shop, tags: dict[str, str], last: str, *, is_accepted: bool
) -> None:
    """A refused day is red and keeps its rows; an accepted one is green, and the check warns with both counts."""
    run = shop.run({**span("01", last), **tags})
    verdict = shop.verdicts(run.run_id)["numbers", "days_stored"]
    assert not verdict.passed
    if is_accepted:
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert verdict.severity == dg.AssetCheckSeverity.WARN
        assert "0 rows where 80 were stored for the same request; the loss was accepted" in (verdict.description or "")
        assert shop.lake.stored_day("shop", "numbers", days(1)[0]).rows == 0  # type: ignore[union-attr]
    else:
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert verdict.severity == dg.AssetCheckSeverity.ERROR
        assert "shop/numbers has 80 rows and would have 0" in str(shop.failure(run))
        assert shop.lake.stored_day("shop", "numbers", days(1)[0]).rows == 80  # type: ignore[union-attr]


def test_a_re_execution_of_a_scheduled_run_is_the_schedules(shop: Shop) -> None:
    """A click on it is no look at the day."""
    first = shop.run({**span("01", "01"), "dagster/schedule_name": "shop_daily"})
    again = shop.run(span("01", "01"), again=first)
    assert again.status == dg.DagsterRunStatus.FAILURE


def test_the_daily_checks_warn_as_long_as_the_loss_stands(shop: Shop) -> None:
    """They read the lake alone."""
    shop.run(span("01", "01"))
    assert "the loss was accepted" in (shop.verdicts(shop.look().run_id)["numbers", "days_stored"].description or "")
    shop.vendor = Vendor(dict.fromkeys(days(4), MANY), requested_at=NOW.replace(hour=14))
    shop.run(span("01", "01"))
    assert shop.verdicts(shop.look().run_id)["numbers", "days_stored"].passed
