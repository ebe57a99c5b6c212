"""Forms of answers: switched on and off while the app runs, from the start, and what pages do that change while they are read."""

import httpx
import pytest

from analytics_assets.sandbox.__main__ import main
from analytics_assets.sandbox.app import FORMS, create_app
from analytics_assets.sandbox.faults import parse_rules
from analytics_assets.sandbox.options import Options


async def names_on(sandbox):
    """The forms that are on."""
    return [one["name"] for one in (await sandbox.http.get("/_sandbox/forms")).json() if one["is_on"]]


async def test_a_form_changes_answers_until_it_is_switched_off(open_sandbox):
    """Off by DELETE; everything else of the answer stays."""
    sandbox = open_sandbox()
    usual = (await sandbox.bento("ads", dimension="source")).json()
    assert (await sandbox.http.post("/_sandbox/forms", json=["bento-chart"])).status_code == 200
    changed = (await sandbox.bento("ads", dimension="source")).json()
    assert changed == {"chart" if name == "chartData" else name: one for name, one in usual.items()}
    await sandbox.http.delete("/_sandbox/forms")
    assert (await sandbox.bento("ads", dimension="source")).json() == usual


async def test_a_reset_goes_back_to_the_forms_of_the_options(open_sandbox):
    """An app can begin with forms."""
    sandbox = open_sandbox(Options(forms=("bento-chart",)))
    await sandbox.http.post("/_sandbox/forms", json=["statsig-seconds"])
    assert await names_on(sandbox) == ["bento-chart", "statsig-seconds"]
    await sandbox.http.post("/_sandbox/reset")
    assert await names_on(sandbox) == ["bento-chart"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (["bento-chart", "nothing"], "unknown forms: nothing"),
        ({"name": "bento-chart"}, "expected a list of names of forms"),
        ([1], "expected a list of names of forms"),
    ],
)
async def test_an_unknown_form_is_refused_and_none_is_switched_on(open_sandbox, body, said):
    """The message names it."""
    sandbox = open_sandbox()
    answer = await sandbox.http.post("/_sandbox/forms", json=body)
    assert (answer.status_code, answer.json(), await names_on(sandbox)) == (400, {"error": said}, [])


def test_every_form_has_a_name_of_its_own_that_begins_with_its_vendor():
    """And words to read after the vendor's name."""
    names = [form.name for form in FORMS]
    assert len(set(names)) == len(names)
    assert all(form.name.startswith(f"{form.vendor}-") and form.words[0].islower() for form in FORMS)


async def test_an_html_page_has_no_form(open_sandbox):
    """Forms are of JSON; a page that a fault puts in its place goes out as it is."""
    sandbox = open_sandbox(Options(forms=("bento-numbers-as-text",)))
    await sandbox.http.post("/_sandbox/faults", json=[{"kind": "html"}])
    assert (await sandbox.bento("site")).text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "moved", "total"), [("overlap", slice(4, 9), 0), ("shrink", slice(6, 11), 1), ("repeat", slice(0, 5), 0)]
)
async def test_a_later_page_moves_as_the_fault_says(open_sandbox, kind, moved, total):
    """It begins an entry too early or too late, or is the first page again; the first page is never touched."""
    sandbox = open_sandbox()
    whole = (await sandbox.statsig("/metrics/list?limit=50&page=1")).json()
    await sandbox.http.post("/_sandbox/faults", json=[{"kind": kind}])
    first = (await sandbox.statsig("/metrics/list?limit=5&page=1")).json()
    second = (await sandbox.statsig("/metrics/list?limit=5&page=2")).json()
    assert (first["data"], second["data"]) == (whole["data"][:5], whole["data"][moved])
    totals = [one["pagination"]["totalItems"] for one in (first, second)]
    assert totals == [len(whole["data"]), len(whole["data"]) - total]


async def test_a_rate_spoils_a_share_of_the_requests_the_same_ones_each_time(open_sandbox):
    """Drawn from the seed, so that a run can be had again."""
    seen = []
    for _ in range(2):
        sandbox = open_sandbox()
        await sandbox.http.post("/_sandbox/faults", json=[{"kind": "status", "status": 503, "rate": 0.25}])
        seen.append([(await sandbox.bento("site")).status_code for _ in range(40)])
    assert seen[0] == seen[1]
    assert 4 <= seen[0].count(503) <= 16


async def test_a_rate_beyond_one_is_refused(open_sandbox):
    """In words."""
    answer = await open_sandbox().http.post("/_sandbox/faults", json=[{"kind": "html", "rate": 2}])
    assert (answer.status_code, answer.json()) == (400, {"error": "rate must be from 0 to 1"})


def test_forms_of_the_options_must_be_known(open_sandbox):
    """An app that would not do what it was told does not start."""
    with pytest.raises(ValueError, match="unknown forms: bento-nothing"):
        open_sandbox(Options(forms=("bento-nothing",)))


def test_no_form_is_on_and_names_are_plain_by_default():
    """The usual sandbox is the documented one."""
    assert (Options().forms, Options().awkward_names) == ((), False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--form", "bento-nothing"], "argument --form: invalid choice: 'bento-nothing'"),
        (["--fault", '{"kind": "status", "rate": 2}'], "argument --fault: rate must be from 0 to 1"),
        (["--fault", "503"], "argument --fault: expected a list of rules"),
    ],
)
def test_the_server_refuses_forms_and_faults_it_does_not_know(arguments, said, capsys):
    """Before it listens."""
    with pytest.raises(SystemExit) as stopped:
        main(["--port", "0", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


async def test_an_app_can_begin_with_faults():
    """As the server's `--fault` has them."""
    app = create_app(Options(), faults=parse_rules([{"kind": "status", "status": 503, "times": 1}]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as http:
        assert [(await http.get("/bento/api/v1/stats/site")).status_code for _ in range(2)] == [503, 401]
