"""A failed run is sent once, as an issue: through real runs, the real sensor and a receiver on this machine."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from pydantic import Field

from analytics_assets.errors import AccessRefusedError, PermanentError, TransientError, UnexpectedPayloadError
from analytics_assets.http.statuses import Vendor, error_of
from analytics_assets.orchestration.failures import failure
from analytics_assets.orchestration.source_resource import SourceResource
from analytics_assets.sources.airbridge.source import AirbridgeResource
from analytics_assets.sources.bento.source import BentoResource
from analytics_assets_tests.operations.alerts.receivers import Receiver
from analytics_assets_tests.operations.alerts.scene import FIRST, Scene

KEY = "bento-key-5f2c81d07e"


def down(trace: str) -> TransientError:
    """What an outage says; the vendor gives each response a trace id."""
    return TransientError(f"Bento GET /stats/ads: HTTP 503 (Back soon) [trace {trace}]. This may pass by itself.")


def test_a_run_that_fails_a_hundred_days_sends_one_message(scene: Scene, receiver: Receiver) -> None:
    """It names the step, the days, the vendor's words by how often they were said, what to do and where to look."""
    refused = PermanentError("Bento GET /stats/ads: HTTP 400 (unknown source). The request is refused.")
    errors = dict.fromkeys(range(100), down("a1")) | {41: refused, 42: refused}
    run = scene.fails(errors, days=101, dagster__schedule_name="shop_daily")
    assert scene.tick() == "1 new, 1 sent."
    assert receiver.posts == [
        {
            "version": "1.0",
            "title": "[sandbox] shop/numbers: 100 of 101 days were not stored",
            "message": (
                "shop/numbers: 100 of 101 days were not stored.\n"
                "2026-01-01 to 2026-02-10, 2026-02-13 to 2026-04-10 (98 days): Bento GET /stats/ads: HTTP 503 (Back soon) "
                "[trace a1]. This may pass by itself.\n"
                "2026-02-11 to 2026-02-12 (2 days): Bento GET /stats/ads: HTTP 400 (unknown source). The request is refused.\n"
                "Tables: shop/numbers, shop/numbers_raw, shop/sums\n"
                "Next: Fix the cause, then re-execute from failure. The schedule shop_daily requests its days again with its next run.\n"
                f"Look: http://dagster.example.com/runs/{run.run_id}"
            ),
            "attachments": [],
            "type": "failure",
        }
    ]


def test_one_outage_is_one_issue_however_many_runs_it_fails(scene: Scene, receiver: Receiver) -> None:
    """Later runs are counted; after a day it is sent again with their number. Another error of the stream is sent at once."""
    for number in range(3):
        scene.fails({0: down(f"t{number}"), 1: down(f"u{number}")}, days=2)
    scene.tick()
    assert receiver.titles() == ["[sandbox] shop: runs failed (shop/numbers)"]
    assert receiver.posts[0]["message"].count("Look: ") == 3
    scene.later = timedelta(hours=25)
    assert scene.tick() == "0 new, 0 sent."
    scene.later = timedelta()
    scene.fails({0: TransientError("Bento GET /stats/site: HTTP 500.")}, days=1)
    assert [scene.tick(), scene.tick()] == ["0 new, 0 sent.", "0 new, 0 sent."]

    scene.later = timedelta(hours=25)
    scene.fails({0: UnexpectedPayloadError("numbers: not a number.", remedy="Ask the vendor.", day=FIRST)}, days=1)
    assert [scene.tick(), scene.tick()] == ["1 new, 2 sent.", "0 new, 0 sent."]
    again, other = sorted(receiver.posts[1:], key=lambda post: "Again" not in post["title"])
    assert [post["title"] for post in (again, other)] == [
        "[sandbox] Again: shop/numbers: 1 of 1 days were not stored",
        "[sandbox] shop/numbers: 1 of 1 days were not stored",
    ]
    assert "4 steps failed since" in again["message"]
    assert again["message"].splitlines()[1] == "2026-01-01: Bento GET /stats/site: HTTP 500."
    assert other["message"].splitlines()[1] == "2026-01-01: numbers: not a number. Ask the vendor."


