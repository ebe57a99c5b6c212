"""Declarations of the growth tables: columns, units, keys, and how each column may be added."""

from typing import Final

import pyarrow as pa

from analytics_assets.lake.table import MONEY, Column, Table
from analytics_assets.sources.airbridge.tables import DOCS_URL
from analytics_assets.sources.bento.tables import DOCS_URL as BENTO_DOCS_URL
from analytics_assets.sources.statsig.tables import VALUES_URL

HORIZONS: Final = (0, 1, 3, 7, 14, 30)

_ACCOUNT: Final = Column("account", pa.string(), "Account of the source, as in the lake.")
_CHANNEL: Final = Column("channel", pa.string(), "Channel of the channel map; the raw name where no rule maps it.")
_CURRENCY: Final = Column(
    "currency", pa.string(), "Currency of all money in the row. Never add money across currencies."
)
_MAJOR: Final = "major units of currency"
_INSTALLS: Final = (
    "`totalUniqueUsers` of Airbridge, taken as the users of `app_install`. No page of Airbridge says whether it counts installs or payers. "
    "May be added over dates, channels and campaigns. Null where a group of the row has no number."
)


def _number(name: str, kind: pa.DataType, unit: str, description: str) -> Column:
    return Column(name, kind, description, nullable=True, unit=unit)


def _spend(grain: str) -> Column:
    return _number(
        "spend",
        MONEY,
        _MAJOR,
        f"Cost of {grain}. May be added within a currency. Null where a group of the row has no cost.",
    )


def _flag(name: str, what: str) -> Column:
    return Column(name, pa.bool_(), f"True if {what} holds a number that the vendor masked; it is in the sum as sent.")


def _ratio(name: str, description: str, unit: str = "ratio") -> Column:
    return _number(
        name, pa.float64(), unit, f"{description} A ratio: never add it. Null where a side is null or the divisor is 0."
    )


_MASKS: Final = (
    Column("cells", pa.int64(), "Reached cells behind the row. May be added over rows.", unit="cells"),
    Column("masked_cells", pa.int64(), "Those of them that the vendor masked. May be added over rows.", unit="cells"),
    _ratio("masked_share", "`masked_cells` by `cells`."),
)
_CAC: Final = _ratio("cac", "`spend` by `installs`.", "major units of currency by install")


def _horizon(day: int) -> tuple[Column, ...]:
    rest = f"Null where the cohort has not reached day {day} or the revenue is not known"
    return (
        _number(
            f"d{day}_revenue",
            MONEY,
            _MAJOR,
            f"Revenue from the start date through day {day}, over cohorts that have reached it. May be added over dates, channels and "
            f"campaigns within a currency, not over horizons. {rest}.",
        ),
        _number(
            f"d{day}_installs", pa.int64(), "users", f"Installs behind `d{day}_revenue`. May be added like it. {rest}."
        ),
        _number(
            f"d{day}_spend",
            MONEY,
            _MAJOR,
            f"Spend behind `d{day}_revenue`. For the ROAS of several rows, divide the sums over rows where this is not null. {rest}, or no cost is.",
        ),
        _ratio(f"d{day}_roas", f"`d{day}_revenue` by `d{day}_spend`; 1 means that the spend is paid back."),
    )


CHANNELS: Final = Table(
    name="channels",
    description="Raw names that the accounts use, with their channels. One row per account, source system and raw name. "
    "A raw name that no rule maps is its own channel, so that its figures stay in every sum.",
    docs_url=DOCS_URL,
    key=("account", "source_system", "raw_name"),
    columns=(
        _ACCOUNT,
        Column("source_system", pa.string(), "System that writes the raw name, such as airbridge."),
        Column("raw_name", pa.string(), "Name as the vendor sends it; empty means organic or none."),
        _CHANNEL,
        Column("rule", pa.string(), "Name or pattern of the rule that maps it; null where none does.", nullable=True),
        Column("is_mapped", pa.bool_(), "True if a rule maps it."),
        Column("first_date", pa.date32(), "First start date with this name."),
        Column("last_date", pa.date32(), "Last start date with this name."),
        Column("has_spend", pa.bool_(), "True if a day has cost; null where no day names a cost.", nullable=True),
    ),
)
ACQUISITION_DAILY: Final = Table(
    name="acquisition_daily",
    description="Spend, installs and revenue of each day's cohorts. One row per account, date, channel, campaign and currency. "
    "The date is the start date in the app's zone. A date without rows is empty or not stored: see `days_stored` of `channel_weekly`.",
    docs_url=DOCS_URL,
    key=("account", "date", "channel", "campaign", "currency"),
    columns=(
        _ACCOUNT,
        Column("date", pa.date32(), "Start date of the cohorts, in the app's zone."),
        _CHANNEL,
        Column(
            "campaign",
            pa.string(),
            "Campaign as sent; empty where there is none, or where the report has no campaigns.",
        ),
        _CURRENCY,
        _spend("the date"),
        _flag("spend_is_masked", "`spend`"),
        _number("installs", pa.int64(), "users", _INSTALLS),
        _flag("installs_is_masked", "`installs`"),
        _CAC,
        *(column for day in HORIZONS for column in _horizon(day)),
        *_MASKS,
    ),
)
COHORT_LTV: Final = Table(
    name="cohort_ltv",
    description="LTV curves. One row per account, cohort week, channel, day since start and currency. All rows of a curve rest on the same "
    "cohorts, so a curve falls only by refunds and corrections. It ends where the youngest stored cohort of the week ends.",
    docs_url=DOCS_URL,
    key=("account", "week", "channel", "days_since_start", "currency"),
    columns=(
        _ACCOUNT,
        Column("week", pa.date32(), "First day of the week of the start dates, in the app's zone."),
        _CHANNEL,
        Column("days_since_start", pa.int16(), "Days since the start date; 0 is the start date itself.", unit="days"),
        _CURRENCY,
        _number(
            "installs",
            pa.int64(),
            "users",
            f"{_INSTALLS} It repeats on each row of a curve: take it from one `days_since_start`.",
        ),
        _number(
            "revenue",
            MONEY,
            _MAJOR,
            "Revenue from the start date through `days_since_start`. May be added over weeks and channels within a currency, never over "
            "`days_since_start`. Null where a cell of the row has no number.",
        ),
        _ratio("ltv", "`revenue` by `installs`.", "major units of currency by install"),
        *_MASKS,
        Column("is_complete", pa.bool_(), "True if all seven days of the week are stored."),
    ),
)


