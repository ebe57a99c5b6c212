"""Ways in which a response can be other than expected: values, structure, lengths, bytes, headers.

A *harmless* change leaves a response that the vendors' pages allow, so that it must land.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

from analytics_assets_tests.fuzz import oddities
from analytics_assets_tests.fuzz.drafts import Draft, Half, Text, Twice, Where, parsed, written
from analytics_assets_tests.fuzz.sent import Sent

_NOWHERE = "nowhere"


def mutated(draw: Random, sent: Sent, free: Mapping[str, Sequence[str]]) -> tuple[Sent, list[str], bool]:
    """The response with one to three things changed, what was changed, and whether all of it is harmless.

    Args:
        draw: Where chance comes from.
        sent: The genuine answer.
        free: By field, JSON texts that the vendor may send in it whatever else it sends.
    """
    chance = draw.random()
    if chance < 0.06:
        change = draw.choice((_marked, _throttled))
        return change(draw, sent), [change.__name__], change in _HARMLESS_BYTES
    if chance < 0.15:
        change = draw.choice((*_BYTES, *_HEADERS))
        return change(draw, sent), [change.__name__], change in _HARMLESS_BYTES
    kinds = _HARMLESS if chance < 0.35 else (*_KINDS, *_HARMLESS)
    draft, told, is_harmless = Draft(draw, [parsed(sent.body)], free), [], True
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        kind = draw.choice(kinds)
        told.append(f"{kind.__name__.strip('_')} {kind(draft)}")
        is_harmless = is_harmless and kind in _HARMLESS
    return replace(sent, body=written(draft.top[0]).encode()), told, is_harmless


def _put(where: Where | None, fresh: str) -> str:
    if where is None:
        return _NOWHERE
    where[0][where[1]] = Text(fresh)
    return f"{where[1]} = {fresh[:40]}"


def _scalar(draft: Draft) -> str:
    """Another value of any kind."""
    where = draft.somewhere(lambda held: not isinstance(held, dict | list))
    return _put(where, draft.draw.choice(draft.draw.choice((oddities.NUMBERS, oddities.TEXTS, oddities.OTHERS))))


def _number(draft: Draft) -> str:
    """Another number, one at the edge of a column, or the same in another spelling."""
    where = draft.somewhere(lambda held: isinstance(held, int | Decimal) and not isinstance(held, bool))
    held = 0 if where is None else where[0][where[1]]
    others = (held + 1, held * 1000, -held, held + 86400, held - 86400, held * 2**40)
    spelt = (f'"{held}"', f'" {held}"', f"{held}.0", f"{held}e0", f"{held}.000000000499999")
    return _put(
        where,
        draft.draw.choice(
            (*map(str, others), *spelt, draft.draw.choice(oddities.NUMBERS), draft.draw.choice(oddities.EDGES))
        ),
    )


def _word(draft: Draft) -> str:
    """Another text."""
    where = draft.somewhere(lambda held: isinstance(held, str))
    held = "" if where is None else where[0][where[1]]
    others = (held + " ", " " + held, held.upper(), held[:-1], held * 3, held + "T00:00:00+09:00", held[:8] + "31")
    return _put(where, draft.draw.choice((*map(json.dumps, others), draft.draw.choice(oddities.TEXTS))))


def _gone(draft: Draft) -> str:
    """A field or an element taken away."""
    where = draft.somewhere()
    if where is None or where[0] is draft.top:
        return _NOWHERE
    del where[0][where[1]]
    return str(where[1])


def _renamed(draft: Draft) -> str:
    """A field under another name."""
    where = draft.named()
    if where is None:
        return _NOWHERE
    name = where[1]
    fresh = draft.draw.choice((name.upper(), name + "s", "x_" + name, name[:-1]))
    where[0][fresh] = where[0].pop(name)
    return f"{name} to {fresh}"


def _named_twice(draft: Draft) -> str:
    """A field that stands twice in its object, with another value."""
    where = draft.named()
    if where is None:
        return _NOWHERE
    fresh = draft.draw.choice(draft.draw.choice((oddities.NUMBERS[:6], oddities.TEXTS, oddities.OTHERS)))
    where[0][Twice(where[1])] = Text(fresh)
    return f"{where[1]} = {fresh[:40]}"


def _wrapped(draft: Draft) -> str:
    """A value one level deeper, or very much deeper."""
    where, depth = draft.somewhere(), draft.draw.choice((1, *oddities.DEPTHS))
    if where is None:
        return _NOWHERE
    opening, closing = draft.draw.choice((("[", "]"), ('{"a":', "}")))
    where[0][where[1]] = Text(opening * depth + written(where[0][where[1]]) + closing * depth)
    return f"{where[1]} {depth} deep"


def _elements(draft: Draft) -> str:
    """A list with elements doubled, swapped, taken away, of another kind, or far too many."""
    draw, where = draft.draw, draft.somewhere(lambda held: isinstance(held, list) and len(held) > 0)
    if where is None:
        return _NOWHERE
    held = where[0][where[1]]
    at, other = draw.randrange(len(held)), draw.randrange(len(held))
    kind = draw.choice(("double", "twin", "swap", "halve", "empty", "null", "stranger", "many", "object"))
    match kind:
        case "double":
            held.append(held[at])
        case "twin":
            twin = Draft(draw, [parsed(written(held[at]).encode())] if _is_json(held[at]) else [None], draft.free)
            _number(twin)
            held.append(twin.top[0])
        case "swap":
            held[at], held[other] = held[other], held[at]
        case "halve":
            del held[len(held) // 2 :]
        case "empty":
            held.clear()
        case "object":
            where[0][where[1]] = {str(number): one for number, one in enumerate(held)}
        case "many":
            held[at:at] = [held[at]] * 300
        case _:
            held[at:at] = [Text("null" if kind == "null" else draw.choice((*oddities.OTHERS, *oddities.TEXTS[:8])))]
    return f"{where[1]} {kind}"


def _is_json(value: object) -> bool:
    try:
        parsed(written(value).encode())
    except (ValueError, RecursionError):
        return False
    return True


def _traded(draft: Draft) -> str:
    """Two fields of one object with each other's value."""
    where = draft.somewhere(lambda held: isinstance(held, dict) and len(held) > 1)
    if where is None:
        return _NOWHERE
    held = where[0][where[1]]
    one, other = draft.draw.sample(sorted(held, key=str), 2)
    held[one], held[other] = held[other], held[one]
    return f"{one} with {other}"


