"""When a field counts as gone, and when as new."""

from collections.abc import Mapping

import pyarrow as pa

from analytics_assets.checks.check import CheckResult
from analytics_assets.checks.fields import Fields, fields_as_known
from analytics_assets_tests.checks.planted import DAY, NOW, Planted, back
from analytics_assets_tests.lake.vendor import RAW

WHOLE = "data data[].id data[].name"


def read(raw: pa.Table) -> Fields:
    """The paths that a body lists; one that begins with ? is unknown."""
    paths = [path for body in raw["body"].to_pylist() for path in body.split()]
    return Fields(
        frozenset(path for path in paths if path[0] != "?"), frozenset(path[1:] for path in paths if path[0] == "?")
    )


def words(planted: Planted, *days: str) -> Mapping[object, str]:
    """What is said of the last of some days, each with its paths."""
    for day, paths in zip(back(*range(len(days))), days, strict=True):
        planted.store_day(RAW, *([{"part": 0, "body": paths, "requested_at": NOW}] if paths else []), day=day)
    return {day: finding.words for day, finding in planted.found(fields_as_known(RAW, read)).items()}


def test_a_field_that_all_readings_had_has_vanished(planted: Planted) -> None:
    """Three of them are enough."""
    assert words(planted, *[WHOLE] * 3, "data data[].id") == {DAY: "vanished: data[].name"}


def test_two_readings_are_too_few_to_miss_a_field(planted: Planted) -> None:
    """Days without a response do not count."""
    assert words(planted, WHOLE, "", WHOLE, "data data[].id") == {DAY: ""}


def test_a_field_that_comes_and_goes_does_not_vanish(planted: Planted) -> None:
    """One reading in the last seven did without."""
    assert words(planted, WHOLE, WHOLE, "data data[].id", WHOLE, "data data[].id") == {DAY: ""}


def test_what_lies_in_an_empty_list_has_not_vanished(planted: Planted) -> None:
    """A quiet day has no entries, and so no fields of entries."""
    assert words(planted, *[WHOLE] * 3, "data") == {DAY: ""}
    assert words(planted, *[WHOLE] * 3, "") == {DAY: ""}


def test_an_unknown_field_is_named_from_the_first_reading_on(planted: Planted) -> None:
    """It needs no history."""
    planted.store_day(RAW, {"part": 0, "body": f"{WHOLE} ?data[].p90", "requested_at": NOW})
    found = planted.found(fields_as_known(RAW, read))
    numbers = {"fields": 3, "unknown": 1, "vanished": 0}
    assert found == {DAY: CheckResult("unknown: data[].p90", "warning", numbers)}


def test_each_day_of_a_range_is_compared_with_the_days_before_it(planted: Planted) -> None:
    """Once seven readings are without it, a field is no longer missed."""
    days = [*[WHOLE] * 3, *["data data[].id"] * 9]
    for day, paths in zip(back(*range(12)), days, strict=True):
        planted.store_day(RAW, {"part": 0, "body": paths, "requested_at": NOW}, day=day)
    found = planted.found(fields_as_known(RAW, read), back(*range(12)))
    assert [bool(finding.words) for finding in found.values()] == [False] * 3 + [True] + [False] * 8
