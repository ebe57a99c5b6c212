"""Fields not known here, named the same whichever way they are found."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.http.fields import sent_fields, unknown_fields

Item = TypeVar("Item")


class Part(msgspec.Struct, rename="camel"):
    """The innermost."""

    part_id: Annotated[int, msgspec.Meta(ge=0)] | None = None
    text: msgspec.Raw = msgspec.Raw()


class Whole(msgspec.Struct, Generic[Item]):
    """Parts in every way a body has them."""

    one: Item
    several: Sequence[Item | None] | None = None
    many: list[Part] | None = None


NAMES = st.sampled_from(["partId", "part_id", "text", "shiny", "one", "several"])
PARTS = st.dictionaries(NAMES, st.integers() | st.text() | st.lists(st.integers()) | st.dictionaries(NAMES, st.none()))
ANY = st.one_of(PARTS, st.none(), st.integers(), st.lists(PARTS | st.none() | st.text(), max_size=3))


@given(st.dictionaries(st.sampled_from(["one", "several", "many", "new"]), ANY))
def test_one_reading_and_a_walk_find_the_same(body: dict[str, Any]) -> None:
    """Text is read once where nothing is unknown; plain values are always walked through. Types do not matter here."""
    assert unknown_fields(msgspec.json.encode(body), Whole[Part]) == unknown_fields(body, Whole[Part])


@given(st.dictionaries(st.sampled_from(["one", "several", "many", "new"]), ANY))
def test_every_known_field_that_any_object_of_a_list_has_is_sent(body: dict[str, Any]) -> None:
    """The first of a list may lack what a later one has."""
    expected = set()
    for name in body.keys() - {"new"}:
        is_list = isinstance(body[name], list)
        inside = [one for one in (body[name] if is_list else [body[name]]) if isinstance(one, dict)]
        path = f"{name}[]" if is_list else name
        expected |= {name} | {f"{path}.{inner}" for one in inside for inner in one if inner in {"partId", "text"}}
    assert sent_fields(msgspec.json.encode(body), Whole[Part]) == expected
