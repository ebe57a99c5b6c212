"""Names and addresses of people are gone before anything is written, and nothing else is."""

import msgspec
import pytest

from analytics_assets.errors import UnexpectedPayloadError
from analytics_assets.sources.statsig.responses import without_personal_fields
from analytics_assets_tests.sources.statsig.samples import EVENT_METRICS
from analytics_assets_tests.sources.statsig.vendor import paged


async def test_people_are_removed_from_the_answer_and_the_rest_stays_as_sent():
    """The whole sample of the vendor's page, with creators and owners' names gone and every other key in place."""
    vendor = paged(EVENT_METRICS.replace('"?page=2&limit=5"', "null"))
    reading = await vendor.client().event_metrics("add_to_cart")
    expected = msgspec.json.decode(EVENT_METRICS)
    expected["pagination"]["nextPage"] = None
    for one in expected["data"]:
        one.pop("creatorName", None)
        one.pop("creatorEmail", None)
        one.get("owner", {}).pop("name", None)
    assert reading.answers[0].plain() == expected
    assert "Test User" not in str(reading)


async def test_people_stay_where_that_is_asked_for():
    """Then the body is byte for byte what was sent."""
    sent = EVENT_METRICS.replace('"?page=2&limit=5"', "null")
    reading = await paged(sent).client().event_metrics("add_to_cart", keep_personal_fields=True)
    assert reading.answers[0].body.decode() == sent


def test_every_personal_field_is_removed_and_digits_are_kept():
    """Null ones too; an owner that is no object goes as a whole; numbers keep the digits they were sent with."""
    people = dict.fromkeys(
        ("creatorName", "creatorEmail", "lastModifierName", "lastModifierEmail", "ownerName", "ownerEmail"), "x"
    )
    owner = {"name": "x", "ownerName": "x", "ownerEmail": None, "ownerID": "7", "ownerType": "USER"}
    body = msgspec.json.encode({"data": [{"id": "a", "n": 0, **people, "owner": owner}, {"id": "b", "owner": "Jo"}]})
    body = body.replace(b'"n":0', b'"n":1.10')
    assert without_personal_fields(body) == (
        b'{"data":[{"id":"a","n":1.10,"owner":{"ownerID":"7","ownerType":"USER"}},{"id":"b"}]}'
    )


def test_a_body_without_people_is_not_touched():
    """Blanks and all: it is raw as sent."""
    body = b'{ "data": [ {"id": "a", "owner": {}, "n": 1.10} ] }'
    assert without_personal_fields(body) == body


async def test_people_are_not_in_the_evidence_of_a_refused_answer_either():
    """A body of another shape is kept for a person to read, without other people's names."""
    body = {"data": {"first": {"id": "a", "creatorEmail": "person@example.com", "owner": {"name": "Person"}}}}
    with pytest.raises(UnexpectedPayloadError) as caught:
        await paged(body).client().metrics()
    assert caught.value.evidence is not None
    assert msgspec.json.decode(caught.value.evidence.body) == {"data": {"first": {"id": "a"}}}


def test_a_body_of_another_shape_keeps_its_digits_and_loses_its_people():
    """Numbers no reader can hold too: it is kept for a person to read."""
    body = b'[{"data": [1.10, 1e400, {"owner": {"name": "Jo"}, "x": {"creatorName": "Jo", "n": 007e1}}]}]'.replace(
        b"007", b"7"
    )
    assert without_personal_fields(body) == b'[{"data":[1.10,1e400,{"x":{"n":7e1}}]}]'
