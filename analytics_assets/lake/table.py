"""The declaration of a table: columns, types, nullability, key, descriptions. Everything else follows from it.

The Parquet schema, validation before a day becomes visible, Dagster's column schema and the README's tables all read this one declaration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.errors import UnexpectedPayloadError

DATE = "date"
MOMENT = pa.timestamp("us", tz="UTC")
# 12 digits before the point: sums and products of amounts still fit into the 38 digits of Spark.
MONEY = pa.decimal128(18, 6)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Its name in the file.
        type: Its Arrow type.
        description: What it holds, with unit and source, for the catalogue.
        nullable: True if null is allowed; null always means "not known", never zero.
        is_observation: It says when or how something was read, not what: two readings that differ only here are the same day.
        unit: What one of it is; every number has one.
        made_from: Columns of the table's origin it comes from; None is the one the origin names, and none is configuration.
    """

    name: str
    type: pa.DataType
    description: str
    nullable: bool = False
    is_observation: bool = False
    unit: str = ""
    made_from: Sequence[str] | None = None


@dataclass(frozen=True)
class Origin:
    """What a table is made from.

    Attributes:
        table: The table whose rows are read.
        column: The column that holds what was sent: most columns come from it.
    """

    table: "Table"
    column: str


@dataclass(frozen=True)
class Sum:
    """Columns whose sum over some rows of a day means something.

    Attributes:
        columns: Names of the columns; they hold whole numbers.
        per: Key columns that are never summed across, such as a currency.
        only: Boolean column that is true on the rows to sum, where other rows repeat the same number; empty for all rows.
        incomplete: Boolean column that is true where the vendor says the number is incomplete; empty where it says nothing.
    """

    columns: Sequence[str]
    per: Sequence[str]
    only: str = ""
    incomplete: str = ""


