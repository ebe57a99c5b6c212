"""Alerts that are longer than a destination takes arrive shortened, and hold up neither newer ones nor other destinations."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analytics_assets.alerts.cause import FAILURE, Cause, Kind, Reason
from analytics_assets.alerts.delivery import deliver, send
from analytics_assets.alerts.lengths import fit_body, shorten
from analytics_assets.alerts.messages import Writer
from analytics_assets.clock import utc_now
from analytics_assets.state.database import engine
from analytics_assets.state.outbox import Message, Outbox, put
from analytics_assets_tests.alerts.receivers import Receiver, text_of

WORDS = "HTTP 400 (" + "what the vendor has to say, " * 20 + "). The request is refused."
CAUSES = [
    Cause(
        kind=Kind.FAILURE,
        severity=FAILURE,
        account="airbridge",
        about=f"airbridge/report_{number}",
        headline="20 of 30 days failed",
        reasons=tuple(
            Reason(
                "PermanentError", f"{WORDS} {k}", tuple(date(2026, 6, 1 + k) + timedelta(days=2 * d) for d in range(12))
            )
            for k in range(4)
        ),
        next="Re-execute from failure.",
        place=f"/runs/{number}",
        group="g",
    )
    for number in range(6)
]
[LONG] = Writer("https://dagster.example", "live").messages([(None, CAUSES)], [], all_clear=False)
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


def test_an_alert_that_is_refused_holds_up_neither_newer_ones_nor_other_destinations(
    receiver: Receiver, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one arrives in the same tick; the refused one stays for later."""
    with Receiver(longest=20).listening() as picky:
        monkeypatch.setenv("PICKY", f"json://127.0.0.1:{picky.port}/a")
        monkeypatch.setenv("OPEN", receiver.address)
        monkeypatch.setenv("BROKEN", "syslog://nonsense?mode=nonsense")
        url = f"sqlite:///{tmp_path}/state.db"
        outbox, names = Outbox(url), ("PICKY", "OPEN", "BROKEN")
        with engine(url).begin() as connection:
            put(connection, [LONG, replace(SHORT, title="new", body="ok")], names, now=utc_now())

        sent = deliver(outbox, names, clock=utc_now, has_time=lambda: True)

        assert (sent, picky.titles(), receiver.titles()) == (3, ["new"], [LONG.title, "new"])
        assert set(outbox.troubles()) == {"PICKY", "BROKEN"}
        assert outbox.troubles()["PICKY"].startswith("1 tried in vain; ")


def test_a_destination_that_is_down_is_not_tried_with_every_waiting_alert(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two failures in a row end its turn."""
    picky = Receiver(status=503)
    with picky.listening():
        monkeypatch.setenv("DOWN", picky.address)
        url = f"sqlite:///{tmp_path}/state.db"
        with engine(url).begin() as connection:
            put(connection, [SHORT] * 5, ["DOWN"], now=utc_now())
        assert deliver(Outbox(url), ["DOWN"], clock=utc_now, has_time=lambda: True) == 0
    assert picky.refused == 2
