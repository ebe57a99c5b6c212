"""The fuzz itself: oracles of their own, chance that repeats, and a watch over what hangs or dies."""

import ast
import queue
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from analytics_assets_tests.fuzz import many, oddities
from analytics_assets_tests.fuzz.mutations import mutated
from analytics_assets_tests.fuzz.same import Json, Near, difference
from analytics_assets_tests.fuzz.sent import Refusal, Sent, document, money
from analytics_assets_tests.fuzz.trial import Verdict

ALONE = ("sent", "same", "log", "oracle_bento", "oracle_statsig", "oracle_airbridge")


def test_the_oracles_use_nothing_of_the_package() -> None:
    """So that no mistake is made twice and cancels out."""
    folder, imported = Path(__file__).parent, set[str]()
    for name in ALONE:
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom | ast.Import):
                imported |= {one.name for one in node.names} if isinstance(node, ast.Import) else {str(node.module)}
    ours = {one for one in imported if one.startswith("analytics_assets")}
    assert ours <= {f"analytics_assets_tests.fuzz.{name}" for name in ALONE}


def test_the_same_number_gives_the_same_answer() -> None:
    """A trial can be looked at again; another number gives another answer."""
    sent = Sent(200, "application/json", b'{"data": [{"a": 1, "b": "x"}, {"a": 2.50, "b": null}]}')
    made = [mutated(Random(seed), sent, {"a": ("7",)}) for seed in range(200)]
    assert made == [mutated(Random(seed), sent, {"a": ("7",)}) for seed in range(200)]
    assert len({one.body for one, _, _ in made}) > len(made) / 2


@pytest.mark.parametrize(
    "body", [one for one in oddities.BODIES if one not in (b"null", b"[]", b"{}", b"0", b'""', b"true")]
)
def test_what_is_no_json_is_refused_by_the_oracles(body: bytes) -> None:
    """The oracles read strictly: nothing may be stored from these."""
    with pytest.raises(Refusal):
        document(Sent(200, "application/json", body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'\xef\xbb\xbf{"a": "b"}', {"a": "b"}),
        (rb'{"a": "b\ud83d"}', {"a": "b\ufffd"}),
        (rb'["\ud83d\ude00", "\ude00\ud83d"]', ["\U0001f600", "\ufffd\ufffd"]),
        (b'["\xed\xa0\xbd\xed\xb8\x80", "\xed\xa0\xbd", "\xc3"]', ["\U0001f600", "\ufffd", "\ufffd"]),
    ],
)
def test_half_a_character_is_replaced_and_a_byte_order_mark_skipped(body: bytes, expected: object) -> None:
    """Written as an escape or as bytes; two halves that belong together are one character."""
    assert document(Sent(200, "application/json", body)) == expected


@pytest.mark.parametrize("text", ["999999999999.999999", "-123456789012.123456"])
def test_money_keeps_every_digit_a_column_has_room_for(text: str) -> None:
    """12 digits before the point and 6 after it."""
    assert money(Decimal(text), "value") == Decimal(text)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ([{"a": 1}], []),
        ([{"a": 1}], [{"a": 2}]),
        ([{"a": 0}], [{"a": None}]),
        ([{"a": None}], [{"a": 0}]),
        ([{"a": False}], [{"a": 0}]),
        ([{"a": 1, "k": "x"}, {"a": 2, "k": "y"}], [{"a": 2, "k": "x"}, {"a": 1, "k": "y"}]),
        ([{"a": Json({"n": 1})}], [{"a": '{"n": 2}'}]),
        ([{"a": Near(0.1)}], [{"a": "0.10000000000000002"}]),
    ],
)
def test_rows_that_differ_are_told_apart(expected: list[dict[str, object]], found: list[dict[str, object]]) -> None:
    """Null is not zero, false is not zero, and values stay with their keys."""
    assert difference(expected, found) is not None


def test_equal_rows_are_equal_in_any_order_and_spelling() -> None:
    """JSON with other blanks, a number in another spelling, columns nobody speaks of."""
    expected = [{"k": "b", "a": Json({"n": 1})}, {"k": "a", "a": None, "x": Near(100.0)}]
    found = [{"k": "a", "a": None, "x": "1e2", "seen": 5}, {"k": "b", "a": '{ "n": 1 }', "x": "", "seen": 6}]
    assert difference(expected, found) is None


@pytest.mark.parametrize(
    ("is_alive", "words"), [(True, "has no end"), (False, "ends it with -11")], ids=["silent", "dead"]
)
def test_a_process_that_falls_silent_is_told(*, is_alive: bool, words: str) -> None:
    """Its trial is named, and it is ended."""
    ended = []
    process = SimpleNamespace(is_alive=lambda: is_alive, exitcode=-11, kill=lambda: ended.append(True))
    told: queue.Queue[Verdict] = queue.Queue()
    told.put(Verdict(0, "bento ads", []))
    worker = many.Worker(process, told, range(4), silent_s=0.05, look_s=0.02)
    assert len(list(worker.messages())) == 1
    assert (worker.done, worker.stopped, ended) == (1, words, [True])
