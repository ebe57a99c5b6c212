"""The base of all components: YAML text is used as it is written, and what is wrong is refused with its place.

Dagster concept: components, https://docs.dagster.io/guides/build/components
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import dagster as dg
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from analytics_assets.errors import FieldError, PermanentError
from analytics_assets.orchestration.loading import unloadable
from analytics_assets.orchestration.yaml_text import find_misreadings, find_problems
from analytics_assets.settings import is_variable

T = TypeVar("T")


class _Schema(GenerateJsonSchema):
    """The schema that `dg check yaml` and editors hold a YAML against: a template may stand for a number."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {**super().int_schema(schema), "type": ["integer", "string"]}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {**super().float_schema(schema), "type": ["number", "string"]}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {**super().bool_schema(schema), "type": ["boolean", "string"]}


class _AsWritten(dg.ResolutionContext):
    """Resolves templates and leaves all other text as it is written.

    Dagster's own evaluates every text, which makes a number of a quoted "1.10" and drops what looks like a comment of a template.
    """

    def resolve_value(self, val: Any, as_type: type | None = None) -> Any:
        """The value, with every text in it resolved."""
        if not isinstance(val, str):
            return super().resolve_value(val, as_type)  # type: ignore[arg-type]
        if "{{" not in val:
            return val.removesuffix("\n")
        try:
            resolved: Any = super().resolve_value(val, as_type)  # type: ignore[arg-type]
            if isinstance(resolved, int | float):
                # A text that begins with = is no Python literal, so it stays text; a field that takes a number converts it.
                resolved = str(super().resolve_value(f"={val}"))[1:]
        except Exception:  # noqa: BLE001 - a template can raise anything, and Dagster's words quote it
            resolved = None
        if resolved is None:
            raise FieldError(
                "the template `{{ }}` has no value.",
                *self.path,
                remedy="Set the environment variable that it names, and check its spelling.",
            )
        return resolved


class YamlComponent(dg.Component, dg.Model, dg.Resolvable):
    """A component whose YAML text is used as it is written, or refused without a value of the file in the message."""

    # What stands where a name belongs may be a key, so pydantic must not print it.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component of a YAML file.

        Raises:
            UnloadableError: The attributes are wrong; a line for each thing.
        """
        tree = context.resolution_context.source_position_tree
        if tree is None or not (file := Path(tree.position.filename)).is_file():
            return super().load(attributes, context)
        text = file.read_text(encoding="utf-8")
        problems = find_misreadings(cls, text)
        if not problems:
            try:
                return super().load(attributes, context)
            except (ValidationError, FieldError) as error:
                problems = find_problems(error, text, cls)
        raise unloadable(file, problems)

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """A model that takes any attributes: Dagster quotes the file where its model refuses them, so `load` examines them."""
        return _attributes(cls)

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """The component of the attributes, all of them examined at once."""
        as_written = _AsWritten(
            scope=context.scope, source_position_tree=context.source_position_tree, stash=context.stash
        )
        return cls.model_validate(as_written.resolve_value(model.model_dump()))


@cache
def _attributes(component: type[YamlComponent]) -> type[BaseModel]:
    class Attributes(RootModel[dict[str, Any]]):
        @classmethod
        def model_json_schema(cls, *_arguments: Any, **_options: Any) -> dict[str, Any]:
            return component.model_json_schema(schema_generator=_Schema)

    return Attributes


def cron_line(value: str) -> str:
    """A cron line as YAML gives it.

    Raises:
        ValueError: Dagster cannot read it.
    """
    try:
        dg.ScheduleDefinition(name="example", job_name="example", cron_schedule=value)
    except dg.DagsterInvalidDefinitionError as error:
        raise ValueError(
            f"{value!r} is not a cron line. Use five fields, such as `20 20 * * *` for 20:20 each day."
        ) from error
    return value


def variable_name(value: str) -> str:
    """The name of an environment variable; anything else may be a key pasted there, so it is not repeated.

    Raises:
        ValueError: It is no such name.
    """
    if not is_variable(value):
        raise ValueError(
            "this must be the NAME of an environment variable, in capital letters, such as BENTO_SECRET_KEY; the key itself never "
            "stands in YAML"
        )
    return value


def checked(make: Callable[[], T], *field: str | int) -> T:
    """A plain spec made from YAML; what it refuses becomes an error of a field of the YAML."""
    try:
        return make()
    except PermanentError as error:
        raise FieldError(error.message, *field, *getattr(error, "field", ()), remedy=error.remedy) from error