def _weekly(day: int) -> tuple[Column, ...]:
    return (
        _number(
            f"d{day}_revenue",
            MONEY,
            _MAJOR,
            f"Revenue of the week's cohorts through day {day}. May be added over weeks and channels within a currency. Null unless all seven "
            f"days are stored and have reached day {day}.",
        ),
        _ratio(f"d{day}_roas", f"`d{day}_revenue` by `spend`; 1 means that the spend is paid back."),
        _ratio(f"d{day}_ltv", f"`d{day}_revenue` by `installs`.", "major units of currency by install"),
    )


def _change(name: str) -> Column:
    return _ratio(
        f"{name}_change",
        f"Change of `{name}` against the week before, as a share of it. Null also where one of the two weeks is not complete, or has no row.",
    )


CHANNEL_WEEKLY: Final = Table(
    name="channel_weekly",
    description="Weeks of each channel. One row per account, week, channel and currency. Figures of a week that is not complete cover its "
    "stored days only.",
    docs_url=DOCS_URL,
    key=("account", "week", "channel", "currency"),
    columns=(
        _ACCOUNT,
        Column("week", pa.date32(), "First day of the week, in the app's zone."),
        _CHANNEL,
        _CURRENCY,
        Column(
            "days_stored",
            pa.int64(),
            "Days of the week that are stored for the account, 1 to 7. Never add it.",
            unit="days",
        ),
        Column("is_complete", pa.bool_(), "True if all seven days are stored."),
        _spend("the week's stored days"),
        _flag("spend_is_masked", "`spend`"),
        _number("installs", pa.int64(), "users", _INSTALLS),
        _flag("installs_is_masked", "`installs`"),
        _CAC,
        *_weekly(7),
        *_weekly(30),
        _change("spend"),
        _change("installs"),
        _change("cac"),
        *_MASKS,
    ),
)
SPEND_PLAN: Final = Table(
    name="spend_plan",
    description="Planned spend beside actual spend. One row per account, month, channel and currency of `plan` in the growth `defs.yaml`; spend "
    "without a plan has no row. In a month that is not over, compare `spend_share` with `days_stored` by `days_in_month`.",
    docs_url=DOCS_URL,
    key=("account", "month", "channel", "currency"),
    columns=(
        _ACCOUNT,
        Column("month", pa.date32(), "First day of the month, in the app's zone."),
        Column("channel", pa.string(), "Channel of the plan, as in the channel map."),
        _CURRENCY,
        Column(
            "planned_spend",
            MONEY,
            "Amount of the plan for the whole month. May be added over months and channels within a currency.",
            unit=_MAJOR,
        ),
        _number(
            "spend",
            MONEY,
            _MAJOR,
            "Cost of the month's stored days. May be added within a currency. Null where a group of the row has no cost, or no group is stored.",
        ),
        _ratio("spend_share", "`spend` by `planned_spend`; 1 means that the plan is spent."),
        Column(
            "days_stored", pa.int64(), "Days of the month that are stored for the account. Never add it.", unit="days"
        ),
        Column("days_in_month", pa.int64(), "Days of the month. Never add it.", unit="days"),
    ),
)
_SITE: Final = Column("account", pa.string(), "Account of the site, as in the lake.")
_SITE_DATE: Final = Column("date", pa.date32(), "Day of the sign-ups, in the zone that the site's `window` names.")
_SOURCE: Final = Column(
    "source",
    pa.string(),
    "Value of the dimension, opaque; may be empty, null where Bento sent null.",
    nullable=True,
)
_LABEL: Final = Column("label", pa.string(), "The source as Bento's app shows it.", nullable=True)
SIGNUPS_DAILY: Final = Table(
    name="signups_daily",
    description="Sign-ups of a Bento site by source. One row per account, date and source. Bento sends the top sources of a day only, so a sum "
    "may be lower than the site's total in `ads_totals`. Empty where `signups` of the growth `defs.yaml` names no site.",
    docs_url=BENTO_DOCS_URL,
    key=("account", "date", "source"),
    columns=(
        _SITE,
        _SITE_DATE,
        _SOURCE,
        _LABEL,
        _number(
            "signups",
            pa.int64(),
            "people",
            "People who signed up. May be added over dates and sources. Null where Bento sent none.",
        ),
        _number(
            "customers",
            pa.int64(),
            "people",
            "People who bought on the date. May be added over sources, never over dates: who buys on two days counts twice.",
        ),
    ),
)
SOURCE_REVENUE_DAILY: Final = Table(
    name="source_revenue_daily",
    description="Revenue of a Bento site by source. One row per account, date, source, revenue mode and currency. The modes overlap: choose one. "
    "Bento sends the top sources of a day only. Empty where `signups` of the growth `defs.yaml` names no site.",
    docs_url=BENTO_DOCS_URL,
    key=("account", "date", "source", "revenue_mode", "currency"),
    columns=(
        _SITE,
        _SITE_DATE,
        _SOURCE,
        _LABEL,
        Column("revenue_mode", pa.string(), "What counts as revenue, as in the lake. Never add over modes."),
        Column(
            "currency", pa.string(), "Currency of the revenue; empty where there is none. Never add over currencies."
        ),
        _number(
            "revenue",
            MONEY,
            _MAJOR,
            "A hundredth of Bento's cents. May be added over dates and sources. Null where Bento sent none. What a cent is of a currency "
            "without cents, such as JPY, is not documented.",
        ),
        Column("is_truncated", pa.bool_(), "True if Bento says that the revenue is incomplete.", nullable=True),
    ),
)
METRIC_DAILY: Final = Table(
    name="metric_daily",
    description="Daily values of each Statsig metric with its definition of the day. One row per account, date, metric and unit type, also for "
    "a metric of several events. The unit types of a metric overlap: filter by `is_overall` or one `unit_type`. Empty where `metrics` of the "
    "growth `defs.yaml` names no project.",
    docs_url=VALUES_URL,
    key=("account", "date", "metric_name", "metric_type", "unit_type"),
    columns=(
        Column("account", pa.string(), "Account of the project, as in the lake."),
        Column("date", pa.date32(), "Day of the value, as Statsig counts it."),
        Column("metric_name", pa.string(), "Name of the metric."),
        Column("metric_type", pa.string(), "Type of the metric, such as event_count, event_dau, sum, mean, ratio."),
        Column(
            "unit_type",
            pa.string(),
            "What is counted by: `overall`, userID, stableID or a custom id. Never add over unit types.",
        ),
        Column("is_overall", pa.bool_(), "True if `unit_type` is `overall`."),
        Column("display_name", pa.string(), "The metric's label; null where not sent.", nullable=True),
        _number(
            "value",
            pa.float64(),
            "the metric's own",
            "The value. Counts and sums may be added over dates; ratios, means and users may not. Null where Statsig sent none.",
        ),
        _number(
            "numerator",
            pa.float64(),
            "the metric's own",
            "Numerator of a ratio. May be added over dates. Null where none was sent.",
        ),
        _number(
            "denominator",
            pa.float64(),
            "the metric's own",
            "Denominator of a ratio. For several dates, divide the sums. Null where none was sent.",
        ),
        Column(
            "definition_hash",
            pa.string(),
            "MD5 of what the number depends on (events, criteria, components, funnel, window, unit types); null where the day has no definition.",
            nullable=True,
        ),
        Column(
            "definition_is_reconstructed",
            pa.bool_(),
            "True if the definition was not observed on the following day, so that it can hold later edits; null without a definition.",
            nullable=True,
        ),
        Column(
            "definition_changed",
            pa.bool_(),
            "True if the hash differs from that of the last earlier day that has one; null where one of the two is not known.",
            nullable=True,
        ),
    ),
)
# In the order in which they are made: a later one may read an earlier one.
TABLES: Final = (
    CHANNELS,
    ACQUISITION_DAILY,
    COHORT_LTV,
    CHANNEL_WEEKLY,
    SPEND_PLAN,
    SIGNUPS_DAILY,
    SOURCE_REVENUE_DAILY,
    METRIC_DAILY,
)
