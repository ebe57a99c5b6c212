"""`docs/report-tasks.md` says what the code does."""

from analytics_assets.sources.airbridge.task_decisions import RESUMES, PollResult
from analytics_assets_tests.readme import with_parts
from analytics_assets_tests.sources.airbridge.task_page import MEANINGS, PAGE, PARTS, POLICY


def test_the_made_parts_of_the_page_equal_the_code() -> None:
    """`make docs` writes them."""
    text = PAGE.read_text()
    assert text == with_parts(text, PARTS)


def test_the_page_has_every_state() -> None:
    """A new one needs its meaning there."""
    assert set(MEANINGS) == set(PollResult)


def test_the_page_says_how_often_a_finished_report_is_tried_and_how_a_pause_ends() -> None:
    """In the words and numbers of the code."""
    text = PAGE.read_text()
    assert (POLICY.max_store_runs, "six runs" in text) == (6, True)
    assert RESUMES in text
