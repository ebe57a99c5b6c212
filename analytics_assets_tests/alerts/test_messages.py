"""How a message reads when there is much to say."""

from datetime import UTC, date, datetime, timedelta

from analytics_assets.alerts.cause import FAILURE, WARNING, Cause, Kind, Reason
from analytics_assets.alerts.messages import Writer
from analytics_assets.state.outbox import Message
from analytics_assets.state.told import OpenCause

WRITER = Writer("https://dagster.example.com", "live")
FIRST = date(2026, 3, 1)


def cause(about: str, *reasons: Reason, group: str = "a") -> Cause:
    """A failed run."""
    return Cause(Kind.FAILURE, FAILURE, "shop", about, "all is lost", reasons, "Wait.", "/runs/1", group)


def told(*causes: Cause) -> list[Message]:
    """The messages of causes that are new."""
    return WRITER.messages([(None, [one]) for one in causes], [], all_clear=False)


def test_causes_of_one_group_share_a_message_and_others_do_not() -> None:
    """In live mode the title says nothing of the mode."""
    other = cause("shop/c", group="b")
    assert [(one.title, one.severity) for one in told(cause("shop/a"), other, cause("shop/b"))] == [
        ("shop: runs failed (shop/a, shop/b)", FAILURE),
        ("shop/c: all is lost", FAILURE),
    ]


def test_a_message_stays_short_whatever_the_cause() -> None:
    """Many parts, reasons, scattered days and long words are counted or cut, and said to be."""
    scattered = tuple(FIRST + timedelta(2 * number) for number in range(40))
    reasons = [Reason("E", f"{number} " + "x" * 600, scattered) for number in range(5)]
    [message] = told(*(cause(f"shop/t{number}", *reasons) for number in range(30)))
    assert message.title == "shop: runs failed (shop/t0, shop/t1, shop/t2 and 27 more)"
    assert message.body.endswith("\n\nAnd 25 more: shop/t5, shop/t6, shop/t7 and 22 more.")
    assert message.body.splitlines()[:6] == [
        "shop/t0: all is lost.",
        *(f"between 2026-03-01 and 2026-05-18 (40 days): {number} {'x' * 498}..." for number in range(3)),
        "... and 2 more reasons.",
        "Next: Wait.",
    ]
    assert len(message.body) < 10_000


def test_the_end_of_causes_is_one_message_and_only_if_asked_for() -> None:
    """With what each was and since when."""
    began = datetime(2026, 3, 1, 2, 10, 30, tzinfo=UTC)
    over = [OpenCause(str(n), "check", f"shop/t{n}: check volume failed", 1, began, began, began, {}) for n in range(7)]
    assert WRITER.messages([], over, all_clear=False) == []
    [message] = WRITER.messages([], over, all_clear=True)
    assert message == Message(
        "All clear: shop/t0: check volume failed, and 6 more",
        "\n".join(
            [
                *(f"shop/t{n}: check volume failed: over. It was first seen 2026-03-01 02:10 UTC." for n in range(5)),
                "And 2 more.",
            ]
        ),
        "success",
    )


def test_a_message_is_as_severe_as_its_worst_cause() -> None:
    """Red beats yellow."""
    mild = Cause(**{**vars(cause("shop/a")), "severity": WARNING})
    assert [told(mild)[0].severity, told(mild, cause("shop/b"))[0].severity] == [WARNING, FAILURE]
