"""What a wrong YAML gets to read: one message with the place, the reason and the remedy. Loaded as Dagster loads it."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets.orchestration.lake_resource import LakeResource
from analytics_assets.orchestration.yaml_component import checked

SCHEDULE = "schedule: {cron: 10 2 * * *, lookback_days: 7, days_per_run: 12}"
Load = Callable[..., dg.Definitions]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a project with one account: its attributes as YAML, its folder's name."""
    name = f"project_{re.sub(r'[^a-z0-9]', '_', tmp_path.name)}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        dedent(f"""\
            [tool.dg]
            directory_type = "project"
            [tool.dg.project]
            root_module = "{name}"
            registry_modules = ["analytics_assets"]
            """)
    )
    (tmp_path / name / "defs").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "defs/__init__.py").touch()

    def loaded(attributes: str = SCHEDULE, folder: str = "shop") -> dg.Definitions:
        place = tmp_path / name / "defs" / folder
        place.mkdir()
        indented = "\n".join(f"  {line}" for line in dedent(attributes).splitlines())
        (place / "defs.yaml").write_text(f"type: analytics_assets.BentoStats\n\nattributes:\n{indented}\n")
        shared = dg.Definitions(resources={"lake": LakeResource()})
        try:
            return dg.Definitions.merge(dg.load_from_defs_folder(path_within_project=tmp_path / name), shared)
        finally:
            for module in [one for one in sys.modules if one.split(".")[0] == name]:
                del sys.modules[module]

    return loaded


def words(load: Load, attributes: str = SCHEDULE, folder: str = "shop") -> str:
    """All that is told of a project that does not load, the causes included."""
    with pytest.raises(ComponentTreeException) as refused:
        load(attributes, folder)
    causes: list[BaseException] = [refused.value]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    return "\n".join(map(str, causes))


def tables(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """The assets of the account; the plan that they depend on is that of all accounts."""
    return [spec for spec in definitions.resolve_all_asset_specs() if spec.key != PLAN_KEY]


def test_the_folders_name_is_the_account(load: Load) -> None:
    """Asset keys, resource, job and schedule begin with it."""
    definitions = load(folder="shop_eu")
    assert {spec.key.path[0] for spec in tables(definitions)} == {"shop_eu"}
    repository = definitions.get_repository_def()
    assert [job.name for job in repository.get_all_jobs() if not job.name.startswith("__")] == ["shop_eu_daily"]
    assert [schedule.name for schedule in repository.schedule_defs] == ["shop_eu_daily"]
    assert "shop_eu" in repository.get_top_level_resources()


def test_owners_are_those_of_every_table_of_the_account(load: Load) -> None:
    """People and teams; without any, nobody."""
    owners = tables(load(f"{SCHEDULE}\nowners: [team:growth, ana@example.com]"))
    assert {tuple(spec.owners) for spec in owners} == {("team:growth", "ana@example.com")}
    assert {tuple(spec.owners) for spec in load(folder="shop_eu").resolve_all_asset_specs()} >= {()}


@pytest.mark.parametrize("folder", ["shop-eu", "shop.eu", "_shop", "lake", "io_manager", "Größe"])
def test_a_folder_that_cannot_be_an_account_is_refused(load: Load, folder: str) -> None:
    """Dagster has no such names, or all accounts share them."""
    assert (
        f"The folder {folder!r} cannot be an account. Rename the folder: use letters, digits and _, begin with a letter or digit, and use another "
        "name than lake or io_manager." in words(load, folder=folder)
    )


@pytest.mark.parametrize(
    ("attributes", "place", "reason"),
    [
        (f"{SCHEDULE}\ndimension: [source]", ":5 attributes.dimension", "unknown field."),
        (
            f"{SCHEDULE}\nads:\n  window:\n    zonne: UTC",
            ":7 attributes.ads.window.zonne",
            "unknown field.",
        ),
        ("segments: []", ":3 attributes.schedule", "Field required"),
        (f"{SCHEDULE}\nsegments: newsletter", ":5 attributes.segments", "Input should be a valid list"),
        (
            "schedule: {cron: 10 2 * * *, lookback_days: many, days_per_run: 12}",
            ":4 attributes.schedule.lookback_days",
            "Input should be a valid integer",
        ),
        (
            "schedule: {cron: 10 2 * * *, lookback_days: 7, days_per_run: 0}",
            ":4 attributes.schedule.days_per_run",
            "0 days are none: use 1 or more.",
        ),
        *(
            (
                f"{SCHEDULE}\nowners: [team:growth, '{owner}']",
                ":5 attributes.owners",
                f"{owner!r} is no owner: use an e-mail address, or `team:` and a name, such as team:growth.",
            )
            for owner in ("growth", "ana@example", "team:")
        ),
        (
            f"{SCHEDULE}\nads:\n  window: {{end: open}}",
            ":6 attributes.ads.window.end",
            "Input should be 'exclusive' or 'inclusive'",
        ),
    ],
    ids=["key", "nested key", "missing", "type", "number", "too small", "owner", "address", "team", "choice"],
)
def test_wrong_keys_and_types_are_told_with_their_place(load: Load, attributes: str, place: str, reason: str) -> None:
    """The file, the field and what may stand there."""
    said = words(load, attributes)
    assert f"defs/shop/defs.yaml{place}: {reason}" in said
    assert "defs.yaml (BentoStats) (error)" in said


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (
            f"{SCHEDULE}\nads: {{dimensions: [source, colour]}}",
            "Bento ads, `dimensions`: 'colour' is not known. Use source or campaign or medium or content or ad.",
        ),
        (
            f"{SCHEDULE}\nads: {{window: {{zone: Mars/Base}}}}",
            "Bento ads, `window.zone`: 'Mars/Base' is no time zone. Use a name such as America/New_York.",
        ),
        (
            f"{SCHEDULE}\nads: {{dimensions: [source, ad], value: x}}",
            "Bento ads, `value`: 'x' is a value of one dimension, but 2 are requested. Name one dimension, or leave `value` out.",
        ),
        (
            f"{SCHEDULE}\nchecks: {{volume_least: 1.5}}",
            "checks: use `days` from 1, `grace_hours` from 0, `volume_least` from 0 to 1 and `volume_most` from 1.",
        ),
        (f"{SCHEDULE}\nchecks: {{truncated_share: 2}}", "2.0 is no share: use 0 to 1."),
        (
            f"{SCHEDULE}\nsegments: [a, a]",
            "Bento audience, `segments`: a named more than once, each costs a request. Name it once.",
        ),
    ],
    ids=["dimension", "zone", "fields that exclude each other", "bounds of checks", "share", "double"],
)
def test_what_the_schema_cannot_know_is_told_too(load: Load, attributes: str, reason: str) -> None:
    """The specs refuse it, with the place in the YAML, the reason and the remedy."""
    said = words(load, attributes)
    assert reason in said
    assert "defs.yaml" in said


def test_a_cron_line_that_is_none_is_refused_when_loading(load: Load) -> None:
    """Not at the first tick that never comes."""
    said = words(load, "schedule: {cron: every day, lookback_days: 7, days_per_run: 12}")
    assert "'every day'" in said


def test_no_key_is_needed_to_load_live_definitions(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing one is told when an asset runs."""
    monkeypatch.setenv("ANALYTICS_MODE", "live")
    [schedule] = load().get_repository_def().schedule_defs
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_settings_are_read_when_the_definitions_load(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start date of all partitions comes from them."""
    monkeypatch.setenv("ANALYTICS_START_DATE", "2026-02-03")
    assets = load().resolve_asset_graph()
    assert assets.get(dg.AssetKey(["shop", "ads_raw"])).partitions_def == dg.DailyPartitionsDefinition(
        start_date="2026-02-03", timezone="UTC", hour_offset=1
    )


@pytest.mark.parametrize("written", ["2026-03-01", '"2026-03-01"'])
def test_an_account_may_name_its_first_day(load: Load, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """No day before it has a square, and the schedule requests none: it has one final day on 2 March."""
    monkeypatch.setenv("ANALYTICS_START_DATE", "2026-02-03")
    definitions = load(f"{SCHEDULE}\nstart_date: {written}")
    graph = definitions.resolve_asset_graph()
    starts = {graph.get(key).partitions_def for key in graph.get_all_asset_keys()} - {None}
    assert starts == {dg.DailyPartitionsDefinition(start_date="2026-03-01", timezone="UTC", hour_offset=1)}
    schedule = definitions.get_repository_def().get_schedule_def("shop_daily")
    at = datetime(2026, 3, 2, 2, 10, tzinfo=UTC)
    context = dg.build_schedule_context(scheduled_execution_time=at)
    [request] = schedule.evaluate_tick(context).run_requests or ()
    assert {key: value for key, value in request.tags.items() if "range" in key} == {
        "dagster/asset_partition_range_start": "2026-03-01",
        "dagster/asset_partition_range_end": "2026-03-01",
    }


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-02-02", "2026-02-02 is before ANALYTICS_START_DATE, 2026-02-03. Use that day or a later one"),
        ("soon", "'soon' is not a date. Write it as 2026-03-01."),
        ("2026-02-30", "'2026-02-30' is not a date. Write it as 2026-03-01."),
        ('"20260301"', "'20260301' is not a date. Write it as 2026-03-01."),
        ("2026-03-01 10:00:00", "'2026-03-01 10:00:00' is not a date. Write it as 2026-03-01."),
    ],
)
def test_a_wrong_first_day_is_refused_with_its_line(
    load: Load, monkeypatch: pytest.MonkeyPatch, written: str, reason: str
) -> None:
    """One before that of all accounts too: those days have no squares at all."""
    monkeypatch.setenv("ANALYTICS_START_DATE", "2026-02-03")
    said = words(load, f"{SCHEDULE}\nstart_date: {written}")
    assert f"defs/shop/defs.yaml:5 attributes.start_date: {reason}" in said


def test_only_what_a_spec_refuses_becomes_an_error_of_the_yaml() -> None:
    """Anything else is a fault of another kind and keeps its class."""

    def refuses(error: Exception) -> None:
        raise error

    assert checked(lambda: 7) == 7
    with pytest.raises(ValueError, match="Wrong zone"):
        checked(lambda: refuses(PermanentError("Wrong zone.")))
    with pytest.raises(TransientError):
        checked(lambda: refuses(TransientError("Timed out.")))
