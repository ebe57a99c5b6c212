"""What can be asked of Bento's numbers once they are stored: parts against the whole, completeness of revenue, fields and volume.

Source of what the numbers mean: https://bentonow.com/stats
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from analytics_assets.checks.check import (
    Check,
    CheckContext,
    CheckResult,
    CheckResults,
    Level,
    Limits,
    by_day,
    each_day,
)
from analytics_assets.checks.fields import Fields, fields_as_known, fields_of
from analytics_assets.checks.volume import Figure, Value, volume_as_usual
from analytics_assets.lake.raw import bodies
from analytics_assets.sources.bento.responses import Ads, Counts, sent_in_report, unknown_in_report
from analytics_assets.sources.bento.streams import AdsSpec
from analytics_assets.sources.bento.tables import (
    ADS_ATTRIBUTION,
    ADS_CHART,
    ADS_RAW,
    ADS_TOTALS,
    AUDIENCE_RAW,
    REPORTS_RAW,
)

_COUNTS: Final = ("signups", "customers")
_NO_CURRENCY: Final = "no currency"
_AMOUNTS: Final = ("dimension", "revenue_mode", "currency", "is_main_currency", *_COUNTS, "revenue_cents")


def ads_checks(spec: AdsSpec, limits: Limits, *, truncated_share: float) -> list[Check]:
    """The checks of `/stats/ads`.

    Args:
        spec: What is read; the volume of the totals is that of its first dimension and revenue mode, for each counts the same people.
        limits: From where on volume is odd.
        truncated_share: Share of the responses of a day that may say that their revenue is incomplete.
    """
    first: dict[str, Value] = {
        "dimension": spec.dimensions[0],
        "revenue_mode": spec.revenue_modes[0],
        "is_main_currency": True,
    }
    return [
        fields_as_known(ADS_RAW, fields_of(Ads)),
        _breakdown_within_totals(),
        _revenue_complete(truncated_share),
        volume_as_usual(Figure(ADS_TOTALS.name, "sum", "signups", first), limits),
        volume_as_usual(Figure(ADS_ATTRIBUTION.name), limits),
        volume_as_usual(Figure(ADS_CHART.name), limits),
    ]


def audience_checks() -> list[Check]:
    """The checks of `/stats/site` and `/stats/segment`."""
    return [fields_as_known(AUDIENCE_RAW, fields_of(Counts))]


def reports_checks() -> list[Check]:
    """The checks of `/stats/report`."""

    def fields(raw: pa.Table) -> Fields:
        texts = [body for _, _, body in bodies(raw)]
        known, unknown = map(sent_in_report, texts), map(unknown_in_report, texts)
        return Fields(frozenset[str]().union(*known), frozenset[str]().union(*unknown))

    return [fields_as_known(REPORTS_RAW, fields)]


def _breakdown_within_totals() -> Check:
    def find(context: CheckContext) -> CheckResults:
        whole = set(context.all_days(ADS_TOTALS.name))
        return by_day(
            [day for day in context.standing(ADS_ATTRIBUTION.name) if day in whole],
            lambda day: _compared(
                context.read(ADS_ATTRIBUTION, day, _AMOUNTS), context.read(ADS_TOTALS, day, _AMOUNTS)
            ),
        )

    return Check(
        "breakdown_within_totals",
        ADS_ATTRIBUTION.name,
        "The values of a dimension add up to more than the day's total: somebody or some money is counted twice, the total lacks a currency "
        "that they have, or what they leave out is below zero, as refunds would be. Less than the total is no failure: Bento lists the top values only; what they leave out is told as information.",
        "Use ads_totals for sums of such a day. Compare with Bento's dashboard; if it shows the same, tell Bento, else materialize the day again.",
        find,
    )


def _compared(parts: pa.Table, totals: pa.Table) -> CheckResult:
    part, whole = _amounts(parts), dict(_amounts(totals))
    whole |= _not_in(whole, part)
    over = {what: part[what] - whole[what] for what in part if what in whole and part[what] > whole[what]}
    under = {what: amount - part[what] for what, amount in whole.items() if part[what] < amount}
    words = [f"{what[-1]} of {' '.join(what[:-1])} over the total by {more}" for what, more in over.items()]
    level: Level = "error" if over else "information" if under else "fine"
    words = words or [
        f"{what[-1]} of {' '.join(what[:-1])} short of the total by {less}" for what, less in under.items()
    ]
    return CheckResult("; ".join(words), level, {"sums": len(whole), "over": len(over), "short": len(under)})


def _amounts(content: pa.Table) -> Counter[tuple[str, ...]]:
    """Sums by dimension, revenue mode and what is counted, money by currency too; a total that was not sent is left out."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in content.to_pylist():
        of = (row["dimension"], row["revenue_mode"])
        if row["is_main_currency"]:
            for name in _COUNTS:
                if row[name] is not None:
                    sums[*of, name] += row[name]
        if row["revenue_cents"] is not None:
            sums[*of, row["currency"] or _NO_CURRENCY, "revenue_cents"] += row["revenue_cents"]
    return sums


def _not_in(whole: Mapping[tuple[str, ...], int], part: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Nothing of each currency that a total lacks though it names others; one that names none may be in any."""
    money = [what for what in whole if what[-1] == "revenue_cents"]
    told = {what[:-2] for what in money} - {what[:-2] for what in money if what[-2] == _NO_CURRENCY}
    return {what: 0 for what in part if what not in whole and what[:-2] in told and what[-2] != _NO_CURRENCY}


def _revenue_complete(truncated_share: float) -> Check:
    def judged(content: pa.Table) -> CheckResult:
        said = [sent for sent in content["revenue_truncated"].to_pylist() if sent is not None]
        share = sum(said) / len(said) if said else 0.0
        words = f"Bento says that revenue is incomplete in {share:.0%} of the rows" if share > truncated_share else ""
        return CheckResult(words, "warning" if words else "fine", {"truncated_share": round(share, 4)})

    return Check(
        "revenue_complete",
        ADS_TOTALS.name,
        "Bento says that it cut the day's revenue short (`revenue_truncated`), so revenue is a lower bound and counts are not concerned.",
        "Do not compare the revenue of such a day. Ask for fewer things at once (`value`, one dimension), or ask Bento for the reason.",
        each_day(ADS_TOTALS, judged, ["revenue_truncated"]),
    )