def test_days_that_have_landed_since_are_not_told(scene_on_disk: Scene, receiver: Receiver) -> None:
    """Neither all of a run's, nor some: only what is still missing is named."""
    scene = scene_on_disk
    scene.fails({0: down("a")}, days=1)
    scene.fails({}, days=1)
    scene.tick()
    assert receiver.posts == []
    scene.fails({number: down("b") for number in range(4)}, days=4)
    scene.fails({}, days=2)
    scene.tick()
    assert receiver.titles() == ["[sandbox] shop/numbers: 2 of 4 days were not stored"]
    assert receiver.posts[0]["message"].splitlines()[1].startswith("2026-01-03 to 2026-01-04 (2 days): Bento")


def test_a_failure_is_over_when_all_its_days_are_stored(scene: Scene, receiver: Receiver) -> None:
    """It is closed without a message; the same error later is a new issue."""
    scene.fails({0: down("a"), 1: down("a")}, days=2)
    scene.tick()
    scene.fails({}, days=1)
    scene.tick()
    assert len(scene.log.open_issues()) == 1
    scene.fails({}, days=2)
    assert (scene.tick(), scene.log.open_issues()) == ("0 new, 0 sent.", [])
    scene.fails({0: down("b")}, days=1)
    assert scene.tick() == "1 new, 1 sent."
    assert receiver.titles() == [
        "[sandbox] shop/numbers: 2 of 2 days were not stored",
        "[sandbox] shop/numbers: 1 of 1 days were not stored",
    ]


def test_days_a_report_task_still_works_at_are_left_to_it(scene: Scene, receiver: Receiver) -> None:
    """The sensor stores them, and tells when it cannot; a report that is ready and is not stored is told."""
    ledger, now = scene.ledger, datetime(2026, 6, 1, tzinfo=UTC)
    [request] = ledger.join_or_open("shop", "numbers", "a", [FIRST, date(2026, 1, 2)], longest=92, now=now)
    ledger.saw(request.id, "FAILURE", task_id=request.task_id, now=now, reason="Internal error")
    scene.fails({0: down("a"), 1: down("a")}, days=2)
    assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])
    ledger.saw(request.id, "SUCCESS", task_id=request.task_id, now=now)
    scene.fails({0: down("a"), 1: down("a")}, days=2)
    scene.tick()
    assert receiver.titles() == ["[sandbox] shop/numbers: 2 of 2 days were not stored"]


class TokenResource(BentoResource):
    """A resource whose secret field has a name of its own."""

    secret_fields = ("token",)
    token: str = Field(default="BENTO_SECRET_KEY")


@pytest.mark.parametrize(
    "resource",
    [
        BentoResource(),
        TokenResource(secret_key_variable="NOT_SET"),
        AirbridgeResource(app_name="shop"),
    ],
    ids=["usual", "own name", "default beside a required field"],
)
def test_an_exception_that_is_not_ours_is_told_in_its_own_words(
    scene: Scene, receiver: Receiver, resource: SourceResource[Any]
) -> None:
    """Without any of the accounts' keys that it may quote, in the message and in the state database."""
    scene.resource, scene.loaded = resource, None
    with pytest.MonkeyPatch.context() as environment:
        for name in ("BENTO_SECRET_KEY", "AIRBRIDGE_API_TOKEN"):
            environment.setenv(name, KEY)
        scene.shop.closing = RuntimeError(f"no session for {KEY}")
        scene.runs(2)
        scene.tick()
    assert receiver.titles() == ["[sandbox] shop/numbers: the run failed"]
    with closing(sqlite3.connect(scene.state.removeprefix("sqlite:///"))) as state:
        assert not any(KEY in line for line in state.iterdump())
    assert (
        "no session for [redacted]\nTables: shop/numbers, shop/numbers_raw, shop/sums\nNext: Fix the cause, then re-execute the run from failure."
        in (receiver.posts[0]["message"])
    )


