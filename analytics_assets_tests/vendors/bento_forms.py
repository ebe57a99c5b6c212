"""Forms of the simulated Bento's answers: both names of the chart, both shapes of a report, numbers, points and missing fields.

Here lives what the vendor's stats page and its own client leave open or say differently. Which forms are on is in ``forms``; the
answers themselves are made in ``bento`` and ``bento_ads``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from analytics_assets_tests.vendors.forms import Change, Form
from analytics_assets_tests.vendors.spellings import first_twice, nulled, numbers_as_text, with_added, without

_ADS: Final = "/stats/ads"
_COUNTS: Final = ("/stats/site", "/stats/segment")
_REPORT: Final = "/stats/report"
_OPTIONAL: Final = (
    *("dimensionLabel", "attribution", "revenueMode", "revenueTruncated", "customerRate", "revenueVisitorCount"),
    *("topSource", "label", "revenuePerSignupCents", "revenueByCurrency"),
    *("chart_style", "report_type", "report_name", "report_id"),
)
_DAY_S: Final = 86_400


def _points(change: Change) -> Change:
    """Changes the x of every point of the chart, whichever of its names it has."""

    def made(body: Any) -> Any:
        charts = {name: body[name] for name in ("chart", "chartData") if name in body}
        return {**body, **{name: [{**one, "x": change(one["x"])} for one in held] for name, held in charts.items()}}

    return made


def _everywhere(change: Change) -> dict[str, Change]:
    return dict.fromkeys((_ADS, *_COUNTS, _REPORT), change)


def _renamed_chart(body: Any) -> Any:
    return {"chart" if name == "chartData" else name: one for name, one in body.items()}


def _harmless() -> Iterator[tuple[str, str, dict[str, Change]]]:
    yield "chart", "calls the chart `chart`, as its page does", {_ADS: _renamed_chart}
    yield "milliseconds", "sends x in milliseconds", {_ADS: _points(lambda x: x * 1000)}
    yield (
        "iso-points",
        "sends x as a date with a time",
        {_ADS: _points(lambda x: datetime.fromtimestamp(x, UTC).isoformat())},
    )
    yield (
        "wrapped-report",
        "wraps a report in `report_data`, as its older documents do",
        {_REPORT: lambda body: {"report_data": body} if "data" in body else body},
    )
    yield (
        "extra-fields",
        "sends fields that no page names",
        _everywhere(with_added(("signups", "user_count", "data", "y", "totals"))),
    )
    yield "numbers-as-text", "sends numbers as text", _everywhere(numbers_as_text)


def _others() -> Iterator[tuple[str, str, dict[str, Change]]]:
    yield "optional-missing", "leaves out every field that its page does not promise", _everywhere(without(_OPTIONAL))
    yield "optional-null", "sends every field that its page does not promise as null", _everywhere(nulled(_OPTIONAL))
    yield (
        "quiet-day",
        "has neither chart points nor rows",
        {_ADS: lambda body: {**body, "chartData": [], "breakdown": []}},
    )
    yield (
        "odd-report",
        "sends a report's data as an object",
        {_REPORT: lambda body: {**body, "data": {"total": {"all": 1}}}},
    )
    required: dict[str, Change] = {
        _ADS: without(("totals",)),
        **dict.fromkeys(_COUNTS, without(("user_count",))),
        _REPORT: without(("data",)),
    }
    yield "required-missing", "leaves out a field that its page promises", required
    yield "other-day", "answers with the points of the next day", {_ADS: _points(lambda x: x + _DAY_S)}
    yield "key-twice", "lists a value of the dimension twice", {_ADS: lambda body: first_twice(body, "breakdown")}
    yield (
        "other-dimension",
        "groups by something that was not requested",
        {_ADS: lambda body: {**body, "dimension": "tag"}},
    )


def _listed_error(body: Any) -> Any:
    return {"errors": [{"field": "base", "message": body.get("error", "is invalid")}]}


FORMS: Final = (
    *(Form("bento", f"bento-{name}", words, changes, is_harmless=True) for name, words, changes in _harmless()),
    *(Form("bento", f"bento-{name}", words, changes) for name, words, changes in _others()),
    Form("bento", "bento-error-list", "words its errors as a list", {_ADS: _listed_error}, of_errors=True),
)
