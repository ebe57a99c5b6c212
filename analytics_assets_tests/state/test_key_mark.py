"""What the ledger remembers of a key that was refused: enough to know another one, and nothing to find it with."""

from datetime import UTC, date, datetime
from pathlib import Path

from analytics_assets.state.ledger import Ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def refused(url: str, secret: str) -> Ledger:
    """A ledger whose only request was refused with a key."""
    ledger = Ledger(url, secret)
    ledger.join_or_open("shop", "revenue", "a", [date(2026, 3, 1)], longest=92, now=NOW)
    ledger.saw(1, "REFUSED", task_id=None, now=NOW, reason="HTTP 401", is_refusal=True)
    return ledger


def test_another_key_is_known_from_the_one_that_was_refused(tmp_path: Path) -> None:
    """By any process; no key at all is not another one."""
    url = f"sqlite:///{tmp_path}/state.db"
    same = refused(url, "old-key")
    assert [
        one.has_new_key(one.get(1)) for one in (same, Ledger(url, "old-key"), Ledger(url, "new-key"), Ledger(url))
    ] == [False, False, True, False]


def test_the_key_is_nowhere_in_the_database(tmp_path: Path) -> None:
    """The mark is salted: the same key in another database has another mark."""
    marks = []
    for name in ("one", "two"):
        ledger = refused(f"sqlite:///{tmp_path}/{name}.db", "hunter2-hunter2")
        marks.append(ledger.get(1).key_mark)
        held = b"".join(path.read_bytes() for path in tmp_path.glob(f"{name}.db*"))
        assert b"hunter2" not in held
    assert len(set(marks)) == 2
    assert [len(mark or "") for mark in marks] == [32, 32]


def test_a_mark_is_of_the_last_refusal_alone(tmp_path: Path) -> None:
    """Whatever else is seen takes it away; a refusal without a key has none."""
    ledger = refused(f"sqlite:///{tmp_path}/state.db", "key")
    ledger.saw(1, "PENDING", task_id=None, now=NOW)
    assert ledger.get(1).key_mark is None
    keyless = Ledger(f"sqlite:///{tmp_path}/state.db")
    keyless.saw(1, "REFUSED", task_id=None, now=NOW, is_refusal=True)
    assert keyless.get(1).key_mark is None
