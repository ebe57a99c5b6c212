"""Answers kept as sent, and read back as sent."""

from datetime import timedelta

import pytest

from analytics_assets.http.response import JsonResponse, Response
from analytics_assets.lake.content import content_hash
from analytics_assets.lake.raw import bodies, raw_day, raw_table, request_hash, stored_responses
from analytics_assets_tests.lake.sample import DAY, NOON

TABLE = raw_table("ads_raw", "Answers of Bento.", "https://docs.bentonow.com/")
LATER = NOON + timedelta(seconds=2)


def _answer(body: str, *, page: str = "1", at: int = 0, attempts: int = 1, waited_s: float = 0.0) -> JsonResponse:
    asked_at = NOON + timedelta(seconds=at)
    params = (("page", page), ("q", "ü"))
    return JsonResponse("GET /a/{x}", "/a/%2F", params, 200, body.encode(), asked_at, LATER, attempts, waited_s)


def test_a_raw_day_holds_every_answer_as_sent() -> None:
    """One row a response, whole; the day is as old as its first request."""
    day = raw_day(
        TABLE,
        DAY,
        [_answer('{"b": "ü", "n": 1.10}', at=1), _answer("[]", page="2", attempts=3, waited_s=2.5)],
        {"unknown": ["b"]},
    )
    first = {
        "date": DAY,
        "part": 0,
        "endpoint": "GET /a/{x}",
        "path": "/a/%2F",
        "params": '{"page":"1","q":"ü"}',
        "status": 200,
        "body": '{"b": "ü", "n": 1.10}',
        "requested_at": NOON + timedelta(seconds=1),
        "answered_at": LATER,
        "attempts": 1,
    }
    second = {**first, "part": 1, "params": '{"page":"2","q":"ü"}', "body": "[]", "requested_at": NOON, "attempts": 3}
    assert day.content.to_pylist() == [first, second]
    assert (day.requested_at, day.notes) == (NOON, {"unknown": ["b"]})
    assert day.spent == {"requests": 4, "requests_repeated": 2, "seconds_waited": 2.5}
    assert TABLE.validated(day.content, DAY).equals(day.content)


def test_bodies_come_back_in_the_order_of_their_parts() -> None:
    """However the rows lie."""
    content = raw_day(TABLE, DAY, [_answer("1"), _answer("2", page="2"), _answer("3", page="3")]).content
    assert list(bodies(content.take([2, 0, 1]))) == [
        ("GET /a/{x}", {"page": "1", "q": "ü"}, "1"),
        ("GET /a/{x}", {"page": "2", "q": "ü"}, "2"),
        ("GET /a/{x}", {"page": "3", "q": "ü"}, "3"),
    ]


def test_stored_answers_are_those_that_were_received() -> None:
    """In the order of their parts, with query, body and instants, so that they are decoded in the same way."""
    received = [_answer('{"b": "ü"}', at=1), _answer("[]", page="2", attempts=3)]
    content = raw_day(TABLE, DAY, received).content
    assert list(stored_responses(content.take([1, 0]))) == received


def test_a_raw_day_carries_its_responses_only_if_all_are_decoded() -> None:
    """A table made of some of them would lack rows."""
    answer, decoded = _answer("[1]"), Response.of(_answer("[2]"), [2], set)
    assert raw_day(TABLE, DAY, [decoded]).responses == [decoded]
    assert raw_day(TABLE, DAY, [decoded, answer]).responses == ()


def test_equal_answers_at_another_time_are_the_same_raw_day() -> None:
    """When and in how many attempts are observations; a space in the body is content."""
    first, second, other = (
        content_hash(TABLE, raw_day(TABLE, DAY, [answer]).content)
        for answer in (_answer("{}"), _answer("{}", at=1, attempts=2), _answer("{ }"))
    )
    assert first == second != other


@pytest.mark.parametrize(
    ("parts", "same"),
    [
        (({"b": [1, 2], "a": "x"}, "y"), True),
        (({"a": "x", "b": [2, 1]}, "y"), False),
        (("y", {"a": "x", "b": [1, 2]}), False),
        (({"a": "x", "b": [1, 2]}, "y", None), False),
        (({"a": "x", "b": ["1", "2"]}, "y"), False),
    ],
)
def test_a_request_has_one_name_whatever_the_order_of_its_keys(parts: tuple[object, ...], same: bool) -> None:
    """Order within lists and between parts counts."""
    assert (request_hash(*parts) == request_hash({"a": "x", "b": [1, 2]}, "y")) is same
