"""How `defs.yaml` writes the cohort, filters and orders of a report, nested as the vendor's page nests them.

`cohort_filter.py` and `report_spec.py` check the values; the rest of a report is in `source.py`.
"""

from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from analytics_assets.sources.airbridge.cohort_filter import (
    AndClause,
    Cohort,
    CohortEvent,
    CohortFilter,
    CohortTime,
    OrClause,
    Segment,
)

Value = str | int | float | bool


class EventConfig(dg.Model):
    """An event of the user and how often it occurred."""

    type: str = Field(description="Event key of the vendor's data spec, or any-event.")
    operator: str = Field(description="equals, more than or equals, more than, less than or equals, or less than.")
    value: int = Field(description="How often, a natural number.")


class CohortFilterConfig(dg.Model):
    """A property the event had; whether it takes none, a value or values depends on the property."""

    field: str = Field(description="Property key of the vendor's data spec.")
    filter_type: str = Field(description="Operator, as the property takes it.")
    value: Value | None = Field(default=None, description="The value, where the operator takes one.")
    values: list[Value] | None = Field(default=None, description="The values, where the operator takes several.")


class TimeConfig(dg.Model):
    """When the event occurred."""

    operator: str = Field(description="during, between or since.")
    first: str | None = Field(default=None, description="First day of between, as 2026-01-31.")
    last: str | None = Field(default=None, description="Last day of between.")
    settings: dict[str, Any] = Field(default={}, description="Further settings of during and since, sent as they are.")


class SegmentConfig(dg.Model):
    """The smallest condition of a cohort."""

    event: EventConfig = Field(description="The event and how often it occurred.")
    filters: list[CohortFilterConfig] = Field(default=[], description="Properties the event had.")
    time: TimeConfig | None = Field(default=None, description="When the event occurred.")


class OrClauseConfig(dg.Model):
    """One of the conditions of which one must hold."""

    segment: SegmentConfig = Field(description="The condition.")
    negated: bool = Field(default=False, description="Whether it must not hold.")


class AndClauseConfig(dg.Model):
    """One of the conditions that must all hold."""

    or_clauses: list[OrClauseConfig] = Field(description="Conditions of which one must hold.")
    negated: bool = Field(default=False, description="Whether none may hold.")


class CohortConfig(dg.Model):
    """Who is counted: all of `and_clauses` must hold."""

    and_clauses: list[AndClauseConfig] = Field(description="Conditions that must all hold.")

    def cohort(self) -> Cohort:
        """The cohort to request."""
        return Cohort(
            tuple(
                AndClause(
                    tuple(OrClause(_segment(one.segment), one.negated) for one in clause.or_clauses), clause.negated
                )
                for clause in self.and_clauses
            )
        )


def _segment(config: SegmentConfig) -> Segment:
    time = config.time
    return Segment(
        CohortEvent(config.event.type, config.event.operator, config.event.value),
        tuple(
            CohortFilter(one.field, one.filter_type, one.value, None if one.values is None else tuple(one.values))
            for one in config.filters
        ),
        None if time is None else CohortTime(time.operator, _day(time.first), _day(time.last), time.settings),
    )


def _day(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)


class FilterConfig(dg.Model):
    """A condition on a dimension."""

    field: str = Field(description="Dimension, a key of the vendor's metadata.")
    type: str = Field(description="IN, NOT IN, LIKE, NOT LIKE, EXIST or NOT EXIST.")
    values: list[str] = Field(default=[], description="Values; EXIST and NOT EXIST need none.")


class SortConfig(dg.Model):
    """An order of the groups in the response."""

    field: str = Field(description="Field; the vendor's page names totalRevenue only.")
    ascending: bool = Field(default=True, description="Whether the smallest comes first.")


class CsvConfig(dg.Model):
    """What a CSV result would hold beside the rows; nothing says that it changes the JSON answer."""

    includes_metadata: bool | None = Field(
        default=None, description="Sent as resultSpec.csv.includesMetadata; unset is not sent."
    )
    includes_total: bool | None = Field(
        default=None, description="Sent as resultSpec.csv.includesTotal; unset is not sent."
    )
