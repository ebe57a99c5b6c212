"""Alerts that are longer than a destination takes arrive shortened, and hold up neither newer ones nor other destinations."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics_assets.clock import utc_now
from analytics_assets.operations.alerts.delivery import deliver, send
from analytics_assets.operations.alerts.issue import FAILURE
from analytics_assets.operations.alerts.messages import Message, Writer, fit_body, shorten
from analytics_assets.state.alert_log import AlertLog, Detection, IssueKey, IssueKind, Occurrence, OpenIssue
from analytics_assets_tests.operations.alerts.receivers import Receiver, text_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WRITER = Writer("https://dagster.example", "live")
WORDS = "2026-06-01 to 2026-06-23 (12 days): HTTP 400 (" + "what the vendor has to say, " * 17 + ")."
KEY = IssueKey("airbridge", "", IssueKind.FAILURE, "TransientError")
OCCURRENCES = tuple(
    Occurrence(
        severity=FAILURE,
        about=f"airbridge/report_{number}",
        headline="20 of 30 days failed",
        reasons=tuple(f"{WORDS} {reason}" for reason in range(4)),
        next="Re-execute from failure.",
        path=f"/runs/{number}",
    )
    for number in range(6)
)
LONG = WRITER.message([OpenIssue(1, "HOOK", KEY, OCCURRENCES, {}, 6, NOW, NOW)])
LINKS = [f"Look: https://dagster.example/runs/{number}" for number in range(5)]
SHORT = Message("shop: a newer alert", "Short.", FAILURE)


@pytest.mark.parametrize("room", [10_000, 6000, 4096, 2000])
def test_a_long_alert_loses_words_before_it_loses_issues(room: int) -> None:
    """A link is whole or missing; the last line counts what is missing."""
    text = fit_body(LONG.body, room)
    assert len(LONG.body) > 10_000 >= room >= len(text)
    kept = [link for link in LINKS if link in text]
    assert kept == LINKS[: len(kept)]
    assert text.count("Look: ") == len(kept)
    assert len(kept) == 5 or f"{6 - len(kept)} of 6 paragraphs do not fit here." in text
    assert len(kept) >= (5 if room > 4096 else 2)


@pytest.mark.parametrize("room", range(1, 200, 7))
def test_a_body_fits_however_small_the_room(room: int) -> None:
    """A pager's too."""
    assert 0 < len(fit_body(LONG.body, room)) <= room


def test_what_fits_stays_as_it_is() -> None:
    """To the last character."""
    assert fit_body(LONG.body, len(LONG.body)) == LONG.body
    assert fit_body("a\n\nb", 4) == "a\n\nb"


def test_the_shortest_form_is_the_title_and_where_to_look() -> None:
    """A message that is as short already has none."""
    assert shorten(LONG) == Message(LONG.title, f"The whole alert was refused here.\n{LINKS[0]}", FAILURE)
    assert shorten(SHORT) is None
    long_title = shorten(replace(LONG, title="t" * 1000, body="b" * 1000))
    assert long_title is not None
    assert len(long_title.title) + len(long_title.body) < 300


def test_a_long_alert_is_shortened_to_what_apprise_knows_of_the_service(receiver: Receiver) -> None:
    """One message, within the limit that the chat enforces."""
    receiver.longest = 4000
    assert send("HOOK", LONG, environment={"HOOK": receiver.chat}) is None
    [post] = receiver.posts
    assert 3000 < len(text_of(post)) <= 4000
    assert LONG.title in text_of(post)
    assert text_of(post).endswith(LONG.body.splitlines()[-1])
    assert receiver.refused == 0


@pytest.mark.parametrize("length", [3900, 3970, 3990, 4010])
def test_the_title_is_counted_where_it_is_a_part_of_the_body(receiver: Receiver, length: int) -> None:
    """A body is whole or says that it was cut; Apprise would cut it without a word."""
    receiver.longest = 4000
    assert send("HOOK", replace(SHORT, body="x" * length), environment={"HOOK": receiver.chat}) is None
    [post] = receiver.posts
    assert text_of(post).endswith(("x" * length, "xxx..."))


