"""The rows of docs/faults.md say what was seen, without what is true of one machine only."""

from analytics_assets_tests.chaos.page import page
from analytics_assets_tests.chaos.seen import Seen

WORST = Seen(
    fault="all goes wrong",
    lasted_s=5.0,
    page="[Errno 111] Connection refused",
    warning="Another one.",
    noticed_s=4.4,
    words="dagster.Failure: no response from worker-12@vm at 127.0.0.1:80 | 1b6aa3e9-3950-4a57-aac5-f694e410c8e9",
    resumed_s=9.6,
    done_s=77.0,
    runs=2,
    doubled=1,
    again=2,
    clicks=3,
    cancelled=1,
    tasks=1,
)


def rows(*seen: Seen) -> list[str]:
    """The rows of the first table."""
    text = page({one.fault: one for one in seen}, days=5, cores=2, load=1.0, numbers={})
    return text.partition("|---|---|---|---|\n")[2].partition("\n\n")[0].splitlines()


def test_a_row_says_what_was_seen_and_no_more() -> None:
    """All of it where everything was seen, and that nothing was where it was not."""
    assert rows(Seen("nothing", done_s=5.0), WORST) == [
        "| nothing | nothing but slower work | nothing has to: no run failed | all is done after 5 s; no report task more than planned |",
        (
            "| all goes wrong | web page: Connection refused<br>daemon: Another one.<br>run: no response from worker-N@host at HOST:PORT / RUN "
            "| a person: *Cancel* once, then *Re-execute from failure* 3 times (2 runs had failed) "
            "| a run says so after 4 s, days are stored again after 10 s, all is done after 77 s; 1 run launched twice; 2 days requested twice; 1 report task more than planned |"
        ),
    ]


def test_a_page_does_not_claim_what_did_not_hold() -> None:
    """A promise that broke stands where the promises stand."""
    kept, broken = (
        page({"one": Seen("one", broken=words)}, days=5, cores=2, load=1.0, numbers={})
        for words in ([], ["a day is red"])
    )
    assert "compared byte by byte" in kept
    assert "compared byte by byte" not in broken
    assert "Promises that broke: a day is red." in broken
