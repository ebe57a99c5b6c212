"""From a response that is not a success to an error, and what its words never hold."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    Evidence,
    PermanentError,
    SourceError,
    TransientError,
)
from analytics_assets.http.statuses import Vendor, error_of

NOW = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
SECRET = "sk/live+4711=="
VENDOR = Vendor("Airbridge", "AIRBRIDGE_API_TOKEN", secrets=["pub-key-1", SECRET])
PROBLEM = {"content-type": "application/problem+json"}


def _error(status: int, body: bytes = b"", **headers: str) -> SourceError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(VENDOR, endpoint="GET /x", status=status, headers=named, body=body, now=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, PermanentError, "The request is refused: check the parameters in the YAML."),
        (401, AccessRefusedError, "The credentials are refused: check AIRBRIDGE_API_TOKEN."),
        (403, AccessRefusedError, "The credentials lack the permission: check the role behind AIRBRIDGE_API_TOKEN."),
        (404, PermanentError, "The address names something unknown: check ids and names in the YAML."),
        (408, TransientError, "This may pass by itself."),
        (422, PermanentError, "The request is refused: check the parameters in the YAML."),
        (425, TransientError, "This may pass by itself."),
        (429, TransientError, "This may pass by itself."),
        (500, TransientError, "This may pass by itself."),
        (503, TransientError, "This may pass by itself."),
        (599, TransientError, "This may pass by itself."),
    ],
)
def test_the_status_decides_even_where_the_body_is_empty(status: int, kind: type[SourceError], advice: str) -> None:
    """Class and advice of each status, without a word from the vendor."""
    error = _error(status)
    assert (type(error), str(error)) == (kind, f"Airbridge GET /x: HTTP {status}. {advice}")
    assert error.evidence == Evidence("GET /x", status=status)


@pytest.mark.parametrize(
    ("body", "said", "trace_id"),
    [
        (b'{"error": "Unauthorized"}', " (Unauthorized)", None),
        (b'{"errors": [{"field": "start"}]}', ' ([{"field":"start"}])', None),
        (b'{"message": "no metric", "errors": {}}', " (no metric)", None),
        (
            b'{"title": "BAD_REQUEST", "detail": "range too long", "traceId": "1-ab-cd"}',
            " (BAD_REQUEST: range too long) [trace 1-ab-cd]",
            "1-ab-cd",
        ),
        (b'{"title": null, "detail": 7}', " (7)", None),
        (b"[1, 2]", "", None),
        (b"plain words", " (plain words)", None),
        (b"\xff\xfe", " (\ufffd\ufffd)", None),
        (b"  <html>Sorry</html>", " (an HTML page)", None),
        (b"w" * 400, f" ({'w' * 300})", None),
    ],
)
def test_the_vendors_own_words_are_quoted_from_any_body(body: bytes, said: str, trace_id: str | None) -> None:
    """All three vendors' shapes, and bodies of no shape at all."""
    error = _error(400, body)
    assert str(error).startswith(f"Airbridge GET /x: HTTP 400{said}. ")
    assert error.evidence == Evidence("GET /x", status=400, body=body.decode(errors="replace"), trace_id=trace_id)


def test_a_body_nested_beyond_reading_is_quoted_shortened() -> None:
    """No recursion error comes through."""
    assert str(_error(400, b"[" * 100_000)).startswith(f"Airbridge GET /x: HTTP 400 ({'[' * 300}). ")


