"""What a person is told of a misspelt YAML or setting: one line for each, in the terminal and in the UI, and no traceback."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from analytics_assets.cli.accounts import component, is_alerts
from analytics_assets.definitions import defs as everything
from analytics_assets.orchestration.loading import REMEDY, UnloadableError, refusal, whole
from analytics_assets.sources.bento.source import BentoStats
from analytics_assets.sources.statsig.source import StatsigMetrics

SHIPPED = Path(__file__).parents[2] / "analytics_assets/defs"
# The door lets Dagster warn of itself.
pytestmark = pytest.mark.filterwarnings("ignore")
Misspelt = Callable[..., Path]


@pytest.fixture
def misspelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Misspelt]:
    """The shipped folders in a project of their own, one text of them replaced."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "misspelt"\nregistry_modules = ["analytics_assets"]\n'
    )

    def made(account: str, right: str, wrong: str) -> Path:
        defs = tmp_path / "misspelt" / "defs"
        for folder in (defs.parent, defs):
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
        (defs / account).mkdir()
        text = (SHIPPED / account / "defs.yaml").read_text()
        assert right in text
        (defs / account / "defs.yaml").write_text(text.replace(right, wrong, 1))
        return defs

    yield made
    for module in [one for one in sys.modules if one.split(".")[0] == "misspelt"]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("account", "right", "wrong", "told"),
    [
        (
            "bento",
            "dimensions:",
            "dimension:",
            ":14 attributes.ads.dimension: unknown field. Did you mean `dimensions`?",
        ),
        (
            "bento",
            "exclusive",
            "exclusiv",
            ":19 attributes.ads.window.end: Input should be 'exclusive' or 'inclusive'",
        ),
        (
            "airbridge",
            "aggregation:",
            "agregation:",
            ":18 attributes.reports.0.agregation: unknown field. Did you mean `aggregation`?",
        ),
        (
            "airbridge",
            "name: users",
            "name: revenue",
            ":13 attributes.reports: two have the same name, so their tables would collide. Give each a name of its own.",
        ),
        (
            "statsig",
            "lookback_days: 4",
            "lookback_dayz: 4",
            ":15 attributes.schedule.lookback_dayz: unknown field. Did you mean `lookback_days`?",
        ),
        (
            # Nothing is near, so both are named.
            "statsig",
            "lookback_days: 4",
            "window: 4",
            ":11 attributes.schedule.lookback_days: Field required\ndefs/statsig/defs.yaml:15 attributes.schedule.window: unknown field.",
        ),
        (
            # The near one is set already.
            "statsig",
            "lookback_days: 4",
            "lookback_days: 4\n    lookback_day: 4",
            ":16 attributes.schedule.lookback_day: unknown field.",
        ),
        (
            "statsig",
            "20 20 * * *",
            "20 25 * * *",
            (
                ":13 attributes.schedule.cron: '20 25 * * *' is not a cron line. Use five fields, such as "
                "`20 20 * * *` for 20:20 each day."
            ),
        ),
        (
            "statsig",
            "type: analytics_assets.StatsigMetrics",
            "",
            ":1 type: Field required, such as `type: analytics_assets.BentoStats`.",
        ),
    ],
)
def test_what_is_misspelt_is_told_with_file_line_and_field(
    misspelt: Misspelt, account: str, right: str, wrong: str, told: str
) -> None:
    """The whole message, and nothing of what Dagster said of it."""
    with pytest.raises(UnloadableError) as caught:
        whole(misspelt(account, right, wrong))
    assert str(caught.value) == f"defs/{account}/defs.yaml{told}\n{REMEDY}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("account", "right", "wrong"),
    [
        ("bento", "secret: BENTO_SECRET_KEY", "secret: sk_marker0815"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: 'sk_marker0815"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: '{{ sk_marker0815 }}'"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: '{{ sk_marker0815 }'"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: '{{ sk_marker0815.x }}'"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: \"{{ env('sk_marker0815') }}\""),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: *sk_marker0815"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: !sk_marker0815 x"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: [sk_marker0815]"),
        ("bento", "secret: BENTO_SECRET_KEY", "sk_marker0815: BENTO_SECRET_KEY"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret_key: sk_marker0815"),
        ("bento", "secret: BENTO_SECRET_KEY", "secret: AC3FE0B5D1marker0815AA".replace("marker", "MARKER")),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: console-marker0815"),
        ("airbridge", "token: AIRBRIDGE_API_TOKEN", "token: 5ec2e7marker0815"),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: !!int console-marker0815"),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: &a [console-marker0815, *a]"),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: {console-marker0815: x}"),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: console-marker0815\n  sk_marker0815: 1\n  sk_marker0815: 2"),
        ("statsig", "key: STATSIG_CONSOLE_KEY", "key: console-\x07marker0815"),
        ("statsig", "attributes:", "console-marker0815: x\nattributes:"),
        ("statsig", "attributes:", "attributes: console-marker0815\nx:"),
        ("statsig", "attributes:", "? {a: console-marker0815}\n: x\nattributes:"),
        ("statsig", "attributes:", "post_processing: {assets: [{console-marker0815: x}]}\nattributes:"),
        ("statsig", "attributes:", "template_vars_module: console-marker0815\nattributes:"),
        ("statsig", "attributes:", "requirements: {env: console-marker0815}\nattributes:"),
        ("statsig", "type: analytics_assets.StatsigMetrics", "type: analytics_assets.sk_marker0815"),
        ("statsig", "type: analytics_assets.StatsigMetrics", "type: sk_marker0815"),
        ("statsig", "type: analytics_assets.StatsigMetrics", "type: sk_marker0815.StatsigMetrics"),
        ("statsig", "type: analytics_assets.StatsigMetrics", "type: [sk_marker0815]"),
        ("statsig", "type: analytics_assets.StatsigMetrics", "sk_marker0815"),
    ],
)
def test_a_key_in_place_of_a_variables_name_is_in_no_message(
    misspelt: Misspelt, account: str, right: str, wrong: str
) -> None:
    """However it is written, and although Dagster quotes the file: the message and its traceback have only the place."""
    with pytest.raises(UnloadableError) as caught:
        whole(misspelt(account, right, wrong))
    told = "".join(traceback.format_exception(caught.value))
    assert f"defs/{account}/defs.yaml" in told
    assert "marker0815" not in told.lower()


