"""Half a character in JSON, and a byte order mark before it: what every reader refuses is repaired, and nothing else is changed."""

import io
import json
import random
import time

import duckdb
import msgspec
import pyarrow.json as pa_json  # noqa: TID251 - people read the lake with it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.errors import PermanentError, UnexpectedPayloadError
from analytics_assets.http.bodies import DEEPEST, EqualNamesError, is_too_deep, json_of
from analytics_assets_tests.http.scripted import answer, scripted, session

BROKEN = [
    (rb'{"a": "x\ud83d"}', "x\ufffd"),
    (rb'{"a": "\ud83dx"}', "\ufffdx"),
    (rb'{"a": "\uD83D\n"}', "\ufffd\n"),
    (rb'{"a": "x\ude00"}', "x\ufffd"),
    (rb'{"a": "\ude00\ud83d"}', "\ufffd\ufffd"),
    (rb'{"a": "\ud83d\ud83d\ude00"}', "\ufffd\U0001f600"),
    (rb'{"a": "\\\ud83d"}', "\\\ufffd"),
    (rb'{"a": "\\ud83d\ude00"}', "\\ud83d\ufffd"),
    (rb'{"a": "\"\ud83d\""}', '"\ufffd"'),
    (b'{"a": "x\xed\xa0\xbd"}', "x\ufffd"),
    (b'{"a": "x\xed\xa0\xbd\xed\xb8\x80"}', "x\U0001f600"),
    (b'{"a": "x\xf0\x9f\x98"}', "x\ufffd"),
    (b'{"a": "\x98\x80x"}', "\ufffd\ufffdx"),
    (b'{"a": "na\xc3"}', "na\ufffd"),
]


@pytest.mark.parametrize(("body", "text"), BROKEN)
def test_half_a_character_is_replaced_for_every_reader(body: bytes, text: str) -> None:
    """msgspec, PyArrow and DuckDB refuse each of these bodies as it was sent, and read the repaired one."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(body)
    repaired, texts = json_of(body)
    assert (msgspec.json.decode(repaired), texts) == ({"a": text}, [text])
    assert pa_json.read_json(io.BytesIO(repaired)).to_pylist() == [{"a": text}]
    with duckdb.connect() as database:
        found = database.execute("SELECT json_extract_string(?::json, '$.a')", [repaired.decode()]).fetchone()
    assert found == (text,)


@pytest.mark.parametrize(
    "body",
    [rb'{"a": "\ud83d\ude00"}', rb'{"a": "x\\ud83d"}', '{"a": "🎈 x\ufffd"}'.encode(), rb'{"a": "\ufffd"}', b"[1]"],
)
def test_a_body_that_can_be_read_is_left_as_it_was_sent(body: bytes) -> None:
    """Pairs, escaped backslashes, and a U+FFFD that the vendor sent itself."""
    assert json_of(body) == (body, [])


def test_all_but_the_broken_texts_is_left_byte_for_byte() -> None:
    """Numbers keep their digits, and objects their spaces and doubled fields."""
    body = rb'{"n": 1.10, "s": ["\ud83d",  "\u00e9", "b"], "n": 2e5}'
    assert json_of(body)[0] == body.replace(rb"\ud83d", rb"\ufffd")


@pytest.mark.parametrize(
    "body", [rb'{"a": "x\ud83d', rb'["\ud83d", ', b'{"a": "\xff"}', b'{"a": "\xed\xa0', b"", b"\xef\xbb\xbf"]
)
def test_what_is_cut_short_is_not_repaired(body: bytes) -> None:
    """The text may be whole the next time."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        json_of(body)


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a\ud83d": 1, "a\ud83e": 2}',
        rb'{"a\ud83d": 1, "a\ufffd": 2}',
        '{"a\\ud83d": 1, "a\ufffd": 2}'.encode(),
        rb'{"x": {"a\ude00" : 1, "a\ud83d": 2}}',
    ],
)
def test_field_names_that_would_become_equal_are_refused(body: bytes) -> None:
    """A reader would keep the last of the two values without a word."""
    with pytest.raises(EqualNamesError, match="a\ufffd"):
        json_of(body)


def test_a_field_name_is_repaired_where_it_stays_the_only_one() -> None:
    """The same name twice, as in two rows, is one name."""
    assert json_of(rb'[{"a\ud83d": 1}, {"a\ud83d": "a\ud83e"}]')[0] == rb'[{"a\ufffd": 1}, {"a\ufffd": "a\ufffd"}]'


@given(st.recursive(st.text(alphabet=st.characters(codec=None), max_size=6) | st.integers(), st.lists, max_leaves=8))
def test_any_text_is_read_as_python_reads_it_with_halves_replaced(value: object) -> None:
    """Python's reader lets halves through, so it knows what was sent."""
    repaired, _ = json_of(json.dumps(value).encode())
    assert msgspec.json.decode(repaired) == _without_halves(value)


