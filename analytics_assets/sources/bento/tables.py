"""Bento's tables: what a row is, in which unit, and what to know before adding rows up.

`ads_*` are by the day requested; `audience_*` and `report*` are by the day of observation, because Bento keeps no history of them.
Source of all meanings: https://bentonow.com/stats and the vendor's node client.
"""

import pyarrow as pa

from analytics_assets.lake.raw import raw_table
from analytics_assets.lake.table import DATE, MOMENT, Column, Origin, Sum, Table

DOCS_URL = "https://bentonow.com/stats"

_DAY = Column(DATE, pa.date32(), "The day requested, in the zone of the account's `window`.", made_from=(DATE,))
_SEEN_DAY = Column(
    DATE, pa.date32(), "The UTC day of the observation; the numbers are as of that moment.", made_from=(DATE,)
)
_SEEN = Column(
    "observed_at", MOMENT, "Instant the numbers were requested.", is_observation=True, made_from=("requested_at",)
)
_DIMENSION = Column(
    "dimension", pa.string(), "What is grouped by: source, campaign, medium, content or ad.", made_from=("params",)
)
_MODE = Column(
    "revenue_mode",
    pa.string(),
    "Which revenue events count: all_revenue, first_revenue or subscriptions.",
    made_from=("params",),
)
_CURRENCY = Column(
    "currency", pa.string(), "Currency of revenue_cents as sent, such as USD; empty where none is named."
)
_CENTS = Column(
    "revenue_cents",
    pa.int64(),
    "Revenue in whole cents of `currency`, as sent. Not documented: what a cent is of currencies that have none, such as JPY or KWD.",
    nullable=True,
    unit="cents of currency",
)
_TRUNCATED = Column("revenue_truncated", pa.bool_(), "True if Bento says its revenue is incomplete.", nullable=True)
_ONE_ROW = "Counts repeat on each currency row of a key: sum counts only where is_main_currency is true, sum revenue_cents per currency only."


def _main(of: str) -> Column:
    return Column(
        "is_main_currency",
        pa.bool_(),
        f"True on exactly one row per {of}, the row to sum counts over: the one in Bento's revenueCurrency, or the first by name.",
    )


def _count(name: str, description: str, *, unit: str = "people") -> Column:
    return Column(name, pa.int64(), description, nullable=True, unit=unit)


_RATE = Column(
    "customer_rate_percent",
    pa.float64(),
    "Customers per signup in percent, 0 to 100, as Bento rounds it.",
    nullable=True,
    unit="percent",
)

ADS_RAW = raw_table(
    "ads_raw",
    "Answers of GET /stats/ads, one per dimension and revenue mode. Equal answers to a later request leave the day as it is.",
    DOCS_URL,
)

ADS_ATTRIBUTION = Table(
    name="ads_attribution",
    description=(
        "Signups, customers and revenue of a day by value of a dimension; one row per dimension, revenue mode, key and currency. "
        f"{_ONE_ROW} Bento returns the top values only, so the rows may add up to less than ads_totals; the dimensions overlap."
    ),
    docs_url=DOCS_URL,
    origin=Origin(ADS_RAW, "body"),
    example="""
select dimension, revenue_mode, key, currency, sum(revenue_cents) as revenue_cents,
       sum(sum(signups) filter (is_main_currency)) over of_key as signups_of_key,
       sum(sum(customers) filter (is_main_currency)) over of_key as customers_of_key
from days group by dimension, revenue_mode, key, currency
window of_key as (partition by dimension, revenue_mode, key) order by all""",
    key=("dimension", "revenue_mode", "key", "currency"),
    columns=(
        _DAY,
        _DIMENSION,
        _MODE,
        Column(
            "key",
            pa.string(),
            "Value of the dimension, opaque; may be empty, null where Bento sent null.",
            nullable=True,
        ),
        _CURRENCY,
        Column("label", pa.string(), "The value as Bento's app shows it.", nullable=True),
        _main("dimension, revenue_mode and key"),
        _count("signups", "People who signed up; repeats on each currency row of a key."),
        _count("customers", "People who bought; repeats on each currency row of a key."),
        _RATE,
        _CENTS,
        Column(
            "revenue_per_signup_cents",
            pa.float64(),
            "Cents of `currency` per signup, as Bento rounds it; only on the row in Bento's revenueCurrency, and only if revenueCents is that row's.",
            nullable=True,
            unit="cents of currency",
        ),
        _TRUNCATED,
    ),
)