def test_a_key_that_the_vendor_echoes_is_in_no_message(scene: Scene, receiver: Receiver) -> None:
    """The words of a refusal arrive, the key in them does not."""
    echo = f'{{"error": "Key {KEY} is not valid"}}'.encode()
    vendor = Vendor("Bento", "BENTO_SECRET_KEY", [KEY])
    refusal = error_of(
        vendor, endpoint="GET /stats/ads", status=401, headers={}, body=echo, now=datetime(2026, 6, 1, tzinfo=UTC)
    )
    assert isinstance(refusal, AccessRefusedError)
    scene.fails({0: refusal}, days=30)
    scene.tick()
    # The days that were given up because of it have the same reason.
    days, _, words = receiver.posts[0]["message"].splitlines()[1].partition(": ")
    assert days.startswith("2026-01-01")
    assert words == (
        "Bento GET /stats/ads: HTTP 401 (Key [redacted] is not valid). "
        "The credentials are refused: check BENTO_SECRET_KEY."
    )
    assert KEY not in str(receiver.posts)


def test_a_run_that_dagster_starts_again_is_told_when_its_last_attempt_fails(scene: Scene, receiver: Receiver) -> None:
    """A worker that was killed has no failed step; the run is told as a whole."""
    job = scene.shop.job()
    first = scene.instance.create_run_for_job(job, tags={"dagster/will_retry": "true"})
    scene.instance.report_run_failed(first, "The worker was killed.")
    assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])
    last = scene.instance.create_run_for_job(job)
    scene.instance.report_run_failed(last, "The worker was killed.")
    scene.tick()
    assert [(post["title"], post["message"].splitlines()[1]) for post in receiver.posts] == [
        ("[sandbox] shop: the run failed", "The worker was killed.")
    ]


def test_runs_of_other_assets_are_left_out_whatever_the_name_of_their_job(scene: Scene, receiver: Receiver) -> None:
    """A backfill of assets runs in a job that each code location of the instance has under the same name."""

    @dg.asset(key_prefix="other")
    def table() -> None:
        raise ValueError

    job = dg.Definitions(assets=[table]).resolve_implicit_global_asset_job_def()
    assert scene.repository().has_job(job.name)
    job.execute_in_process(
        instance=scene.instance, raise_on_error=False, asset_selection=[dg.AssetKey(["other", "table"])]
    )
    assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])


def test_what_failed_before_the_first_look_is_not_told(scene: Scene, receiver: Receiver) -> None:
    """Alerts begin when they are switched on; a look that finds no rows begins now."""
    scene.fails({0: down("a")}, days=1)
    scene.state = scene.state.replace("state.db", "new.db")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANALYTICS_STATE", scene.state)
        assert (scene.tick(), receiver.posts) == ("0 new, 0 sent.", [])
        scene.fails({0: down("b")}, days=1)
        assert scene.tick() == "1 new, 1 sent."


@pytest.mark.parametrize("account", ["shop", "shop__eu"])
def test_a_snapshot_that_fails_is_over_with_the_next_that_is_read(
    scene_on_disk: Scene, receiver: Receiver, account: str
) -> None:
    """It has no days; the table it left unread is what counts. Its step's name says neither account nor stream."""
    scene, is_down = scene_on_disk, [True]

    @dg.multi_asset(name=f"{account}__my_list", specs=[dg.AssetSpec([account, "list"], tags={"stream": "my_list"})])
    def read() -> dg.MaterializeResult[None]:
        if is_down[0]:
            raise failure({FIRST: down("a")}, count=1, what=f"{account}/my_list", quarantined={})
        return dg.MaterializeResult(asset_key=[account, "list"])

    defined = dg.Definitions(assets=[read], jobs=[dg.define_asset_job("shop_daily")])
    job, scene.loaded = defined.resolve_job_def("shop_daily"), defined.get_repository_def()
    for is_down[0], count in ((True, 1), (False, 0)):
        job.execute_in_process(instance=scene.instance, raise_on_error=False)
        scene.tick()
        assert len(scene.log.open_issues()) == count
    assert receiver.titles() == [f"[sandbox] {account}/my_list: 1 of 1 tables were not read"]
