"""Every stream under every form of its vendor's responses, over a real socket: rows, figures, requests, errors and what is kept."""

import pytest

from analytics_assets_tests.contract.expected_forms import FORMS
from analytics_assets_tests.contract.form_changes import ABSENT, ANY, Change
from analytics_assets_tests.contract.observed_forms import ALL, AWKWARD, ONE_PAGE, USUAL, WEEK, Readings
from analytics_assets_tests.contract.readings import Read
from analytics_assets_tests.vendors.registry import FORMS as KNOWN

CELLS = [(vendor, form) for vendor, forms in FORMS.items() for form in forms]
HARMLESS = {form.name for form in KNOWN if form.is_harmless}
_SAME = Change()


def streams(vendor: str, form: str, readings: Readings) -> dict[str, tuple[Read, Read]]:
    """What a form gave and what is usual, by stream."""
    usual = WEEK if form in HARMLESS | {ALL, AWKWARD} else USUAL
    return {
        name: (read, readings[vendor, usual, name])
        for (of, on, name), read in readings.items()
        if (of, on) == (vendor, form)
    }


@pytest.mark.parametrize(("vendor", "form"), CELLS, ids=[form for _, form in CELLS])
def test_a_form_ends_as_the_table_says(vendor: str, form: str, form_readings: Readings):
    """Each stream of the vendor; what the table does not name is as usual, to the row and the figure."""
    for stream, (read, usual) in streams(vendor, form, form_readings).items():
        _compare(read, usual, FORMS[vendor][form].get(stream, _SAME))


def _compare(read: Read, usual: Read, change: Change) -> None:
    if change.kind == ANY:
        return
    assert read.kind == change.kind, read.message
    assert change.words in read.message
    assert read.is_quarantined is change.is_kept
    if change.most is None:
        assert read.requests == (usual.requests if change.requests is None else change.requests)
    assert read.requests <= (change.most or read.requests)
    if read.kind != "rows":
        assert not any(read.rows.values())
        return
    assert read.rows == {name: change.rows.get(name, list)(rows) for name, rows in usual.rows.items()}
    expected = {
        (table, day): {**figures, **change.named.get(table, {})} for (table, day), figures in usual.figures.items()
    }
    for key, figures in expected.items():
        skipped = {name for name, value in figures.items() if value == ANY}
        wanted = {name: value for name, value in figures.items() if value != ABSENT and name not in skipped}
        assert {name: value for name, value in read.figures[key].items() if name not in skipped} == wanted, key


@pytest.mark.parametrize(
    ("vendor", "form"),
    [*((form.vendor, form.name) for form in KNOWN if form.is_harmless), *((vendor, ALL) for vendor in FORMS)],
    ids=lambda one: one,
)
def test_a_week_in_another_form_is_the_same_week_hash_for_hash(vendor: str, form: str, form_readings: Readings):
    """Each form by itself, and all of a vendor at once: every typed table of every day has the data version of the usual form."""
    for read, usual in streams(vendor, form, form_readings).values():
        assert read.kind == "rows", read.message
        assert (read.hashes, read.rows) == (usual.hashes, usual.rows)
        assert read.hashes or read.rows or not usual.hashes


def test_tables_of_a_response_are_those_of_its_stored_raw_day(form_readings: Readings):
    """In each form: rows, widths and figures are the same from the response just decoded and from the text in the lake."""
    compared = 0
    for key, read in form_readings.items():
        derived = {of: version for of, (version, _) in read.derived.items()}
        assert derived == {of: version for of, version in read.hashes.items() if of in derived}, key
        assert {of: figures for of, (_, figures) in read.derived.items()} == {of: read.figures[of] for of in derived}, (
            key
        )
        compared += len(derived)
    assert compared > len(CELLS)


def test_a_week_is_every_typed_table_of_every_day(form_readings: Readings):
    """So that equality is not that of nothing with nothing."""
    hashes = {key for (_, form, _), read in form_readings.items() if form == WEEK for key in read.hashes}
    daily = [name for name in {name for name, _ in hashes} if len([one for one in hashes if one[0] == name]) == 7]
    assert sorted(daily) == [
        "ads_attribution",
        "ads_chart",
        "ads_totals",
        "event_metrics",
        "metric_values",
        "revenue_cohort_totals",
        "revenue_cohorts",
        "users_cohort_totals",
        "users_cohorts",
    ]
    assert {name for name, _ in hashes} - set(daily) == {"audience_counts", "report_points"}
    assert all(rows for (_, form, _), read in form_readings.items() if form == WEEK for rows in read.rows.values())


def test_the_table_has_every_form_of_the_sandbox():
    """A form nobody has thought about is not left out in silence."""
    assert {form for _, form in CELLS} == {one.name for one in KNOWN if not one.of_errors}


@pytest.mark.parametrize(
    ("vendor", "fields"), [("bento", "optional"), ("statsig", "optional"), ("airbridge", "list-fields")]
)
def test_left_out_and_null_are_the_same(vendor: str, fields: str, form_readings: Readings):
    """Neither is zero, and nobody can tell the tables apart."""
    missing = streams(vendor, f"{vendor}-{fields}-missing", form_readings)
    null = streams(vendor, f"{vendor}-{fields}-null", form_readings)
    assert {name: (read.rows, read.hashes) for name, (read, _) in missing.items()} == {
        name: (read.rows, read.hashes) for name, (read, _) in null.items()
    }


def test_one_page_without_paging_is_a_week_as_well(form_readings: Readings):
    """A list of a hundred a page needs no pagination object to be whole."""
    assert all(read.kind == "rows" for read, _ in streams("statsig", ONE_PAGE, form_readings).values())
