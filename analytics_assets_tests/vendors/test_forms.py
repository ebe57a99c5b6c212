"""Forms of responses: switched on by name, applied to JSON only, and back to those of the start after a reset."""

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from analytics_assets_tests.vendors.forms import Forms
from analytics_assets_tests.vendors.registry import FORMS

ADS = "GET /stats/ads"


def test_a_form_changes_responses_until_a_reset():
    """The forms of the start stay on."""
    forms = Forms(FORMS, ["statsig-seconds"])
    response = JSONResponse({"chartData": [], "total": 1})
    forms.switch_on(["bento-chart"])
    assert bytes(forms.applied("bento", ADS, response).body) == b'{"chart":[],"total":1}'
    forms.reset()
    assert forms.applied("bento", ADS, response) is response
    assert [one["name"] for one in forms.listed() if one["is_on"]] == ["statsig-seconds"]


def test_an_unknown_form_is_refused_by_name():
    """None is switched on."""
    forms = Forms(FORMS)
    with pytest.raises(ValueError, match="unknown forms: nothing"):
        forms.switch_on(["bento-chart", "nothing"])
    assert not any(one["is_on"] for one in forms.listed())


def test_an_html_page_is_sent_as_it_is():
    """Forms change JSON."""
    page = HTMLResponse("<html></html>")
    assert Forms(FORMS, ["bento-chart"]).applied("bento", ADS, page) is page


def test_every_form_has_a_unique_name_that_begins_with_its_vendor():
    """Its words continue a sentence that begins with the vendor."""
    names = [form.name for form in FORMS]
    assert len(set(names)) == len(names)
    assert all(form.name.startswith(f"{form.vendor}-") and form.words[0].islower() for form in FORMS)
