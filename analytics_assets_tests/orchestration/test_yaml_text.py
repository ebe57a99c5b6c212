"""Text in YAML reaches the vendor as it is written, or is refused with file, line and the quotes to use. Loaded as Dagster loads it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from pydantic import BaseModel

import analytics_assets
from analytics_assets.orchestration.loading import REMEDY, alone, refusal
from analytics_assets.orchestration.yaml_text import find_misreadings

pytestmark = pytest.mark.filterwarnings("ignore")
SCHEDULE = "schedule: {cron: 20 20 * * *, lookback_days: 4, days_per_run: 31}\n"
APP = "app_name: shop\ntimezone: Asia/Seoul\ncurrency: USD\n" + SCHEDULE
REPORT = """reports:
  - name: revenue
    group_by: [channel]
    metric: app_revenue
    aggregation: cumulative
"""
COHORT = """    cohort:
      and_clauses:
        - or_clauses:
            - segment:
                event: {type: app_order_complete, operator: equals, value: 1}
"""
FILTER = "                filters:\n                  - {field: country, filter_type: IN, value: GIVEN}\n"
SETTINGS = "                time: {operator: since, settings: GIVEN}\n"
# Lines of the file before the attributes.
HEAD = 3


class Project:
    """A project with one account, whose YAML is replaced."""

    def __init__(self, root: Path) -> None:
        self.defs = root / "written" / "defs"
        (self.defs / "shop").mkdir(parents=True)
        for folder in (self.defs.parent, self.defs):
            (folder / "__init__.py").touch()
        (root / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "written"\nregistry_modules = ["analytics_assets"]\n'
        )

    def write(self, component: str, attributes: str) -> None:
        """Replaces the YAML."""
        text = f"type: analytics_assets.{component}\n\nattributes:\n{indent(attributes, '  ')}"
        (self.defs / "shop/defs.yaml").write_text(text)

    def load(self, component: str, attributes: str) -> Any:
        """The component."""
        self.write(component, attributes)
        return alone(self.defs, "shop")[0]

    def refusal(self, component: str, attributes: str) -> str:
        """The message in place of the component."""
        self.write(component, attributes)
        return str(refusal(self.defs)).removesuffix(f"\n{REMEDY}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    yield Project(tmp_path)
    for module in [one for one in sys.modules if one.split(".")[0] == "written"]:
        del sys.modules[module]


def cohort(written: str) -> str:
    """An app whose report has a cohort filter with this value."""
    return APP + REPORT + COHORT + FILTER.replace("GIVEN", written)


def sent(component: Any) -> list[Any]:
    """The values of the cohort's filter and the settings of its time, as they go to the vendor."""
    segment = component.reports[0].cohort.and_clauses[0].or_clauses[0].segment
    return [*(one.value for one in segment.filters), *([segment.time.settings] if segment.time else [])]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "false"),
        ("off", "false"),
        ("Yes", "true"),
        ("0123", "83"),
        ("1:30", "90"),
        ("1.10", "1.1"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("+1", "1"),
        ("12345678901234567.89", "1.2345678901234568e+16"),
        (".inf", "Infinity"),
    ],
)
def test_a_filter_value_that_is_read_as_something_else_is_refused(project: Project, written: str, value: str) -> None:
    """With file, line, field, what is read and the quotes to use."""
    attributes = cohort(written)
    line = HEAD + next(number for number, line in enumerate(attributes.splitlines(), 1) if "filter_type" in line)
    assert project.refusal("AirbridgeRevenue", attributes) == (
        f"defs/shop/defs.yaml:{line} attributes.reports.0.cohort.and_clauses.0.or_clauses.0.segment.filters.0.value: "
        f'`{written}` is read as {value}. Write it in quotes: "{written}", or write `{value}` if you mean that.'
    )


PYTHON = ("NO", "0123", "1:30", "1.10", "12", "True", "None", "[1]", "(1)", "{'a': 1}", "50% {# off #}", "{%", "'1.10'")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("SE", "SE"),
        ("5", 5),
        ("-5", -5),
        ("1.5", 1.5),
        ("true", True),
        ("True", True),
        ("2026-01-31", "2026-01-31"),
        ("1e3", "1e3"),
        ("!!str NO", "NO"),
        *((f'"{text}"', text) for text in PYTHON),
    ],
)
def test_what_is_sent_as_written_is_accepted(project: Project, written: str, value: Any) -> None:
    """Plain or in quotes; Dagster's templates take a quoted number for a number, so text without one never passes through them."""
    [found] = sent(project.load("AirbridgeRevenue", cohort(written)))
    assert (type(found), found) == (type(value), value)