def _without_halves(value: object) -> object:
    if isinstance(value, list):
        return [_without_halves(one) for one in value]
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value) if isinstance(value, str) else value


async def test_one_broken_text_costs_one_text(caplog: pytest.LogCaptureFixture) -> None:
    """One request; the text is named in the log, without the key that it may repeat, and counted."""
    body = b'\xef\xbb\xbf{"rows": ["spring \\ud83d", "sk-secret/key+1 \\ud83d", "x"]}'
    async with scripted(answer(body)) as server, session(server.url) as way:
        got = await way.post("/x", "/x", {})
    assert (got.body, got.repaired) == (b'{"rows": ["spring \\ufffd", "[redacted] \\ufffd", "x"]}', 2)
    assert [record.getMessage() for record in caplog.records] == [
        "Bento POST /x: U+FFFD is stored for half a character in 2 texts: 'spring \ufffd', '[redacted] \ufffd'"
    ]


async def test_names_that_cannot_be_told_apart_are_refused_once_by_name() -> None:
    """Waiting changes nothing about them."""
    async with scripted(answer(rb'{"\ud83d": 1, "\ud83e": 2}')) as server, session(server.url) as way:
        with pytest.raises(
            UnexpectedPayloadError, match=r"both would be '\ufffd'\. Ask Bento to correct them"
        ) as caught:
            await way.get("/x", "/x")
    assert len(server.asked) == 1
    assert caught.value.evidence is not None
    assert caught.value.evidence.body == r'{"\ud83d": 1, "\ud83e": 2}'


async def test_a_body_cut_in_half_a_character_is_asked_for_again() -> None:
    """The connection may have been cut there."""
    async with scripted(answer(rb'{"a": "\ud83d'), answer(b"{}")) as server, session(server.url) as way:
        assert (await way.get("/x", "/x")).attempts == 2


async def test_a_refusal_with_a_mark_and_a_broken_text_is_quoted() -> None:
    """It is JSON like any other: its words are shown, its trace too, and a key behind escapes is not."""
    hidden = "".join(f"\\u{ord(letter):04x}" for letter in "sk-secret/key+1")
    body = f'\ufeff{{"error": "no \\ud83d {hidden}", "traceId": "1-ab"}}'.encode()
    async with scripted(answer(body, status=400)) as server, session(server.url) as way:
        with pytest.raises(PermanentError, match=r"HTTP 400 \(no \ufffd \[redacted\]\) \[trace 1-ab\]\."):
            await way.get("/x", "/x")


def test_a_large_body_is_repaired_in_a_time_that_grows_with_it() -> None:
    """Many escapes and quotes of every kind cost no search from each of them."""
    letters = random.Random(1)
    texts = ["".join(letters.choices(["a", '"', "\\", "é", "\n", "🎈"], k=40)) for _ in range(40_000)]
    body = json.dumps([*texts, "\ud83d"]).encode()
    repaired, broken = json_of(body)
    assert (len(repaired), broken) == (len(body), ["\ufffd"])


def test_a_text_cut_after_many_quotes_is_refused_in_a_time_that_grows_with_it() -> None:
    r"""Each `\"` in it looks like the beginning of another text."""
    body = rb'{"a":"' + rb"\"" * 50_000
    began = time.process_time()
    with pytest.raises(ValueError, match="truncated"):
        json_of(body)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":[', b"]}]")])
def test_the_deepest_level_is_the_last_one_taken(opening: bytes, closing: bytes) -> None:
    """Lists and objects count alike, mixed too."""
    each = opening.count(b"[") + opening.count(b"{")
    times = DEEPEST // each
    assert not is_too_deep(opening * times + b"1" + closing * times)
    assert is_too_deep(opening * (times + 1) + b"1" + closing * (times + 1))


@pytest.mark.parametrize(
    "text",
    [b"[" * 100, b"]" * 100, b'\\"' + b"[" * 100, b"[{" * 50 + b"]" * 50, b"[" * 100 + b"\\\\"],
    ids=["opening", "closing", "behind a quote", "mixed up", "before a backslash"],
)
def test_brackets_in_texts_are_no_levels(text: bytes) -> None:
    """Neither those in values nor those in names; and they hide no level outside."""
    assert not is_too_deep(b'{"' + text + b'": ["' + text + b'", {}]}')
    deep = b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1)
    assert not is_too_deep(b'{"' + text + b'":' + deep + b"}")
    assert is_too_deep(b'{"' + text + b'":[' + deep + b"]}")


def test_a_long_list_is_not_deep() -> None:
    """Its elements stand beside each other."""
    assert not is_too_deep(b"[" + b",".join([b'{"value": [1, {"a": []}]}'] * 50_000) + b"]")