def test_dagster_prints_the_message_and_not_the_error_that_quotes_the_file(misspelt: Misspelt) -> None:
    """Its command line and its UI print an error with its causes; a key is in the cause here."""
    key = "post_processing: {assets: [{console-marker0815: x}]}\nattributes:"
    defs = misspelt("statsig", "attributes:", key)
    module = defs.parent / "door.py"
    module.write_text(
        f"from pathlib import Path\nfrom analytics_assets.orchestration.loading import whole\ndefs = whole(Path({str(defs)!r}))\n"
    )
    command = (sys.executable, "-m", "dagster", "definitions", "validate", "--verbose", "-f", str(module))
    done = subprocess.run(command, capture_output=True, text=True, cwd=defs.parents[1], timeout=120, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 1
    assert "defs/statsig/defs.yaml:4 post_processing: Dagster cannot use this field." in printed
    assert "marker0815" not in printed


@pytest.mark.parametrize(
    ("name", "right", "wrong", "told"),
    [
        ("bento", "zone: UTC", "zone: '{{ env(\"SHOP_ZONE\") }}'", ":18 attributes.ads.window.zone: the template"),
        ("bento", "zone: UTC", "zone: '{{ env.SHOP_ZONE }}'", ":18 attributes.ads.window.zone: the template"),
        (
            "statsig",
            "lookback_days: 4",
            "lookback_days: '{{ env.SHOP_DAYS }}'",
            ":15 attributes.schedule.lookback_days",
        ),
        ("statsig", "attributes:", "---\nattributes:", ":5 a second document begins here."),
        ("statsig", "attributes:", "attribute:", ":4 attribute: unknown field."),
        ("statsig", "StatsigMetrics", "Statsig", ":2 type: there is no such component. This project has"),
        ("statsig", "key:", "key: [", ":11 this is not valid YAML (while parsing a flow sequence)."),
        ("airbridge", "aggregation: cumulative", "aggregation: total", ":15 attributes.reports.0: Airbridge report"),
    ],
    ids=["function", "variable", "number", "documents", "field", "component", "syntax", "spec"],
)
def test_what_is_wrong_in_a_file_has_its_line(misspelt: Misspelt, name: str, right: str, wrong: str, told: str) -> None:
    """Outside of the attributes, in a template, and where only a spec can know."""
    with pytest.raises(UnloadableError) as caught:
        whole(misspelt(name, right, wrong))
    assert f"defs/{name}/defs.yaml{told}" in str(caught.value)


def test_a_file_may_begin_with_a_byte_order_mark_and_has_to_be_utf_8(misspelt: Misspelt) -> None:
    """Windows writes one, and other encodings too."""
    defs = misspelt("alerts", "", "")
    file = defs / "alerts/defs.yaml"
    text = file.read_text().split("\n", 1)[1]
    assert text.startswith("type:")
    file.write_text("\ufeff" + text)
    assert is_alerts(file.parent)
    assert [sensor.name for sensor in whole(defs).get_repository_def().sensor_defs] == ["alerts"]
    file.write_bytes(b"\n" + "# Z\u00fcrich\n".encode("latin-1") + text.encode())
    with pytest.raises(UnloadableError) as caught:
        whole(defs)
    assert str(caught.value) == f"defs/alerts/defs.yaml:2 this is not UTF-8 text. Save the file as UTF-8.\n{REMEDY}"


def test_an_account_loads_beside_one_that_does_not(misspelt: Misspelt) -> None:
    """A command for one account reads the file of that account only."""
    misspelt("bento", "type:", "tpye:")
    folder = misspelt("statsig", "", "") / "statsig"
    assert isinstance(component(folder, option="--account"), StatsigMetrics)


@pytest.mark.parametrize("elsewhere", ["eu/statsig/defs.yaml", "statsig/defs.yml", "statsig/component.yaml"])
def test_a_yaml_that_only_some_would_read_is_refused(misspelt: Misspelt, elsewhere: str) -> None:
    """Dagster reads a folder in a folder and two other names; plan, doctor and housekeeping do not."""
    defs = misspelt("statsig", "", "")
    (defs / elsewhere).parent.mkdir(parents=True, exist_ok=True)
    (defs / "statsig/defs.yaml").rename(defs / elsewhere)
    with pytest.raises(UnloadableError) as caught:
        whole(defs)
    assert (
        str(caught.value)
        == f"defs/{elsewhere}: not read. An account is one folder directly under defs/, with a defs.yaml."
    )


def test_every_folder_that_does_not_load_has_its_line(misspelt: Misspelt) -> None:
    """One look at the message fixes all."""
    misspelt("bento", "dimensions:", "dimension:")
    refused = refusal(misspelt("statsig", "lookback_days: 4", "lookback_days: four"))
    assert str(refused) == (
        "defs/bento/defs.yaml:14 attributes.ads.dimension: unknown field. Did you mean `dimensions`?\n"
        "defs/statsig/defs.yaml:15 attributes.schedule.lookback_days: Input should be a valid integer, unable to parse string as "
        f"an integer\n{REMEDY}"
    )


def test_what_nobody_foresaw_is_left_as_it_was_raised(misspelt: Misspelt) -> None:
    """A mistake of the program needs its traceback."""
    defs = misspelt("statsig", "20 20", "20 20")
    (defs / "statsig" / "__init__.py").write_text("raise KeyError('bug')\n")
    assert refusal(defs) is None


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ANALYTICS_MODE", "production", "ANALYTICS_MODE='production' is not known. Use sandbox or live."),
        (
            "ANALYTICS_LAKE",
            "pail://lake",
            "ANALYTICS_LAKE cannot be opened: Protocol not known: pail. Use a folder, or the address of a bucket, such as s3://bucket/lake.",
        ),
    ],
)
def test_a_wrong_setting_is_all_that_the_door_tells(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    """The UI and `dg` show what is raised here."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(UnloadableError) as caught:
        everything()
    assert str(caught.value) == told
    assert caught.value.__suppress_context__


def test_dg_check_yaml_names_a_misspelt_field_and_a_misspelt_choice() -> None:
    """It holds YAML against this schema, where a template may stand for a number."""
    schema = BentoStats.get_model_cls().model_json_schema()
    schedule = {"cron": "10 2 * * *", "lookback_days": "{{ env.SHOP_DAYS }}", "days_per_run": 12}
    given = {"schedule": schedule, "ads": {"dimension": ["source"], "window": {"end": "exclusiv"}}}
    assert sorted((error.json_path, error.message) for error in Draft202012Validator(schema).iter_errors(given)) == [
        ("$.ads", "Additional properties are not allowed ('dimension' was unexpected)"),
        ("$.ads.window.end", "'exclusiv' is not one of ['exclusive', 'inclusive']"),
    ]
