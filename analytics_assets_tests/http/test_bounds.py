"""How deep an answer may be, and that only what is nested counts."""

import pytest

from analytics_assets.http.bounds import DEEPEST, is_too_deep


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