def _length(draft: Draft) -> str:
    """What a response says of the length of its list."""
    return _put(draft.named(oddities.LENGTH_FIELDS), draft.draw.choice(oddities.LENGTHS))


def _stranger(draft: Draft) -> str:
    """A field nobody has heard of."""
    where = draft.somewhere(lambda held: isinstance(held, dict))
    # Where the names are data, such as currencies, a new one is no stranger.
    if where is None or where[1] == "revenueByCurrency":
        return _NOWHERE
    held, name = where[0][where[1]], draft.draw.choice(oddities.UNKNOWN_NAMES)
    held[name] = Text(draft.draw.choice(oddities.UNKNOWN_VALUES))
    return f"{name!r} in {where[1]}"


def _shuffled(draft: Draft) -> str:
    """The fields of an object in another order."""
    where = draft.somewhere(lambda held: isinstance(held, dict))
    if where is None or any(isinstance(name, Twice) for name in where[0][where[1]]):
        return _NOWHERE
    held = where[0][where[1]]
    pairs = list(held.items())
    draft.draw.shuffle(pairs)
    held.clear()
    held.update(pairs)
    return str(where[1])


def _freed(draft: Draft) -> str:
    """Another value that the vendor may well send there."""
    where = draft.named(tuple(draft.free)) if draft.free else None
    return _NOWHERE if where is None else _put(where, draft.draw.choice(draft.free[where[1]]))