def test_a_title_is_cut_to_what_apprise_knows_of_the_service(receiver: Receiver) -> None:
    """By Apprise itself."""
    assert send("HOOK", replace(SHORT, title="t" * 400), environment={"HOOK": receiver.address}) is None
    assert receiver.titles() == ["t" * 250]


def test_an_address_may_ask_for_several_messages(receiver: Receiver) -> None:
    """Apprise's own `overflow=split`; nothing is lost."""
    receiver.longest = 4000
    assert send("HOOK", LONG, environment={"HOOK": f"{receiver.chat}?overflow=split"}) is None
    assert len(receiver.posts) == 3
    said = "".join(map(text_of, receiver.posts))
    assert [link for link in LINKS if link in said] == LINKS


def test_a_service_that_takes_less_than_apprise_knows_gets_the_shortest_form(receiver: Receiver) -> None:
    """A webhook that passes alerts on to a chat."""
    receiver.longest = 500
    assert send("HOOK", LONG, environment={"HOOK": receiver.address}) is None
    [post] = receiver.posts
    assert (post["title"], post["message"]) == (LONG.title, f"The whole alert was refused here.\n{LINKS[0]}")
    assert receiver.refused == 1


def opened(folder: Path, names: list[str], *messages: tuple[str, tuple[Occurrence, ...]]) -> AlertLog:
    """A log with an open issue for each message, known by its stream."""
    log = AlertLog(f"sqlite:///{folder}/state.db")
    detections = [
        Detection(replace(KEY, stream=stream), occurrence, f"run of {stream}")
        for stream, occurrences in messages
        for occurrence in occurrences
    ]
    runs = {f"run of {stream}": NOW for stream, _ in messages}
    log.record(detections, runs=runs, over=[], kinds=list(IssueKind), destinations=names, now=NOW)
    return log


def deliver_all(log: AlertLog, names: list[str]) -> int:
    """One tick's turn of each destination."""
    return deliver(log, names, WRITER, repeat=timedelta(days=1), clock=utc_now, has_time=lambda: True)


def test_an_alert_that_is_refused_holds_up_neither_newer_ones_nor_other_destinations(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one arrives in the same tick; the refused one stays for later."""
    with Receiver(longest=150).listening() as picky:
        monkeypatch.setenv("PICKY", f"json://127.0.0.1:{picky.port}/a")
        monkeypatch.setenv("OPEN", receiver.address)
        monkeypatch.setenv("BROKEN", "syslog://nonsense?mode=nonsense")
        names = ["PICKY", "OPEN", "BROKEN"]
        short = Occurrence(FAILURE, "shop/b", "failed", (), "Wait.", "/")
        log = opened(tmp_path, names, ("a", OCCURRENCES), ("b", (short,)))

        assert deliver_all(log, names) == 3

        assert (picky.titles(), receiver.titles()) == (["shop/b: failed"], [LONG.title, "shop/b: failed"])
        assert set(log.undelivered()) == {"PICKY", "BROKEN"}
        assert log.undelivered()["PICKY"].startswith("1 undelivered; ")
        assert log.undelivered()["BROKEN"].startswith("2 undelivered; ")


def test_a_destination_that_is_down_is_not_tried_with_every_waiting_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two failures in a row end its turn."""
    down = Receiver(status=503)
    with down.listening():
        monkeypatch.setenv("DOWN", down.address)
        short = Occurrence(FAILURE, "shop/b", "failed", (), "Wait.", "/")
        log = opened(tmp_path, ["DOWN"], *((name, (short,)) for name in "abcde"))
        assert deliver_all(log, ["DOWN"]) == 0
    assert down.refused == 2
