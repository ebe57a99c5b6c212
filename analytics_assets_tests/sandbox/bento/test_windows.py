"""The ways in which the simulated Bento can read dates, and the points of its chart."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.sandbox.__main__ import _options, _parser
from analytics_assets.sandbox.bento.windows import UnreadableDateError, Window, bucket_start, read_window
from analytics_assets.sandbox.options import Options
from analytics_assets_tests.sandbox.conftest import instant

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "end_rule", "expected"),
    [
        ("2026-07-01", "2026-07-02", "exclusive", Window(instant(1, 12), instant(2, 12))),
        ("2026-07-01", "2026-07-01", "exclusive", Window(instant(1, 12), instant(1, 12))),
        ("2026-07-01", "2026-07-01", "inclusive", Window(instant(1, 12), instant(2, 0))),
        ("2026-07-01 00:00", "2026-07-02 00:00", "exclusive", Window(instant(1, 0), instant(2, 0))),
        ("2026-07-01 00:00", "2026-07-01 00:00", "inclusive", Window(instant(1, 0), instant(2, 0))),
        ("2 days ago", "yesterday", "exclusive", Window(instant(13, 0), instant(14, 0))),
    ],
)
def test_a_date_may_mean_noon_but_not_with_a_time_and_not_in_words(start, end, end_rule, expected):
    """An inclusive end reaches to the end of its day all the same."""
    assert read_window(start, end, now=NOW, zone="UTC", end_rule=end_rule, dates="noon") == expected


@pytest.mark.parametrize("text", ["2026-07-01", "2026-07-01 00:00"])
def test_where_only_words_are_read_iso_dates_are_refused(text):
    """Words go on as ever."""
    with pytest.raises(UnreadableDateError, match="start_date could not be parsed"):
        read_window(text, "today", now=NOW, zone="UTC", end_rule="exclusive", dates="words")
    window = read_window("yesterday", "today", now=NOW, zone="UTC", end_rule="exclusive", dates="words")
    assert window == Window(instant(14, 0), instant(15, 0))


@pytest.mark.parametrize("text", ["2026-07-01 25:00", "2026-07-01T00:00", "2026-07-01 0:00"])
def test_other_times_than_hours_and_minutes_are_refused(text):
    """One spelling of a time of day."""
    with pytest.raises(UnreadableDateError):
        read_window(text, "", now=NOW, zone="UTC", end_rule="exclusive")


def test_an_hourly_point_is_counted_from_the_windows_start_and_a_daily_one_from_midnight():
    """India's hours begin at half past; its day began before the window that begins at noon."""
    kolkata = ZoneInfo("Asia/Kolkata")
    window = Window(datetime(2026, 7, 1, 12, tzinfo=kolkata), datetime(2026, 7, 2, 12, tzinfo=kolkata))
    at = datetime(2026, 7, 2, 9, 15, tzinfo=kolkata)
    starts = [bucket_start(window, zone="Asia/Kolkata", buckets=buckets)(at) for buckets in ("hourly", "daily")]
    assert [datetime.fromtimestamp(start, kolkata) for start in starts] == [
        datetime(2026, 7, 2, 9, tzinfo=kolkata),
        datetime(2026, 7, 2, tzinfo=kolkata),
    ]


async def test_a_site_answers_by_its_options(open_sandbox, hand_world):
    """From noon of the second on, by the day: Bob's purchase and Cid, and Ann in the morning of the third."""
    sandbox = open_sandbox(Options(bento_dates="noon", bento_buckets="daily"), hand_world)
    body = (await sandbox.bento("ads", start_date="2026-07-02", end_date="2026-07-03")).json()
    assert body["chartData"] == [
        {"x": int(instant(2, 0).timestamp()), "signups": 1, "customers": 1, "revenue": 500},
        {"x": int(instant(3, 0).timestamp()), "signups": 0, "customers": 1, "revenue": 250},
    ]


async def test_a_site_that_reads_words_only_refuses_a_date_as_it_refuses_nonsense(open_sandbox):
    """400 that names the parameter."""
    answer = await open_sandbox(Options(bento_dates="words")).bento("ads", start_date="2026-07-02")
    assert (answer.status_code, answer.json()) == (
        400,
        {"errors": [{"field": "start_date", "message": "could not be parsed"}]},
    )


def test_the_server_takes_each_reading_as_an_option():
    """Its command line names all four, and the length of a point."""
    given = ("--port", "0", "--bento-zone", "Asia/Kolkata", "--bento-end", "inclusive")
    chosen = _options(_parser().parse_args([*given, "--bento-dates", "noon", "--bento-buckets", "daily"]))
    assert (chosen.bento_zone, chosen.bento_end, chosen.bento_dates, chosen.bento_buckets) == (
        "Asia/Kolkata",
        "inclusive",
        "noon",
        "daily",
    )
