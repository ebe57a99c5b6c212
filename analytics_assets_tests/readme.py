"""The parts of the README and its pages that are made from the code: settings, fields of `defs.yaml`, tables and their columns.

`make docs` writes them; `test_readme.py` fails when a page and the code differ. Prose is written by hand, outside the markers.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args

import dagster as dg
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import analytics_assets
from analytics_assets.definitions import defs
from analytics_assets.settings import VARIABLES

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = README.parent / "docs" / "example_source"


def settings_part() -> str:
    """The environment variables that settings read."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {_code(default)} | {meaning} |" for name, (default, meaning) in VARIABLES.items()]
    return "\n".join(lines)


def yaml_part() -> str:
    """The fields each component takes, nested ones with their path."""
    parts = []
    for component in (getattr(analytics_assets, name) for name in analytics_assets.COMPONENTS):
        lines = [
            f"<details><summary><code>{component.__name__}</code>: {_first_line(component)}</summary>",
            "",
            "| field | default | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{path}` | {_default(field)} | {field.description} |" for path, field in fields(component)]
        parts.append("\n".join([*lines, "", "</details>"]))
    return "\n\n".join(parts)


def tables_part() -> str:
    """All tables, by account, each with its columns."""
    tables = (spec for spec in defs().resolve_all_asset_specs() if "dagster/column_schema" in spec.metadata)
    specs = sorted(tables, key=lambda spec: tuple(spec.key.path))
    parts = []
    for account in dict.fromkeys(spec.key.path[0] for spec in specs):
        of_account = [spec for spec in specs if spec.key.path[0] == account]
        parts.append(f"### {account}\n\n" + "\n\n".join(map(_table, of_account)))
    return "\n\n".join(parts)


def streams_part() -> str:
    """The streams that the example source declares."""
    text = (EXAMPLE / "kiosk/source.py").read_text()
    [method] = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == "streams"
    ]
    return f"```python\n{dedent(ast.get_source_segment(text, method, padded=True) or '')}\n```"


PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: {"settings": settings_part},
    README.parent / "docs" / "configuration.md": {"yaml": yaml_part},
    README.parent / "docs" / "tables.md": {"tables": tables_part},
    README.parent / "docs" / "add-a-source.md": {"streams": streams_part},
}


def with_parts(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """A page with its made parts as the code says."""
    for name, make in parts.items():
        begin, end = f"<!-- {name}: made from the code by `make docs` -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the page needs {begin} and {end} once")
        made = f"{begin}\n{make()}\n{end}"
        text = pattern.sub(lambda _, made=made: made, text)
    return text


def _table(spec: dg.AssetSpec) -> str:
    schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
    about = (spec.description or "").split("\n\n")[0]
    lines = [
        f"<details><summary><b>{spec.key.to_user_string()}</b>, {_reading(spec)}, key: {spec.metadata['key']}</summary>",
        "",
        about,
        "",
        "| column | type | null | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{column.name}` | `{column.type}` | {'yes' if column.constraints.nullable else ''} | {column.description} |"
        for column in schema.columns
    ]
    return "\n".join([*lines, "", "</details>"])


def _reading(spec: dg.AssetSpec) -> str:
    return {"daily": "one partition a day", "snapshot": "snapshot", "whole": "made whole from the lake"}[
        spec.tags["reading"]
    ]


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a model and of the models in them, each with its path."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        inner = next(
            (kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)), None
        )
        if inner is not None:
            is_list = "list[" in str(field.annotation)
            yield from fields(inner, f"{prefix}{name}{'[]' if is_list else ''}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return ""
    return "unset" if field.default is None else _code(str(field.default))


def _code(value: str) -> str:
    return f"`{value}`" if value and " " not in value else value


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    for page, parts in PAGES.items():
        page.write_text(with_parts(page.read_text(), parts))
    sys.exit(0)