ADS_TOTALS = Table(
    name="ads_totals",
    description=(
        "Sums of a day; one row per dimension, revenue mode and currency. Totals do not depend on the dimension in principle, but each "
        f"answer carries its own: take one dimension, never the sum over dimensions. {_ONE_ROW}"
    ),
    docs_url=DOCS_URL,
    origin=Origin(ADS_RAW, "body"),
    example="""
select date, revenue_mode, currency, is_main_currency, signups, customers, revenue_cents
from days where dimension = (select min(dimension) from days) order by date desc, revenue_mode, currency""",
    key=("dimension", "revenue_mode", "currency"),
    sums=(
        Sum(("signups", "customers"), per=("dimension", "revenue_mode"), only="is_main_currency"),
        Sum(("revenue_cents",), per=("dimension", "revenue_mode", "currency"), incomplete="revenue_truncated"),
    ),
    columns=(
        _DAY,
        _DIMENSION,
        _MODE,
        _CURRENCY,
        _main("dimension and revenue_mode"),
        Column(
            "value_filter",
            pa.string(),
            "The value that was filtered to, null without a filter. Not documented: whether it filters totals and chart too.",
            nullable=True,
            made_from=("params",),
        ),
        _count("signups", "People who signed up; repeats on each currency row."),
        _count("customers", "People who bought; repeats on each currency row."),
        _count(
            "revenue_visitor_count",
            "Bento's revenueVisitorCount, people behind the revenue; repeats on each currency row.",
        ),
        _RATE,
        _CENTS,
        Column("top_source", pa.string(), "The strongest source; empty when there is none.", nullable=True),
        _TRUNCATED,
        Column("attribution_mode", pa.string(), "How the site attributes, such as last_click.", nullable=True),
        _count("attribution_window_days", "Days after a click within which a signup counts for it.", unit="days"),
        Column(
            "attribution_applies_to_ad_revenue", pa.bool_(), "Bento's attribution.appliesToAdRevenue.", nullable=True
        ),
    ),
)

ADS_CHART = Table(
    name="ads_chart",
    description=(
        "The day in buckets; one row per dimension, revenue mode and bucket. The size of a bucket is not documented, and buckets in which "
        "nothing happened may be missing. Take one dimension, never the sum over dimensions. Whether a `value` in the YAML filters it is not "
        "documented: `value_filter` of ads_totals says which days were asked with one."
    ),
    docs_url=DOCS_URL,
    origin=Origin(ADS_RAW, "body"),
    example="""
select bucket_start, revenue_mode, signups, customers
from days where dimension = (select min(dimension) from days) order by bucket_start desc, revenue_mode""",
    key=("dimension", "revenue_mode", "bucket_start"),
    columns=(
        _DAY,
        _DIMENSION,
        _MODE,
        Column("bucket_start", MOMENT, "The bucket's instant, from Bento's x; always inside the day."),
        _count("signups", "People who signed up."),
        _count("customers", "People who bought."),
        Column(
            "revenue_as_sent",
            pa.float64(),
            "Revenue as sent. Neither its unit (cents or whole currency) nor its currency is documented; use ads_totals for money.",
            nullable=True,
            unit="not documented",
        ),
        _TRUNCATED,
    ),
)

AUDIENCE_RAW = raw_table("audience_raw", "Answers of GET /stats/site and GET /stats/segment at one moment.", DOCS_URL)

AUDIENCE_COUNTS = Table(
    name="audience_counts",
    description=(
        "People of the site and of segments on the day they were observed; one row per subject, the last reading of a day stands. Segments "
        "overlap each other and the site. Bento does not say that users are subscribers plus unsubscribers."
    ),
    docs_url=DOCS_URL,
    origin=Origin(AUDIENCE_RAW, "body"),
    key=("kind", "id"),
    columns=(
        _SEEN_DAY,
        Column("kind", pa.string(), "site or segment.", made_from=("params",)),
        Column(
            "id", pa.string(), "Id of the segment; empty for the site, whose id is not stored.", made_from=("params",)
        ),
        _count("user_count", "All people."),
        _count("subscriber_count", "Active people."),
        _count("unsubscriber_count", "People who have unsubscribed."),
        _SEEN,
    ),
)

REPORTS_RAW = raw_table(
    "reports_raw",
    "Answers of GET /stats/report at one moment. Bento documents no personal fields; a report whose groups are people holds them here.",
    DOCS_URL,
)

REPORT_POINTS = Table(
    name="report_points",
    description=(
        "Points of Bento's reports on the day they were observed; one row a point, the last reading of a day stands. A report that is one "
        "number is one point. Shapes that are not documented give no rows: they stay in reports_raw and are named in the metadata."
    ),
    docs_url=DOCS_URL,
    origin=Origin(REPORTS_RAW, "body"),
    key=("report_id", "point_no"),
    columns=(
        _SEEN_DAY,
        Column("report_id", pa.string(), "Id of the report, as requested.", made_from=("params",)),
        Column("point_no", pa.int32(), "Position of the point within the report, from 0.", unit="position"),
        Column("report_name", pa.string(), "Name of the report.", nullable=True),
        Column("chart_style", pa.string(), "How Bento draws it, such as counter or column_chart.", nullable=True),
        Column("report_type", pa.string(), "Bento's class of the report.", nullable=True),
        Column("series", pa.string(), "Bento's g, the series the point belongs to.", nullable=True),
        Column(
            "x", pa.string(), "Bento's x as sent, mostly a date; null for a report that is one number.", nullable=True
        ),
        Column(
            "y",
            pa.float64(),
            "The number; its unit is the report's own and not sent.",
            nullable=True,
            unit="the report's own",
        ),
        _SEEN,
    ),
)
