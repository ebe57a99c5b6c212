"""Bento's sample answer of `/stats/ads` and its oddities, made into whole rows."""

import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.lake.diff import compare
from analytics_assets.sources.bento.tables import ADS_ATTRIBUTION, ADS_TOTALS
from analytics_assets_tests.sources.bento.ads_rows import ATTRIBUTION_ROW, CHART_ROW, SUMS, TOTALS_ROW, ads
from analytics_assets_tests.sources.bento.samples import ADS
from analytics_assets_tests.sources.bento.vendor import changed, part


def ads_row(**changes):
    """The sample with its one row of the breakdown changed."""
    return changed(ADS, breakdown=[{**part(ADS, "breakdown")[0], **changes}])


def ads_totals(**changes):
    """The sample with its totals changed."""
    return changed(ADS, totals={**part(ADS, "totals"), **changes})


def test_the_sample_answer_becomes_these_rows():
    """Every field of the sample, key for key, in the three tables."""
    assert ads(ADS) == {
        "ads_attribution": ([ATTRIBUTION_ROW], {"keys_source": 1, **SUMS}),
        "ads_totals": ([TOTALS_ROW], SUMS),
        "ads_chart": ([CHART_ROW], {"points": 1}),
    }


def test_the_chart_is_read_under_the_name_of_the_vendors_page_too():
    """The page says `chart`, the vendor's own client `chartData`."""
    assert ads(changed(ADS, chartData=..., chart=part(ADS, "chartData"))) == ads(ADS)


def test_numbers_sent_as_text_are_the_same_numbers():
    """Counts, cents, percent and x may come in quotes."""
    as_text = {"signups": "10", "customers": "2", "customerRate": "20", "revenueCents": "5050"}
    body = changed(
        ADS,
        totals={**part(ADS, "totals"), **as_text, "revenueVisitorCount": "10", "revenueByCurrency": {"USD": "5050"}},
        breakdown=[{**part(ADS, "breakdown")[0], **as_text, "revenuePerSignupCents": "505"}],
        chartData=[{"x": "1772323200", "signups": "10", "customers": "2", "revenue": "5050"}],
    )
    assert ads(body) == ads(ADS)


def test_each_currency_has_a_row_and_one_of_them_carries_the_counts():
    """Cents stay apart by currency; counts repeat, and `is_main_currency` says on which row to sum them."""
    money = {"revenueByCurrency": {"EUR": 1200, "USD": 5050}}
    body = changed(
        ADS,
        totals={**part(ADS, "totals"), **money},
        breakdown=[{**part(ADS, "breakdown")[0], **money}],
    )
    other = {"currency": "EUR", "is_main_currency": False, "revenue_cents": 1200}
    sums = {**SUMS, "revenue_cents_EUR": 1200}
    assert ads(body) == {
        "ads_attribution": (
            [{**ATTRIBUTION_ROW, **other, "revenue_per_signup_cents": None}, ATTRIBUTION_ROW],
            {"keys_source": 1, **sums},
        ),
        "ads_totals": ([{**TOTALS_ROW, **other}, TOTALS_ROW], sums),
        "ads_chart": ([CHART_ROW], {"points": 1}),
    }


def test_without_money_by_currency_the_single_sum_stands():
    """An empty `revenueByCurrency` gives one row with `revenueCurrency` and `revenueCents`, zero kept as zero."""
    rows, _ = ads(ads_row(revenueByCurrency={}, revenueCents=0, revenuePerSignupCents=0))["ads_attribution"]
    assert rows == [{**ATTRIBUTION_ROW, "revenue_cents": 0, "revenue_per_signup_cents": 0.0}]


def test_a_main_currency_without_money_leaves_the_counts_on_the_first_by_name():
    """When `revenueCurrency` is not among the currencies, exactly one row still carries the counts."""
    rows, _ = ads(ads_row(revenueCents=0, revenueByCurrency={"GBP": 7, "EUR": 1200}))["ads_attribution"]
    assert rows == [
        {
            **ATTRIBUTION_ROW,
            "currency": "EUR",
            "is_main_currency": True,
            "revenue_cents": 1200,
            "revenue_per_signup_cents": None,
        },
        {
            **ATTRIBUTION_ROW,
            "currency": "GBP",
            "is_main_currency": False,
            "revenue_cents": 7,
            "revenue_per_signup_cents": None,
        },
    ]


