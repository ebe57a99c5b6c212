"""What a catalogue must say, and what definitions leave out of it: one walk over everything Dagster shows.

Keep expectations in the tests.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from pydantic import BaseModel

from analytics_assets.growth.assets import DATABASE, PAGE
from analytics_assets.orchestration.backfill_guard import PLAN_KEY
from analytics_assets_tests.readme import fields

_NUMBER = re.compile(r"u?int\d+|float|double|decimal")


def undescribed(definitions: dg.Definitions, components: Sequence[type[BaseModel]]) -> list[str]:
    """What the definitions and the YAML of the components do not say, each as `kind name: what`."""
    repository = definitions.get_repository_def()
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    found: list[str] = []
    for spec in specs.values():
        name = f"asset {spec.key.to_user_string()}"
        # These are no tables.
        found += (
            _without(name, spec.description)
            if spec.key == PLAN_KEY or spec.key.path[-1] in {PAGE, DATABASE}
            else [f"{name}: {what}" for what in _of_asset(spec, specs)]
        )
    for key in repository.asset_graph.asset_check_keys:
        check = repository.asset_graph.get_check_spec(key)
        found += _without(f"check {key.asset_key.to_user_string()}:{key.name}", check.description)
    for job in repository.get_all_jobs():
        found += [] if job.name.startswith("__") else _without(f"job {job.name}", job.description)
    for schedule in repository.schedule_defs:
        found += _without(f"schedule {schedule.name}", schedule.description)
    for sensor in repository.sensor_defs:
        found += _without(f"sensor {sensor.name}", sensor.description)
    for name, resource in (definitions.resources or {}).items():
        found += _of_fields(f"resource {name}", type(resource))
    for component in components:
        found += _of_fields(f"YAML {component.__name__}", component)
    return found


def _of_asset(spec: dg.AssetSpec, specs: dict[dg.AssetKey, dg.AssetSpec]) -> Iterator[str]:
    metadata = spec.metadata
    schema = metadata.get("dagster/column_schema", dg.TableSchema(columns=[]))
    said = {
        "no description": (spec.description or "").split("\n\n")[0].strip(),
        "no link to the vendor's page": re.search(r"\]\(https://", spec.description or ""),
        "no owner": spec.owners,
        "no group": spec.group_name not in {None, "default"},
        "no kinds": len(spec.kinds) > 1,
        "no tags": {"layer", "reading"} <= spec.tags.keys(),
        "no key": metadata.get("key"),
        "no address of its files": metadata.get("dagster/uri"),
        "no query": "select" in _text(metadata.get("query")) or "from days" in _text(metadata.get("query")),
        "no link to its code": "dagster/code_references" in metadata,
        "no columns": schema.columns,
    }
    yield from (what for what, is_said in said.items() if not is_said)
    for column in schema.columns:
        if not (column.description or "").strip():
            yield f"column {column.name} has no description"
        if _NUMBER.match(column.type) and not (column.tags or {}).get("unit"):
            yield f"column {column.name} has no unit"
    if spec.tags.get("layer") == "typed" and list(spec.deps):
        yield from _of_lineage(metadata.get("dagster/column_lineage"), schema, specs)


def _of_lineage(lineage: Any, schema: dg.TableSchema, specs: dict[dg.AssetKey, dg.AssetSpec]) -> Iterator[str]:
    made = {} if lineage is None else lineage.deps_by_column
    for column in schema.columns:
        if column.name not in made:
            yield f"column {column.name} has no lineage"
        for dep in made.get(column.name, ()):
            raw = specs[dep.asset_key].metadata["dagster/column_schema"]
            if dep.column_name not in {one.name for one in raw.columns}:
                yield f"column {column.name} is made from {dep.column_name}, which {dep.asset_key.to_user_string()} has not"


def _of_fields(what: str, model: type[BaseModel]) -> Iterator[str]:
    yield from _without(what, model.__doc__)
    for path, field in fields(model):
        yield from _without(f"{what}, field {path}", field.description)


def _without(what: str, description: str | None) -> list[str]:
    return [] if (description or "").strip() else [f"{what}: no description"]


def _text(value: Any) -> str:
    return "" if value is None else str(getattr(value, "md_str", value))
