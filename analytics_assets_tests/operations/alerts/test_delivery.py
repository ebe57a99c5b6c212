"""Messages arrive: once, later if their destination is down, without holding up another, and with no address in any word."""

import threading
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header

import pytest

from analytics_assets.errors import TransientError
from analytics_assets.operations.alerts.delivery import send
from analytics_assets.operations.alerts.messages import Message
from analytics_assets_tests.operations.alerts.receivers import Mailbox, Receiver
from analytics_assets_tests.operations.alerts.scene import SPEC, Scene

MESSAGE = Message("shop/numbers: 1 of 1 days were not stored", "Why & <when>.\nNext: *wait*.", "failure")
SECRET = "tOkEn-of-the-webhook"


def refused(scene: Scene) -> str:
    """What a tick says that fails because a destination does not take its messages."""
    with pytest.raises(TransientError) as told:
        scene.tick()
    return str(told.value)


def test_a_destination_that_was_down_gets_its_message_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tick fails in words without the address, the pause grows, and nothing is lost, sent or counted twice."""
    receiver = Receiver()
    with receiver.listening():
        pass
    monkeypatch.setenv("OPS_HOOK", receiver.address)
    scene.fails({0: TransientError("HTTP 503.")}, days=1)
    said = refused(scene)
    assert said.startswith("Alerts did not arrive and are sent again. OPS_HOOK: 1 undelivered; A Connection error")
    assert SECRET not in said
    with receiver.listening():
        assert (refused(scene), receiver.posts) == (said, [])
        scene.later = timedelta(minutes=2)
        receiver.status = 503
        refused(scene)
        attempts = receiver.refused
        assert attempts > 0
        scene.later += timedelta(minutes=1)
        assert (refused(scene)[:41], receiver.refused) == (said[:41], attempts)
        receiver.status = 200
        scene.later += timedelta(minutes=1.5)
        assert [scene.tick(), scene.tick()] == ["0 new, 1 sent.", "0 new, 0 sent."]
    assert receiver.titles() == ["[sandbox] shop/numbers: 1 of 1 days were not stored"]
    assert [issue.times for issue in scene.log.open_issues()] == [1]


def test_an_issue_that_is_over_before_its_destination_is_back_is_not_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick works again as well."""
    monkeypatch.setenv("OPS_HOOK", "json://127.0.0.1:1/path")
    scene.evaluates("sums", "volume", passed=False)
    refused(scene)
    scene.evaluates("sums", "volume", passed=True)
    assert scene.tick() == "0 new, 0 sent."


def test_a_destination_that_is_down_holds_up_no_other(
    scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is down, one is not set, one is no address; the mail and the webhook get the message in the same tick."""
    with Mailbox().listening() as mailbox:
        monkeypatch.setenv("OPS_MAIL", mailbox.address)
        monkeypatch.setenv("OPS_DOWN", "json://127.0.0.1:1/hunter2-path")
        monkeypatch.setenv("OPS_WRONG", f"nosuch://{SECRET}")
        names = ("OPS_DOWN", "OPS_UNSET", "OPS_WRONG", "OPS_MAIL", "OPS_HOOK")
        scene.spec = replace(SPEC, destinations=names)
        scene.evaluates("sums", "volume", passed=False, description="No rows.")
        said = refused(scene)
    assert receiver.titles() == ["[sandbox] shop/sums: check volume failed"]
    [letter] = mailbox.letters
    assert str(make_header(decode_header(letter["Subject"]))) == "[sandbox] shop/sums: check volume failed"
    assert "No rows." in letter.as_string()
    assert (
        "OPS_UNSET: 1 undelivered; The environment variable OPS_UNSET is not set. "
        "Alerts go there: set it to an Apprise address, or take it out of the YAML."
    ) in said
    assert "OPS_WRONG: 1 undelivered; The environment variable OPS_WRONG does not hold one Apprise address" in said
    assert "OPS_DOWN: 1 undelivered; A Connection error" in said
    assert [secret for secret in (SECRET, "hunter2-path") if secret in said] == []
    scene.spec = SPEC
    assert scene.tick() == "0 new, 0 sent."


def test_three_sensors_at_once_send_once(scene_on_disk: Scene, receiver: Receiver) -> None:
    """As two daemons would; what one has taken in or claimed the others leave alone."""
    scene = scene_on_disk
    receiver.delay_s = 0.2
    run = scene.instance.create_run_for_job(scene.shop.job())
    scene.instance.report_run_failed(run, "The worker was killed.")
    for table in ("numbers", "sums"):
        scene.evaluates(table, "volume", passed=False)
        scene.evaluates(table, "latest_day_stored", passed=False)
    scene.repository()
    ready = threading.Barrier(3)
    said: list[str] = []

    def tick() -> None:
        ready.wait()
        said.append(scene.tick())

    ticks = [threading.Thread(target=tick) for _ in range(3)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join()
    assert sorted(words.split(",")[0] for words in said) == ["0 new", "0 new", "5 new"]
    assert sorted(receiver.titles()) == [
        "[sandbox] shop: checks failed (shop/numbers, shop/sums)",
        "[sandbox] shop: days are late (shop/numbers, shop/sums)",
        "[sandbox] shop: the run failed",
    ]


def test_without_a_destination_the_sensor_says_so_and_remembers_nothing(scene: Scene, receiver: Receiver) -> None:
    """What goes wrong meanwhile is told when there is one."""
    scene.spec = replace(SPEC, destinations=())
    scene.evaluates("sums", "volume", passed=False)
    assert scene.tick() == ("No destination is configured: name one under `destinations` in the YAML of the alerts.")
    scene.spec = SPEC
    assert scene.tick() == "1 new, 1 sent."


def test_a_message_arrives_as_it_was_written(receiver: Receiver) -> None:
    """Signs that mean something in HTML or Markdown are only signs."""
    assert send("HOOK", MESSAGE, environment={"HOOK": receiver.address}) is None
    assert receiver.posts == [
        {"version": "1.0", "title": MESSAGE.title, "message": MESSAGE.body, "attachments": [], "type": "failure"}
    ]


def test_several_addresses_in_one_variable_are_refused(receiver: Receiver) -> None:
    """Or one of them could fail unseen."""
    said = send("HOOK", MESSAGE, environment={"HOOK": f"{receiver.address} {receiver.address}2"})
    assert said == (
        "The environment variable HOOK does not hold one Apprise address, such as "
        "slack://TokenA/TokenB/TokenC or mailtos://user:password@host?to=name@host."
    )
    assert receiver.posts == []
