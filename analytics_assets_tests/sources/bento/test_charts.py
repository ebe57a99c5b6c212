"""What is drawn of a site's revenue, from a lake planted by hand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.lake.store import Lake
from analytics_assets.orchestration.charts.content import Bars
from analytics_assets.sources.bento.charts import ads_pictures
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_TOTALS

LAST = date(2026, 3, 10)
NO_COUNTS = dict.fromkeys(
    (
        "label",
        "signups",
        "customers",
        "customer_rate_percent",
        "revenue_per_signup_cents",
        "value_filter",
        "revenue_visitor_count",
        "top_source",
        "attribution_mode",
        "attribution_window_days",
        "attribution_applies_to_ad_revenue",
    )
)


def plant(lake: Lake, day: date, rows: list[tuple[str | None, str, int | None]], *, truncated: bool = False) -> None:
    """A day of (source, currency, cents), and what else was requested; the totals are 1.00 above the sum of the rows."""

    def row(dimension: str, mode: str, currency: str, cents: int | None, **more: Any) -> dict[str, Any]:
        about = {"date": day, "dimension": dimension, "revenue_mode": mode, "currency": currency}
        money = {"revenue_cents": cents, "is_main_currency": True, "revenue_truncated": truncated}
        return {**NO_COUNTS, **about, **money, **more}

    others = [row("campaign", "all_revenue", "EUR", 999, key="c"), row("source", "first_revenue", "EUR", 999, key="c")]
    named = [row("source", "all_revenue", currency, cents, key=key) for key, currency, cents in rows]
    lake.store_day("site", ADS_ATTRIBUTION, day, ADS_ATTRIBUTION.rows(_only(ADS_ATTRIBUTION, [*others, *named])))
    totals = [
        row("source", "all_revenue", currency, 100 + sum(cents or 0 for _, of, cents in rows if of == currency))
        for currency in dict.fromkeys(currency for _, currency, _ in rows)
    ]
    lake.store_day("site", ADS_TOTALS, day, ADS_TOTALS.rows(_only(ADS_TOTALS, totals)))


def _only(table: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in table.schema.names} for row in rows]


def pictures(lake: Lake, value: str | None = None) -> Any:
    """The picture of the last day."""
    found = ads_pictures("site", lake, LAST, dimension="source", mode="all_revenue", value=value)
    assert set(found) <= {"revenue_by_source"}
    return found.get("revenue_by_source")


def test_revenue_is_drawn_by_source_and_currency_and_a_day_that_is_not_there_is_no_zero(tmp_path: Path) -> None:
    """Hundredths become units; other dimensions and modes are left out; a source a day does not have is zero there."""
    lake = Lake(str(tmp_path))
    plant(
        lake, LAST - timedelta(days=2), [("google", "EUR", 1050), ("", "EUR", 0), (None, "EUR", None)], truncated=True
    )
    plant(lake, LAST, [("google", "EUR", -200), ("news", "USD", 300)])
    found = pictures(lake)
    assert isinstance(found, Bars)
    tail = {unit: {name: values[-3:] for name, values in stacks.items()} for unit, stacks in found.panels.items()}
    assert tail == {
        "EUR": {"google": [10.5, None, -2.0], "(no source)": [0.0, None, 0.0]},
        "USD": {"news": [0.0, None, 3.0]},
    }
    assert {unit: values[-3:] for unit, values in found.totals.items()} == {
        "EUR": [11.5, None, -1.0],
        "USD": [None, None, 4.0],
    }
    assert found.absent == set(found.days) - {LAST, LAST - timedelta(days=2)}
    assert (len(found.days), found.days[-1]) == (7, LAST)
    assert (found.caption.title, found.caption.of, found.caption.unit) == (
        "Revenue by source",
        "site",
        "EUR and USD a day, all_revenue",
    )
    assert found.caption.notes == [
        "Bento names the top values only, so the bars may stay below the total of the day.",
        "1 amounts were not sent and are not drawn.",
        "Bento says that revenue is incomplete on 2026-03-08.",
    ]


def test_money_of_a_currency_without_cents_is_drawn_as_sent_and_says_so(tmp_path: Path) -> None:
    """Whether 1050 is 10 or 1050 yen no page says; a hundredth of it would be a guess in a picture."""
    lake = Lake(str(tmp_path))
    plant(lake, LAST, [("google", "JPY", 1050), ("google", "KWD", 1050), ("google", "EUR", 1050)])
    found = pictures(lake)
    assert {unit: stacks["google"][-1] for unit, stacks in found.panels.items()} == {
        "EUR": 10.5,
        "JPY as sent": 1050,
        "KWD as sent": 1050,
    }
    assert {unit: values[-1] for unit, values in found.totals.items()} == {
        "EUR": 11.5,
        "JPY as sent": 1150,
        "KWD as sent": 1150,
    }
    assert found.caption.unit == "EUR and JPY as sent and KWD as sent a day, all_revenue"
    assert found.caption.notes[1:] == [
        f"Bento counts in cents and does not say what that is of {currency}, which has none: it is drawn as sent."
        for currency in ("JPY", "KWD")
    ]


def test_the_largest_sources_are_named_and_the_rest_is_one_bar(tmp_path: Path) -> None:
    """By the money that moved; the filter of a filtered stream is in the caption."""
    lake = Lake(str(tmp_path))
    plant(lake, LAST, [(f"s{number:02}", "EUR", 100 * (50 - number)) for number in range(40)])
    found = pictures(lake, value="ad-1")
    assert {name: values[-1] for name, values in found.panels["EUR"].items()} == {
        **{f"s{number:02}": float(50 - number) for number in range(8)},
        "32 others": float(sum(50 - number for number in range(8, 40))),
    }
    assert found.caption.of == "site, source = ad-1"


def test_a_site_without_a_day_has_no_picture(tmp_path: Path) -> None:
    """There is nothing to draw, and no empty frame."""
    assert pictures(Lake(str(tmp_path))) is None