_IN_FRONT = (
    "This is not Airbridge's API, but a proxy, a firewall or a bot wall in front of it. Requests are repeated with long pauses. "
    "If it stays, allow this machine's address and User-Agent there, and check HTTPS_PROXY and base_url."
)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 407, 422, 451])
@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<!doctype html>", "text/html; charset=utf-8", "an HTML page"),
        (b"<html>", "application/json", "an HTML page"),
        (b"\xef\xbb\xbf <html>", "", "an HTML page"),
        (b"error code: 1020", "text/plain", "error code: 1020"),
    ],
)
def test_a_refusal_that_is_not_json_is_a_blocked_path(status: int, body: bytes, kind: str, said: str) -> None:
    """The vendors refuse in JSON, so whoever sent this is in front of them, and may let the next request pass."""
    error, advice = _error(status, body, content_type=kind), _IN_FRONT
    if status == 401:
        advice = advice.replace(" and base_url", ", base_url and AIRBRIDGE_API_TOKEN")
    assert (type(error), str(error)) == (BlockedError, f"Airbridge GET /x: HTTP {status} ({said}). {advice}")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"error": "no"}', "text/html"), (b'{"error": "no"}', ""), (b'"no"', "Application/JSON"), (b"", "text/html")],
)
def test_a_refusal_in_json_or_without_a_body_is_the_vendors_own(status: int, body: bytes, kind: str) -> None:
    """Whatever the content type says, but a page with a body: then nothing is repeated."""
    assert isinstance(_error(status, body, content_type=kind), PermanentError) is (kind != "text/html" or not body)


def test_a_refusal_of_keys_that_is_not_json_names_the_keys_too() -> None:
    """Rails, for one, answers a wrong password with a line of text; so do gateways that want one of their own."""
    error = _error(401, b"HTTP Basic: Access denied.\n", content_type="text/html")
    assert isinstance(error, BlockedError)
    assert "check HTTPS_PROXY, base_url and AIRBRIDGE_API_TOKEN." in str(error)
    assert "AIRBRIDGE_API_TOKEN" not in str(_error(403, b"<html>", content_type="text/html"))


def test_a_redirect_is_a_blocked_path_that_names_where_it_leads() -> None:
    """As of the log-in page of a network; the query, which may repeat what was sent, is not shown."""
    error = _error(302, b"", location="https://login.example/?from=https%3A%2F%2Fapi&site=s-77")
    assert type(error) is BlockedError
    assert "HTTP 302. This is not Airbridge's API" in str(error)
    assert " It leads to login.example. " in str(error)
    assert "s-77" not in str(error)
    assert type(_error(302, b"", location="https://[bad")) is BlockedError


@pytest.mark.parametrize("status", [411, 413, 414, 431])
def test_a_page_about_the_size_of_the_request_is_not_repeated(status: int) -> None:
    """The next request would be as large."""
    assert type(_error(status, b"<html>", content_type="text/html")) is PermanentError


def test_a_throttled_answer_says_how_long_to_wait() -> None:
    """The header's seconds are on the error."""
    error = _error(429, retry_after="30")
    assert isinstance(error, TransientError)
    assert error.retry_after_s == 30.0


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        SECRET.replace("/", "\\/"),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
        quote_plus(SECRET),
    ],
)
def test_a_secret_is_taken_out_in_every_form_it_travels_in(form: str) -> None:
    """Plain, in JSON and in an address."""
    assert VENDOR.redact(f"got <{form}> from you") == "got <[redacted]> from you"


