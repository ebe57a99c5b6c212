"""What holds for every source of `SOURCES`, whatever its vendor: it is complete, and failures name the vendor and no key."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from analytics_assets import SOURCES
from analytics_assets.clock import utc_now
from analytics_assets.errors import (
    AccessRefusedError,
    BlockedError,
    PermanentError,
    SourceError,
    TransientError,
    UnexpectedPayloadError,
)
from analytics_assets.orchestration.loading import alone
from analytics_assets.orchestration.source_component import AccountComponent
from analytics_assets.state.rate_limit import RequestOrigin
from analytics_assets_tests.integration.server import served
from analytics_assets_tests.sources.complete import ROOT, missing

# Dagster warns of itself where it loads a folder.
pytestmark = pytest.mark.filterwarnings("ignore")

# What a vendor may do with the cheapest request; it repeats everything that was sent. And what comes of it.
FAULTS: dict[str, tuple[Any, type[SourceError]]] = {
    "401": (lambda echo: JSONResponse({"message": echo}, 401), AccessRefusedError),
    "403": (lambda echo: JSONResponse({"message": echo}, 403), AccessRefusedError),
    "404": (lambda echo: JSONResponse({"message": echo}, 404), PermanentError),
    "422": (lambda echo: JSONResponse({"message": echo}, 422), PermanentError),
    "429": (lambda echo: JSONResponse({"message": echo}, 429, headers={"Retry-After": "1"}), TransientError),
    "500": (lambda echo: Response(f"Traceback: {echo}", 500), TransientError),
    "redirect": (lambda echo: RedirectResponse(f"https://elsewhere.example/?{echo}"), BlockedError),
    "page": (lambda echo: HTMLResponse(f"<html><title>{echo}</title></html>"), BlockedError),
    "text": (lambda echo: Response(echo, media_type="text/plain"), UnexpectedPayloadError),
    "half": (lambda echo: Response(f'{{"data": "{echo}', media_type="application/json"), TransientError),
    "shape": (lambda echo: JSONResponse([echo]), UnexpectedPayloadError),
}


class EchoingVendor:
    """A vendor of one behaviour, `fault`; it counts requests."""

    def __init__(self) -> None:
        self.fault, self.requests = "", 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        self.requests += 1
        echo = json.dumps([unquote(str(request.url)), *request.headers.values()])
        await FAULTS[self.fault][0](echo)(scope, receive, send)


@pytest.fixture(scope="module")
def vendor() -> Iterator[SimpleNamespace]:
    """The vendor, on a port of its own."""
    app = EchoingVendor()
    with served(app) as url:
        yield SimpleNamespace(app=app, url=url)


@pytest.fixture(scope="module")
def accounts() -> dict[str, AccountComponent]:
    """The account of each source that is shipped as an example."""
    loaded = {name: alone(ROOT / "analytics_assets/defs", name)[0] for name in SOURCES}
    assert all(isinstance(one, AccountComponent) for one in loaded.values())
    return loaded  # type: ignore[return-value]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_complete(source: str) -> None:
    """Code, tests, an example account and pages; columns and fields without a description are named by test_descriptions.py."""
    found = missing(source, SOURCES[source])
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("source", SOURCES)
def test_secret_variables_begin_with_the_name_of_their_source(
    source: str, accounts: dict[str, AccountComponent]
) -> None:
    """Tests clear the environment by that prefix, so that they never read a key of the machine."""
    variables = accounts[source].resource().secret_variables()
    assert variables
    assert [name for name in variables if not name.startswith(f"{source.upper()}_")] == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", SOURCES)
async def test_a_failure_names_the_vendor_and_no_key(
    source: str,
    fault: str,
    accounts: dict[str, AccountComponent],
    vendor: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One request, an error of the class that decides what happens next, and its endpoint; the vendor repeats the keys."""
    resource = accounts[source].model_copy(update={"base_url": vendor.url}).resource()
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    monkeypatch.setenv("ANALYTICS_BUDGET", "off")
    for number, name in enumerate(resource.secret_variables()):
        monkeypatch.setenv(name, f"MARKED-SECRET-{number}-0815")
    vendor.app.fault, vendor.app.requests = fault, 0
    with pytest.raises(SourceError) as caught:
        await resource.health_check(clock=utc_now, origin=RequestOrigin())
    error = caught.value
    assert isinstance(error, FAULTS[fault][1])
    assert vendor.app.requests == 1
    assert error.message.startswith(f"{resource.vendor.capitalize()} GET /")
    assert error.evidence is not None
    assert error.endpoint.startswith("GET /")
    assert "MARKED" not in f"{error} {error.evidence}"


def test_what_a_new_source_lacks_is_named(tmp_path: Path) -> None:
    """A sentence each, before anything is written."""
    for page in ("docs/configuration.md", "docs/tables.md"):
        (tmp_path / page).parent.mkdir(exist_ok=True)
        (tmp_path / page).write_text("Bento and BentoStats.\n")
    assert missing("bento", "BentoStats", tmp_path) == [
        "analytics_assets/sources/bento/client.py is missing: it has the endpoints of the vendor.",
        "analytics_assets/sources/bento/responses.py is missing: it has what a payload holds.",
        "analytics_assets/sources/bento/tables.py is missing: it has the tables and their columns.",
        "analytics_assets/sources/bento/transform.py is missing: it has raw responses to rows.",
        "analytics_assets/sources/bento/source.py is missing: it has the component, its streams and its resource.",
        "analytics_assets/sources/bento/checks.py is missing: it has what the figures are checked for.",
        "analytics_assets_tests/sources/bento/test_client.py is missing: it tests errors and pages over real HTTP.",
        "analytics_assets_tests/sources/bento/test_transform.py is missing: it tests rows of sample payloads, worked out by hand.",
        "analytics_assets/defs/bento/defs.yaml is missing: an account with `type: analytics_assets.BentoStats`.",
    ]
    assert missing("fourth", "FourthSales", tmp_path)[-2:] == [
        "docs/configuration.md does not name FourthSales. Run `make docs`.",
        "docs/tables.md does not name fourth. Run `make docs`.",
    ]