def test_text_from_the_environment_stays_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable holds text only; a field that takes a number still gets one."""
    monkeypatch.setenv("SHOP_VERSION", "1.10")
    monkeypatch.setenv("SHOP_INTERVALS", "7")
    attributes = cohort('"{{ env.SHOP_VERSION }}"').replace(
        "    aggregation:", '    intervals: "{{ env.SHOP_INTERVALS }}"\n    aggregation:'
    )
    component = project.load("AirbridgeRevenue", attributes)
    assert sent(component) == ["1.10"]
    assert component.reports[0].intervals == 7


def test_settings_without_a_declared_type_are_examined_too(project: Project) -> None:
    """They are sent as they are, keys included; null and lists are theirs."""
    good = '{countries: ["NO", SE, 5], last: null, "on": "1.10"}'
    component = project.load("AirbridgeRevenue", APP + REPORT + COHORT + SETTINGS.replace("GIVEN", good))
    assert sent(component) == [{"countries": ["NO", "SE", 5], "last": None, "on": "1.10"}]

    refused = project.refusal("AirbridgeRevenue", APP + REPORT + COHORT + SETTINGS.replace("GIVEN", "{on: [NO]}"))
    assert "settings.on: `on` is read as true. Write it in quotes" in refused
    assert (
        "defs/shop/defs.yaml:18 attributes.reports.0.cohort.and_clauses.0.or_clauses.0.segment.time.settings.on.0: `NO` is read as false. Write it in quotes"
        in refused
    )


def text_fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields that hold text, as steps to them; `[]` is an entry of a list, `{}` of a mapping."""
    for name, field in model.model_fields.items():
        yield from _text(field.annotation, (*path, name))