@pytest.mark.parametrize(("cents", "share"), [(6250, None), (5050, 505.0), (None, 505.0)])
def test_a_share_of_a_sum_over_currencies_is_nobodys(cents, share):
    """6250 is EUR and USD together, so what a signup brought of it is no USD; the sums by currency stand as sent."""
    rows, _ = ads(ads_row(revenueCents=cents, revenueByCurrency={"EUR": 1200, "USD": 5050}))["ads_attribution"]
    assert [(row["currency"], row["revenue_cents"], row["revenue_per_signup_cents"]) for row in rows] == [
        ("EUR", 1200, None),
        ("USD", 5050, share),
    ]


@pytest.mark.parametrize("missing", [None, ...], ids=["null", "left out"])
def test_null_and_missing_are_null_and_not_zero(missing):
    """Nothing beyond what the vendor's page names has to be there, and nothing is filled in."""
    row = dict.fromkeys(
        ("label", "signups", "customers", "customerRate", "revenueCents", "revenueCurrency", "revenueByCurrency"),
        missing,
    )
    totals = dict.fromkeys(("signups", "customers", "revenueCents", "revenueCurrency", "revenueByCurrency"), missing)
    kept = {name: value for name, value in row.items() if value is not ...}
    body = changed(
        ADS,
        totals={name: value for name, value in totals.items() if value is not ...},
        breakdown=[{"key": "google", **kept}],
        chartData=[{"x": 1772323200}],
        attribution=missing,
        revenueMode=missing,
        revenueTruncated=missing,
    )
    unknown = {"signups": None, "customers": None, "revenue_truncated": None}
    no_money = {**unknown, "currency": "", "revenue_cents": None, "customer_rate_percent": None}
    assert ads(body) == {
        "ads_attribution": (
            [{**ATTRIBUTION_ROW, **no_money, "label": None, "revenue_per_signup_cents": None}],
            {"keys_source": 1},
        ),
        "ads_totals": (
            [
                {
                    **TOTALS_ROW,
                    **no_money,
                    "revenue_visitor_count": None,
                    "top_source": None,
                    "attribution_mode": None,
                    "attribution_window_days": None,
                    "attribution_applies_to_ad_revenue": None,
                }
            ],
            {},
        ),
        "ads_chart": ([{**CHART_ROW, **unknown, "revenue_as_sent": None}], {"points": 1}),
    }


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", ""), (None, None), (7, "7"), ("007", "007"), ("null", "null"), ("Größe/“x”", "Größe/“x”")],
)
def test_keys_are_kept_as_opaque_text(sent, kept):
    """A key may be empty, null or a number; nothing is read into it."""
    rows, _ = ads(ads_row(key=sent, label=sent))["ads_attribution"]
    assert rows == [{**ATTRIBUTION_ROW, "key": kept, "label": kept}]


def test_the_same_key_twice_is_no_valid_day():
    """Two rows of one key and currency would be counted twice."""
    row = part(ADS, "breakdown")[0]
    with pytest.raises(UnexpectedPayloadError, match="1 keys occur more than once, the first is dimension='source'"):
        ads(changed(ADS, breakdown=[row, row]))


def test_truncated_revenue_is_marked_on_rows_and_in_figures():
    """Incomplete money says so next to the money."""
    done = ads(changed(ADS, revenueTruncated=True))
    sums = {**SUMS, "revenue_truncated": True}
    assert done == {
        "ads_attribution": ([{**ATTRIBUTION_ROW, "revenue_truncated": True}], {"keys_source": 1, **sums}),
        "ads_totals": ([{**TOTALS_ROW, "revenue_truncated": True}], sums),
        "ads_chart": ([{**CHART_ROW, "revenue_truncated": True}], {"points": 1}),
    }


