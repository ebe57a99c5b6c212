"""Bento's sample counts and reports and their oddities, made into whole rows."""

import msgspec
import pytest

from analytics_assets.sources.bento.tables import AUDIENCE_COUNTS, AUDIENCE_RAW, REPORT_POINTS, REPORTS_RAW
from analytics_assets.sources.bento.transform import audience_tables, report_tables
from analytics_assets_tests.sources.bento.samples import COUNTS, DAY, NUMBER_REPORT, POINTS_REPORT, WRAPPED_REPORT
from analytics_assets_tests.sources.bento.vendor import NOW, changed, raw_of


def test_counts_of_site_and_segments_become_rows_by_subject():
    """The sample of the vendor's page; the site has no id in the lake, null stays null."""
    raw = raw_of(
        AUDIENCE_RAW,
        ("/stats/site", {}, COUNTS),
        ("/stats/segment", {"segment_id": "b"}, changed(COUNTS, user_count="7", unsubscriber_count=None, vip_count=1)),
        ("/stats/segment", {"segment_id": "a"}, changed(COUNTS, user_count=0, subscriber_count=0)),
    )
    typed = audience_tables(DAY, raw)[AUDIENCE_COUNTS.name]
    about = {"date": DAY, "kind": "segment", "observed_at": NOW}
    assert AUDIENCE_COUNTS.validated(typed.content, DAY).to_pylist() == [
        {**about, "id": "a", "user_count": 0, "subscriber_count": 0, "unsubscriber_count": 230},
        {**about, "id": "b", "user_count": 7, "subscriber_count": 950, "unsubscriber_count": None},
        {**about, "kind": "site", "id": "", "user_count": 1200, "subscriber_count": 950, "unsubscriber_count": 230},
    ]
    assert typed.figures == {
        "user_count": 1200,
        "subscriber_count": 950,
        "unsubscriber_count": 230,
        "segments": 2,
        "unknown_fields": ["vip_count"],
    }


def reports(*bodies):
    """Rows and figures of reports r0, r1, ... with these bodies."""
    answers = [("/stats/report", {"report_id": f"r{at}"}, body) for at, body in enumerate(bodies)]
    typed = report_tables(DAY, raw_of(REPORTS_RAW, *answers))[REPORT_POINTS.name]
    return REPORT_POINTS.validated(typed.content, DAY).to_pylist(), typed.figures


NUMBER_ROW = {
    "date": DAY,
    "report_id": "r0",
    "point_no": 0,
    "report_name": "New subscribers",
    "chart_style": "counter",
    "report_type": "Reporting::Reports::VisitorCountReport",
    "series": None,
    "x": None,
    "y": 42.0,
    "observed_at": NOW,
}


def test_the_sample_reports_become_points():
    """A number is one point, a list is its points, an empty report has none."""
    opens = {**NUMBER_ROW, "report_id": "r1", "report_name": "Opens", "chart_style": "column_chart"}
    opens |= {"report_type": None, "series": "Newsletter"}
    assert reports(NUMBER_REPORT, POINTS_REPORT, WRAPPED_REPORT) == (
        [
            NUMBER_ROW,
            {**opens, "point_no": 0, "x": "2026-03-01", "y": 12.0},
            {**opens, "point_no": 1, "x": "2026-03-02", "y": 9.0},
        ],
        {"reports": 3, "points": 3},
    )


@pytest.mark.parametrize("data", [{}, []], ids=["object", "list"])
def test_an_empty_report_has_no_points_and_is_nothing_unusual(data):
    """Bento answers so when there is nothing to count."""
    assert reports(changed(NUMBER_REPORT, data=data)) == ([], {"reports": 1, "points": 0})


@pytest.mark.parametrize(
    "data",
    [
        None,
        True,
        "soon",
        "nan",
        {"rows": []},
        [1, 2],
        [{"x": "2026-03-01"}],
        [{"y": 1}],
        [{"x": "2026-03-01", "y": {"USD": 1}}],
        [{"x": "2026-03-01", "y": 1}, {"x": "2026-03-02", "y": "inf"}],
        [{"x": ["2026-03-01"], "y": 1}],
    ],
    ids=repr,
)
def test_a_shape_that_is_not_documented_gives_no_points_and_is_named(data):
    """No half-read report; the others stand."""
    rows, figures = reports(NUMBER_REPORT, changed(NUMBER_REPORT, data=data))
    assert (rows, figures) == ([NUMBER_ROW], {"reports": 2, "points": 1, "unrecognised_reports": ["r1"]})


def test_points_keep_odd_values_as_they_are():
    """A group may be missing, x a number, y text or null."""
    data = [{"x": 1772323200, "y": "1.5"}, {"x": None, "y": None, "g": 3}]
    rows, _ = reports(changed(NUMBER_REPORT, data=data))
    assert rows == [
        {**NUMBER_ROW, "x": "1772323200", "y": 1.5},
        {**NUMBER_ROW, "point_no": 1, "series": "3", "y": None},
    ]


def test_fields_of_reports_not_known_here_are_named():
    """At the top, in the points, and inside and beside the old wrapping."""
    plain = changed(POINTS_REPORT, title="x", data=[{"x": "a", "y": 1, "z": 2}])
    wrapped = msgspec.json.encode({"report_data": msgspec.json.decode(plain), "cached": True}).decode()
    _, figures = reports(plain, wrapped)
    assert figures == {
        "reports": 2,
        "points": 2,
        "unknown_fields": ["cached", "data[].z", "report_data.data[].z", "report_data.title", "title"],
    }


def test_numbers_no_reader_can_hold_are_no_matter_in_fields_not_known_here():
    """They are named like other unknown fields; the known ones are read all the same."""
    body = NUMBER_REPORT.rstrip().removesuffix("}") + ', "rank": 1e400, "size": 1' + "0" * 5000 + "}"
    assert reports(body) == ([NUMBER_ROW], {"reports": 1, "points": 1, "unknown_fields": ["rank", "size"]})