@dataclass(frozen=True)
class Table:
    """One table of one account.

    Attributes:
        name: Its name: last part of the asset key, folder in the lake.
        description: What a row is and what to know before using it.
        columns: All columns; one of them is `date`, the day of the partition. Append a new column as the last one: files stored before lack
            it, readers match columns by name and show null there.
        key: The columns that tell rows of a day apart, in sort order; empty where rows have no identity.
        docs_url: The vendor's page.
        origin: What it is made from; None for what is read or kept itself.
        example: A query over its rows, named `days`, that minds what the description warns of; in DuckDB's SQL.
        sums: What may be summed. Only where a day has all rows of a group: the top rows of a ranking have no meaningful sum.
        only_grows: True if later readings add to a day what no later one tells again, so that a day that is lost stays lost.
    """

    name: str
    description: str
    columns: Sequence[Column]
    key: Sequence[str] = ()
    docs_url: str = ""
    origin: Origin | None = None
    example: str = ""
    sums: Sequence[Sum] = ()
    only_grows: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        """The Parquet schema. Descriptions are in the catalogue alone: in each day's footer they were two thirds of a small file."""
        return pa.schema([pa.field(column.name, column.type, nullable=column.nullable) for column in self.columns])

    @cached_property
    def content_names(self) -> list[str]:
        """The columns that say what was read, not when or how."""
        return [column.name for column in self.columns if not column.is_observation]

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Rows given as mappings, as an Arrow table of this schema; a column a row does not name is null there.

        Raises:
            UnexpectedPayloadError: A value does not fit its column. Nothing is rounded, cut off or taken apart to make it fit.
        """
        held = list(rows)
        return self.of_columns({field.name: [row.get(field.name) for row in held] for field in self.schema})

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
        """Columns given as Python's values, as an Arrow table of this schema; for more rows than mappings are made for.

        Raises:
            UnexpectedPayloadError: As `rows`.
        """
        made = [self._column(field, columns[field.name]) for field in self.schema]
        return pa.Table.from_arrays(made, schema=self.schema)

    def validated(self, content: pa.Table, day: date) -> pa.Table:
        """The content of `valid_day`, which says what is refused."""
        return self.valid_day(content, day).content

    def valid_day(self, content: pa.Table, day: date) -> "ValidDay":
        """The content sorted by key, if it is a valid day of this table.

        Raises:
            UnexpectedPayloadError: A column is missing or of another type, a null where none is allowed, a row of another day, or a
                key that occurs twice. Nothing of such a day is stored.
        """
        content = self._fitted(content, day)
        strangers = set(pc.unique(content[DATE]).to_pylist()) - {day}
        if strangers:
            raise UnexpectedPayloadError(
                f"{self.name}: rows belong to {', '.join(map(str, sorted(strangers)))}.", day=day
            )
        return ValidDay(self, day, self._sorted(content, day))

    def valid_rows(self, content: pa.Table) -> pa.Table:
        """The content sorted by key, if it is valid for a table without days.

        Raises:
            UnexpectedPayloadError: As `valid_day`, but for the rows of another day.
        """
        return self._sorted(self._fitted(content, None), None)

    def _fitted(self, content: pa.Table, day: date | None) -> pa.Table:
        if content.schema.names != self.schema.names:
            raise UnexpectedPayloadError(
                f"{self.name}: columns {content.schema.names} instead of {self.schema.names}.", day=day
            )
        columns = [self._fitting(column, content[column.name], day) for column in self.columns]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _sorted(self, content: pa.Table, day: date | None) -> pa.Table:
        # Vendors mostly answer in some order, and sorting costs more than seeing that.
        if self.key and not _is_rising(content.select(list(self.key))):
            content = content.sort_by([(name, "ascending") for name in self.key])
            self._refuse_doubles(content, day)
        return content

    def _fitting(self, column: Column, given: pa.ChunkedArray, day: date | None) -> pa.ChunkedArray:
        if not column.nullable and given.null_count:
            raise UnexpectedPayloadError(
                f"{self.name}: column {column.name} has no value in {given.null_count} of {len(given)} rows.", day=day
            )
        if given.type == column.type:
            return given
        if _is_guess(given.type, column.type):
            raise UnexpectedPayloadError(
                f"{self.name}: column {column.name} is {given.type} instead of {column.type}.", day=day
            )
        try:
            return given.cast(column.type)
        except (pa.ArrowException, ValueError) as error:
            raise UnexpectedPayloadError(f"{self.name}: column {column.name}: {error}.", day=day) from error

    def _column(self, field: pa.Field, values: Sequence[Any]) -> pa.Array:
        for value in _misread(field.type, values):
            raise UnexpectedPayloadError(
                f"{self.name}: column {field.name}: {value!r} ({type(value).__name__}) does not fit {field.type}."
            )
        try:
            return pa.array(values, field.type)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise UnexpectedPayloadError(
                f"{self.name}: column {field.name}: a value does not fit {field.type}: {error}."
            ) from error

    def _refuse_doubles(self, content: pa.Table, day: date | None) -> None:
        if not _has_equal_neighbours(content.select(list(self.key))):
            return
        # One thread, so that the first in the message is the first by key.
        counts = content.group_by(list(self.key), use_threads=False).aggregate([([], "count_all")])
        doubles = counts.filter(pc.greater(counts["count_all"], 1)).drop_columns(["count_all"])
        if doubles.num_rows:
            example = ", ".join(f"{name}={value!r}" for name, value in doubles.slice(0, 1).to_pylist()[0].items())
            raise UnexpectedPayloadError(
                f"{self.name}: {doubles.num_rows} keys occur more than once, the first is {example}.", day=day
            )


@dataclass(frozen=True)
class ValidDay:
    """A day its table has looked at, so that nobody needs to look again; only `Table.valid_day` makes one.

    Attributes:
        table: The table that found it valid.
        day: The day it is.
        content: Its rows, sorted by key, with the table's schema.
    """

    table: Table
    day: date
    content: pa.Table


def _is_rising(keys: pa.Table) -> bool:
    """True if each row is greater than the one before it: in order, and none twice; nulls leave it open."""
    if any(column.null_count for column in keys.columns):
        return False
    tied = pa.scalar(value=True)
    for column in keys.columns:
        before, here = column.slice(0, max(0, len(column) - 1)), column.slice(1)
        if pc.any(pc.and_(tied, pc.greater(before, here))).as_py():
            return False
        tied = pc.and_(tied, pc.equal(before, here))
        if not pc.any(tied).as_py():
            return True
    return False


def _has_equal_neighbours(keys: pa.Table) -> bool:
    """True if two rows that follow each other are equal, null being equal to null; in sorted rows any equal ones do."""
    same = None
    # The last column of a key differs most often from row to row, and then nothing else needs to be looked at.
    for column in reversed(keys.columns):
        here, before = column.slice(1), column.slice(0, max(0, len(column) - 1))
        equal = pc.equal(here, before)
        if column.null_count:
            equal = pc.or_(pc.fill_null(equal, False), pc.and_(pc.is_null(here), pc.is_null(before)))
        same = equal if same is None else pc.and_(same, equal)
        if not pc.any(same).as_py():
            return False
    return True


def _misread(kind: pa.DataType, values: Sequence[Any]) -> Iterable[Any]:
    """The values that Arrow would make fit in silence: 5.5 cut down to 5, a text taken apart for a list, a time of day or zone made up."""
    if pa.types.is_timestamp(kind):
        return (value for value in values if kind.tz and isinstance(value, datetime) and value.tzinfo is None)
    if pa.types.is_date(kind):
        wrong: tuple[type, ...] = (datetime,)
    elif pa.types.is_integer(kind):
        wrong = (float, Decimal)
    else:
        wrong = (str, bytes) if pa.types.is_list(kind) else ()
    if not any(issubclass(held, wrong) for held in set(map(type, values))):
        return ()
    return (value for value in values if isinstance(value, wrong))


def _is_guess(given: pa.DataType, declared: pa.DataType) -> bool:
    """True if Arrow would make one type of the other by guessing: rounding, spelling out, or choosing a time zone."""
    if pa.types.is_dictionary(given):
        given = given.value_type
    if pa.types.is_null(given):
        return False
    if pa.types.is_floating(given):
        return not pa.types.is_floating(declared)
    if pa.types.is_timestamp(given) and pa.types.is_timestamp(declared):
        return (given.tz is None) != (declared.tz is None)
    families = (_is_text, pa.types.is_boolean, pa.types.is_date, pa.types.is_timestamp, pa.types.is_time)
    return any(belongs(given) != belongs(declared) for belongs in families)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
