"""A response read as a record, or refused with the place that does not fit."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from analytics_assets.errors import Evidence, UnexpectedPayloadError
from analytics_assets.http.response import JsonResponse, read

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ANSWER = JsonResponse("GET /x", "/x", (), 200, b'{"name": "a", "amount": "12.30", "new": [1]}', NOW, NOW)


class Row(msgspec.Struct):
    """A record of two fields."""

    name: str
    amount: Decimal


def test_numbers_sent_as_text_are_read_and_unknown_fields_passed_over() -> None:
    """Decimals keep the digits that were sent."""
    assert ANSWER.read(Row) == Row("a", Decimal("12.30"))
    assert str(ANSWER.read(Row).amount) == "12.30"
    assert ANSWER.plain() == {"name": "a", "amount": "12.30", "new": [1]}


def test_digits_beyond_a_float_survive() -> None:
    """A number goes from the text into the decimal without a float in between."""
    got = replace(ANSWER, body=b'{"name": "a", "amount": 12345678901234567890.123456789}').read(Row)
    assert got.amount == Decimal("12345678901234567890.123456789")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"name": "a"}', "Object missing required field `amount`"),
        ('{"name": null, "amount": 1}', "Expected `str`, got `null` - at `$.name`"),
        ('{"name": "a", "amount": "much"}', "Invalid decimal string - at `$.amount`"),
        ("[1]", "Expected `object`, got `array`"),
        ("", "Input data was truncated"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_place(body: str, words: str) -> None:
    """The message names vendor, endpoint and place; the body is kept."""
    with pytest.raises(UnexpectedPayloadError) as caught:
        read(body, Row, vendor="Shop", endpoint="GET /x")
    assert str(caught.value) == (
        f"Shop GET /x: the response is not as documented: {words}. "
        "The body is kept in the quarantine folder of the lake; compare it with the vendor's page."
    )
    assert caught.value.evidence == Evidence("GET /x", body=body)


@pytest.mark.parametrize(
    "body",
    [b'{"name": "\xff", "amount": 1}', b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["not UTF-8", "too deep"],
)
def test_a_body_no_reader_can_take_is_refused_like_any_other(body: bytes) -> None:
    """Neither a decoding error nor a recursion error comes through."""
    with pytest.raises(UnexpectedPayloadError) as caught:
        read(body, Row, vendor="Shop", endpoint="GET /x")
    assert caught.value.evidence == Evidence("GET /x", body=body.decode(errors="replace"))