@pytest.mark.parametrize("name", ["", "x", "xy", "xy:", "name:", "names:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_taken_out_of_a_basic_header(name: str, encode: Callable[[bytes], bytes]) -> None:
    """What is left of the header are the letters that hold nothing but the name before the secret."""
    form = encode(name.encode() + SECRET.encode()).decode()
    assert VENDOR.redact(f"got <{form}> from you") == f"got <{form[: len(name) * 8 // 6]}[redacted]> from you"


def test_a_secret_hidden_behind_json_escapes_does_not_reach_the_message() -> None:
    """Decoding would bring back a secret that the text did not show."""
    hidden = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    error = _error(401, f'{{"error": "bad key {hidden}", "traceId": "{hidden}"}}'.encode(), **PROBLEM)
    assert str(error) == (
        "Airbridge GET /x: HTTP 401 (bad key [redacted]) [trace [redacted]]. "
        "The credentials are refused: check AIRBRIDGE_API_TOKEN."
    )


def test_a_secret_at_the_cut_is_taken_out_whole() -> None:
    """Words are redacted before they are shortened, so that no half of a key is left."""
    assert "sk/" not in str(_error(400, b"w" * 295 + SECRET.encode()))


def test_a_secret_that_begins_with_another_is_taken_out_whole() -> None:
    """The longer one goes first."""
    vendor = Vendor("Bento", "KEYS", secrets=["key", "key-and-more", ""])
    assert vendor.redact("key-and-more, key") == "[redacted], [redacted]"


def test_a_vendor_without_secrets_leaves_texts_alone() -> None:
    """An empty secret is none."""
    assert Vendor("Bento", "KEYS", secrets=[""]).redact("some text") == "some text"


@given(secret=st.text(min_size=8), before=st.text(), after=st.text())
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    """Whatever stands around it, and whatever its letters."""
    vendor = Vendor("Bento", "KEYS", secrets=[secret])
    assert secret not in vendor.redact(before + secret + after).replace(
        "[redacted]", "\0" if "\0" not in secret else "\1"
    )


def test_a_secret_in_json_within_json_is_taken_out() -> None:
    """A gateway that reports a request as a text of JSON puts a backslash before each that is there already."""
    secret = 'sk/one"two\\three'
    vendor, text = Vendor("Bento", "BENTO_SECRET_KEY", secrets=[secret]), f"key {secret} was sent"
    for _ in range(4):
        redacted = vendor.redact(text)
        assert ("one" in redacted, "three" in redacted, "[redacted]" in redacted) == (False, False, True)
        text = json.dumps(text).replace("/", r"\/")


def test_a_body_that_repeats_a_secret_is_kept_without_it() -> None:
    """As sent where it has none, byte for byte."""
    vendor = Vendor("Bento", "BENTO_SECRET_KEY", secrets=["sk-secret/key+1", ""])
    assert vendor.without_secrets(b'{"seen": "sk-secret\\/key+1", "n": 1.10}') == b'{"seen": "[redacted]", "n": 1.10}'
    assert vendor.without_secrets(b'{"seen":  "sk-secret"}') == b'{"seen":  "sk-secret"}'


def test_a_body_that_repeats_one_of_several_secrets_is_kept_without_it() -> None:
    """A vendor echoes the key it refuses and none of the others, so one secret is enough."""
    vendor = Vendor("Bento", "KEYS", secrets=["pk-publishable-1", "sk-secret-2", "site-uuid-3"])
    assert vendor.without_secrets(b'{"key": "sk-secret-2"}') == b'{"key": "[redacted]"}'


@pytest.mark.parametrize("secret", ["act", "redacted", "ed]"])
def test_a_message_is_redacted_once(secret: str) -> None:
    """A secret that occurs in the marker itself leaves the marker whole, however often the text is redacted."""
    vendor = Vendor("Bento", "KEYS", secrets=[secret])
    once = vendor.redact(f"<{secret}>")
    assert (once, vendor.redact(once)) == ("<[redacted]>", "<[redacted]>")
    body = f'{{"error": "<{secret}>"}}'.encode()
    refusal = error_of(vendor, endpoint="GET /x", status=400, headers={}, body=body, now=NOW)
    assert "HTTP 400 (<[redacted]>)." in str(refusal)


def test_secrets_that_overlap_are_taken_out_whole() -> None:
    """The one that begins first ends inside the other, and no part of either is left."""
    vendor = Vendor("Bento", "KEYS", secrets=["alpha-beta", "beta-gamma-delta", "ma-d"])
    assert vendor.redact("got alpha-beta-gamma-delta!") == "got [redacted]!"
    assert vendor.redact("alpha-betaalpha-beta") == "[redacted][redacted]"


@pytest.mark.parametrize("secret", ["t", "sk"])
def test_a_secret_of_one_or_two_letters_changes_no_word_and_no_number(secret: str) -> None:
    """It would be found in any word; a body is left alone up to the length that a key must have."""
    vendor, body = Vendor("Bento", "KEYS", secrets=[secret, "1234567"]), b'{"data": {"taskId": "t-1", "n": 1234567}}'
    assert vendor.redact("the task t-1") == "the task t-1"
    assert vendor.without_secrets(body) == body
