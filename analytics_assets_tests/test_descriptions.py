"""Whoever opens the catalogue finds everything described: a walk over all that is shipped, and what the walk notices."""

from pathlib import Path

import dagster as dg
from pydantic import Field

import analytics_assets
from analytics_assets.definitions import defs
from analytics_assets.orchestration.asset_specs import AccountTables, placed
from analytics_assets_tests.descriptions import undescribed

RAW, TYPED = dg.AssetKey(["shop", "ads_raw"]), dg.AssetKey(["shop", "ads"])
GOOD = dg.AssetSpec(
    RAW,
    description="Answers as sent.\n\n[Bento's page](https://vendor.example)",
    group_name="shop",
    kinds={"bento", "parquet"},
    tags={"layer": "raw", "reading": "daily"},
    metadata={
        "dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("body", "string", "The body.")]),
        "key": "none",
        "query": "",
    },
)


def described(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset with all that its account adds."""
    return placed(spec, AccountTables("/lake", ["team:growth"], Path("bento")))


def assets(*specs: dg.AssetSpec, check: str | None = None) -> dg.AssetsDefinition:
    """Assets that do nothing, with a check that says no more than it is told to."""

    @dg.multi_asset(specs=specs, check_specs=[dg.AssetCheckSpec("stands", asset=specs[0].key, description=check)])
    def made(): ...

    return made


def test_all_that_is_shipped_is_described() -> None:
    """Assets with their columns, units, keys, lineage, owners, links and queries; checks, jobs, schedules, sensors, resources, YAML."""
    components = [getattr(analytics_assets, name) for name in analytics_assets.COMPONENTS]
    assert undescribed(defs(), components) == []


def test_an_asset_that_says_nothing_is_noticed_in_every_point() -> None:
    """Each thing that is left out by its name."""
    columns = dg.TableSchema(columns=[dg.TableColumn("signups", "int64"), dg.TableColumn("key", "string", "The key.")])
    lineage = dg.TableColumnLineage({"signups": [dg.TableColumnDep(RAW, "boddy")]})
    bare = dg.AssetSpec(
        TYPED,
        deps=[RAW],
        tags={"layer": "typed"},
        metadata={"dagster/column_schema": columns, "dagster/column_lineage": lineage},
    )
    found = undescribed(dg.Definitions(assets=[assets(described(GOOD), bare)]), [])
    assert sorted(found) == sorted(
        [
            *(
                f"asset shop/ads: no {what}"
                for what in (
                    "description",
                    "link to the vendor's page",
                    "owner",
                    "group",
                    "kinds",
                    "tags",
                    "key",
                    "address of its files",
                    "query",
                    "link to its code",
                )
            ),
            "asset shop/ads: column signups has no description",
            "asset shop/ads: column signups has no unit",
            "asset shop/ads: column signups is made from boddy, which shop/ads_raw has not",
            "asset shop/ads: column key has no lineage",
            "check shop/ads_raw:stands: no description",
        ]
    )


def test_a_table_without_columns_is_noticed() -> None:
    """The catalogue's first question."""
    bare = GOOD.merge_attributes(metadata={"dagster/column_schema": dg.TableSchema(columns=[])})
    assert "asset shop/ads_raw: no columns" in undescribed(dg.Definitions(assets=[assets(described(bare))]), [])


class Silent(dg.Config):
    """Says what it is, but not what its field is."""

    requests: int


class SilentResource(dg.ConfigurableResource[None]):
    """Says what it is, but not what its field is."""

    budget: Silent = Field(description="What may be spent.")


class SilentComponent(dg.Component, dg.Model, dg.Resolvable):
    """Says what it is, but not what its field is."""

    key: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Nothing."""
        return dg.Definitions()


def test_jobs_schedules_sensors_resources_and_yaml_that_say_nothing_are_noticed() -> None:
    """Each by kind and name."""

    @dg.sensor(job_name="load")
    def look() -> None: ...

    job = dg.define_asset_job("load", selection=[RAW])
    schedule = dg.ScheduleDefinition(name="daily", job=job, cron_schedule="0 0 * * *", description=" ")
    definitions = dg.Definitions(
        assets=[assets(described(GOOD), check="Warns.")],
        jobs=[job],
        schedules=[schedule],
        sensors=[look],
        resources={"shop": SilentResource(budget=Silent(requests=1))},
    )
    assert undescribed(definitions, [SilentComponent]) == [
        "job load: no description",
        "schedule daily: no description",
        "sensor look: no description",
        "resource shop, field budget.requests: no description",
        "YAML SilentComponent, field key: no description",
    ]