def _halved(draft: Draft) -> str:
    """Half an emoji in a text or in a field's name."""
    half = draft.draw.choice(oddities.HALVES)
    where = draft.named()
    if where is not None and draft.draw.random() < 0.2:
        where[0][Half(where[1], half)] = where[0].pop(where[1])
        return f"half in {where[1]}"
    return _half_in(draft, draft.somewhere(lambda held: isinstance(held, str)), half)


def _halved_words(draft: Draft) -> str:
    """Half an emoji in a text that people chose."""
    named = [name for name, texts in draft.free.items() if any(text.startswith('"') for text in texts)]
    where = draft.named(named) if named else None
    is_text = where is not None and isinstance(where[0][where[1]], str)
    return _half_in(draft, where if is_text else None, draft.draw.choice(oddities.HALVES))


def _half_in(draft: Draft, where: Where | None, half: str) -> str:
    held = "" if where is None else where[0][where[1]]
    at = draft.draw.choice((0, len(held) // 2, len(held), len(held)))
    return _put(where, f"{json.dumps(held[:at])[:-1]}{half}{json.dumps(held[at:])[1:]}")


_HARMLESS = (_halved_words, _stranger, _shuffled, _freed, _freed, _freed, _freed)
_KINDS = (
    *(_halved, _scalar, _scalar, _number, _number, _word, _gone, _renamed, _named_twice, _wrapped, _traded),
    *(_elements, _elements, _elements, _length, _length),
)


def _cut(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=sent.body[: draw.randrange(len(sent.body))])


def _flipped(draw: Random, sent: Sent) -> Sent:
    at = draw.randrange(len(sent.body))
    return replace(sent, body=sent.body[:at] + bytes([draw.randrange(256)]) + sent.body[at + 1 :])


def _inserted(draw: Random, sent: Sent) -> Sent:
    at = draw.randrange(len(sent.body))
    return replace(sent, body=sent.body[:at] + draw.choice(oddities.BYTES) + sent.body[at:])


def _dropped(draw: Random, sent: Sent) -> Sent:
    at = draw.randrange(len(sent.body))
    return replace(sent, body=sent.body[:at] + sent.body[at + 1 :])


def _recoded(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=sent.body.decode().encode(draw.choice(oddities.CODECS)))


def _followed(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=sent.body + draw.choice((b"x", b"{}", b"\x00", b",", sent.body)))


def _another(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=draw.choice(oddities.BODIES))


def _spaced(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=draw.choice((b" \n", b"\t")) + sent.body + b"\r\n ")


def _marked(draw: Random, sent: Sent) -> Sent:
    return replace(sent, body=draw.choice((b"\xef\xbb\xbf", b"\xef\xbb\xbf\n")) + sent.body)


def _retyped(draw: Random, sent: Sent) -> Sent:
    return replace(sent, content_type=draw.choice(oddities.TYPES))


def _respelt(draw: Random, sent: Sent) -> Sent:
    return replace(sent, content_type=draw.choice(oddities.JSON_TYPES))


def _restated(draw: Random, sent: Sent) -> Sent:
    return replace(sent, status=draw.choice(oddities.STATUSES))


def _throttled(draw: Random, sent: Sent) -> Sent:
    status = draw.choice((429, 429, 503, 500))
    return replace(sent, status=status, retry_after=draw.choice(oddities.RETRY_AFTERS))


_Change = Callable[[Random, Sent], Sent]
_BYTES: Sequence[_Change] = (_cut, _flipped, _inserted, _dropped, _recoded, _followed, _another, _spaced)
_HEADERS: Sequence[_Change] = (_retyped, _respelt, _restated)
_HARMLESS_BYTES: Sequence[_Change] = (_spaced, _respelt, _marked)