def _text(annotation: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    arms = getattr(annotation, "__args__", ())
    if annotation in (str, Any):
        yield path
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from text_fields(annotation, path)
    elif getattr(annotation, "__origin__", None) is list:
        yield from _text(arms[0], (*path, "[]"))
    elif getattr(annotation, "__origin__", None) is dict:
        yield from _text(arms[1], (*path, "{}"))
    else:
        for arm in arms:
            if not isinstance(arm, str):
                yield from _text(arm, path)


def nested(path: tuple[str, ...], written: str) -> str:
    """A value at a path as flow YAML."""
    if not path:
        return written
    inner = nested(path[1:], written)
    return f"[{inner}]" if path[0] == "[]" else f"{{{'key' if path[0] == '{}' else path[0]}: {inner}}}"


FIELDS = [
    (name, path)
    for name in analytics_assets.COMPONENTS
    for path in dict.fromkeys(text_fields(getattr(analytics_assets, name)))
]


@pytest.mark.parametrize(("component", "path"), FIELDS, ids=[f"{name}.{'.'.join(path)}" for name, path in FIELDS])
def test_every_text_field_of_every_component_refuses_what_is_not_text(component: str, path: tuple[str, ...]) -> None:
    """Plain it is a misreading, in quotes it is none."""
    for written in ("NO", "0123", "1:30", "1.10", "on", "="):
        plain, quoted = (f"type: x\nattributes: {nested(path, text)}\n" for text in (written, repr(written)))
        [found] = find_misreadings(getattr(analytics_assets, component), plain)
        assert found.line == 2
        assert "in quotes" in found.reason
        assert find_misreadings(getattr(analytics_assets, component), quoted) == []


def test_the_fields_of_all_components_are_among_them() -> None:
    """Names, addresses, owners, currency, zones, ids, conditions of comparisons."""
    names = {(component, ".".join(path)) for component, path in FIELDS}
    assert names >= {
        ("AirbridgeRevenue", "app_name"),
        ("AirbridgeRevenue", "currency"),
        ("AirbridgeRevenue", "owners.[]"),
        ("AirbridgeRevenue", "reports.[].filters.[].values.[]"),
        ("AirbridgeRevenue", "reports.[].group_by.[]"),
        ("Alerts", "destinations.[]"),
        ("BentoStats", "ads.window.zone"),
        ("BentoStats", "keys.site_uuid"),
        ("BentoStats", "segments.[]"),
        ("Comparisons", "figures.[].left.where.{}"),
        ("StatsigMetrics", "events.[]"),
    }


@pytest.mark.parametrize(
    ("component", "attributes", "message"),
    [
        (
            "BentoStats",
            f"{SCHEDULE}segments: [newsletter, 0123]\n",
            ':5 attributes.segments.1: this is a number where text belongs. Write it in quotes, as in "0123".',
        ),
        (
            "AirbridgeRevenue",
            APP.replace("USD", "NO") + REPORT,
            ':6 attributes.currency: `NO` is read as false. Write it in quotes: "NO".',
        ),
        (
            "StatsigMetrics",
            f"{SCHEDULE}events: [~]\nevents: [signup]\n",
            ':5 attributes.events.0: `~` is read as null. Write it in quotes: "~".\ndefs/shop/defs.yaml:6 attributes.events: it is set twice. Keep one of them.',
        ),
    ],
    ids=["number", "currency", "two"],
)
def test_a_field_that_holds_text_only_is_refused_with_line_and_quotes(
    project: Project, component: str, attributes: str, message: str
) -> None:
    """In place of `Input should be a valid string`."""
    assert project.refusal(component, attributes) == f"defs/shop/defs.yaml{message}"


def test_a_key_pasted_as_a_number_is_not_repeated(project: Project) -> None:
    """It is where the name of its variable belongs."""
    refused = project.refusal("StatsigMetrics", f"key: 8151623429\n{SCHEDULE}")
    assert refused == (
        'defs/shop/defs.yaml:4 attributes.key: this is a number where text belongs. Write it in quotes, as in "0123".'
    )


def test_quoted_numbers_are_ids(project: Project) -> None:
    """Ids of a vendor that consist of digits can be named at all."""
    component = project.load("BentoStats", f'{SCHEDULE}segments: ["123", "1.10"]\nreports: ["1_000"]\n')
    assert (component.segments, component.reports) == (["123", "1.10"], ["1_000"])


def test_numbers_and_switches_are_written_as_yaml_allows(project: Project) -> None:
    """Nothing is text there, so nothing is refused."""
    component = project.load(
        "StatsigMetrics", f"{SCHEDULE}keep_personal_fields: yes\nfinal_after_hours: 12.50\nchecks: {{days: 1_0}}\n"
    )
    assert (component.keep_personal_fields, component.final_after_hours, component.checks.days) == (True, 12.5, 10)


@pytest.mark.parametrize(
    ("written", "value"), [("010", "8"), ("1:30", "90"), ("1:30.5", "90.5"), ("-012", "-10"), ("yes", "true")]
)
def test_a_number_that_is_read_as_another_one_is_refused(project: Project, written: str, value: str) -> None:
    """Ten days would be eight, and half past one ninety hours."""
    assert project.refusal("StatsigMetrics", f"{SCHEDULE}final_after_hours: {written}\n") == (
        f"defs/shop/defs.yaml:5 attributes.final_after_hours: `{written}` is read as {value}. Write a number without colons and "
        "leading zeros."
    )


def test_a_block_of_text_ends_without_its_line_break(project: Project) -> None:
    """As Dagster reads it."""
    assert project.load("StatsigMetrics", f"{SCHEDULE}events:\n  - |\n    sign up\n").events == ["sign up"]


def test_aliases_and_merged_groups_are_followed(project: Project) -> None:
    """A value is refused where it is written."""
    attributes = f"{SCHEDULE}checks: &usual {{days: 3}}\nsegments: &ids [on]\nreports: *ids\n"
    refused = project.refusal("BentoStats", attributes)
    assert refused.startswith("defs/shop/defs.yaml:6 attributes.segments.0: `on` is read as true.")
    merged = f"{SCHEDULE}<<: {{segments: [on]}}\n"
    assert ":5 attributes.segments.0: `on`" in project.refusal("BentoStats", merged)