def test_fields_not_known_here_are_named_where_they_occur():
    """New fields do no harm; the metadata of the table they belong to names them."""
    body = changed(
        ADS,
        newTop=1,
        totals={**part(ADS, "totals"), "newThing": None},
        attribution={**part(ADS, "attribution"), "model": {}},
        revenueMode={**part(ADS, "revenueMode"), "id": 1},
        breakdown=[{**part(ADS, "breakdown")[0], "ltv": 1}],
        chartData=[{**part(ADS, "chartData")[0], "visits": 1}],
    )
    assert ads(body) == {
        "ads_attribution": (
            [ATTRIBUTION_ROW],
            {"keys_source": 1, **SUMS, "unknown_fields": ["breakdown[].ltv"]},
        ),
        "ads_totals": (
            [TOTALS_ROW],
            {**SUMS, "unknown_fields": ["attribution.model", "newTop", "revenueMode.id", "totals.newThing"]},
        ),
        "ads_chart": ([CHART_ROW], {"points": 1, "unknown_fields": ["chartData[].visits"]}),
    }


def test_figures_take_the_totals_of_the_first_answer_and_count_keys_of_each_dimension():
    """Totals of several dimensions are the same people; adding them up would count everybody twice."""
    campaign = changed(ADS, dimension="campaign", breakdown=[], totals={**part(ADS, "totals"), "signups": 11})
    done = ads(ADS, campaign)
    totals = {**TOTALS_ROW, "dimension": "campaign", "signups": 11}
    assert done == {
        "ads_attribution": ([ATTRIBUTION_ROW], {"keys_source": 1, "keys_campaign": 0, **SUMS}),
        "ads_totals": ([totals, TOTALS_ROW], SUMS),
        "ads_chart": ([{**CHART_ROW, "dimension": "campaign"}, CHART_ROW], {"points": 2}),
    }


def test_a_filter_is_a_column_of_the_totals():
    """Whoever reads the totals sees that they may be those of one value."""
    rows, _ = ads(ADS, value="google")["ads_totals"]
    assert rows == [{**TOTALS_ROW, "value_filter": "google"}]


def test_totals_of_another_load_change_per_answer_and_currency():
    """Counts repeat on each currency row and change once; each dimension and mode is another count of the same people and money."""
    euros = {"currency": "EUR", "is_main_currency": False}
    answers = ({}, {"dimension": "campaign"}, {"revenue_mode": "subscriptions"})
    old, new = (
        ADS_TOTALS.rows({**TOTALS_ROW, **answer, **row} for answer in answers for row in rows)
        for rows in (
            ({}, {**euros, "revenue_cents": 1200}),
            ({"signups": 12, "revenue_cents": 5000}, {**euros, "signups": 12, "revenue_cents": 1300}),
        )
    )
    names = ("source/all_revenue", "campaign/all_revenue", "source/subscriptions")
    figures = compare(ADS_TOTALS, old, new)
    assert figures["signups_change"] == dict.fromkeys(names, 2)
    assert figures["customers_change"] == dict.fromkeys(names, 0)
    assert figures["revenue_cents_change"] == {
        **{f"{name}/USD": -50 for name in names},
        **{f"{name}/EUR": 100 for name in names},
    }


@pytest.mark.parametrize("truncated", [0, 1])
def test_truncated_revenue_of_either_load_has_no_change(truncated):
    """Revenue that Bento calls incomplete is less than the day's, so its difference to the whole is no restatement."""
    old, new = (ADS_TOTALS.rows([{**TOTALS_ROW, "revenue_truncated": load == truncated}]) for load in (0, 1))
    assert "revenue_cents_change" not in compare(ADS_TOTALS, old, new)


def test_attribution_shows_changed_rows_only():
    """Bento sends the top values: a key that leaves them has not lost its revenue, so a sum over keys would mislead."""
    old = ADS_ATTRIBUTION.rows([ATTRIBUTION_ROW, {**ATTRIBUTION_ROW, "key": "tiktok"}])
    new = ADS_ATTRIBUTION.rows([{**ATTRIBUTION_ROW, "revenue_cents": 1}])
    assert compare(ADS_ATTRIBUTION, old, new) == {"rows_changed": 1, "rows_added": 0, "rows_removed": 1}
