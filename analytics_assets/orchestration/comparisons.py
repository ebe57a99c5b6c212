"""What `defs/<folder>/defs.yaml` may say of figures that ought to be the same in two sources, and the checks made from it.

Each comparison is a node of the asset graph of its own, behind the two tables it reads, so that no load waits for it: `checks_daily` evaluates it.
Dagster concept: external assets, https://docs.dagster.io/guides/build/assets/external-assets
"""

from datetime import timedelta
from typing import Literal

import dagster as dg
from pydantic import Field, model_validator

from analytics_assets.checks.check import CheckContext, Limits
from analytics_assets.checks.comparison import Comparison, Side
from analytics_assets.checks.volume import Figure
from analytics_assets.clock import utc_now
from analytics_assets.errors import FieldError, PermanentError
from analytics_assets.orchestration.asset_checks import check_specs, days_until, evaluations
from analytics_assets.orchestration.source_component import account_of
from analytics_assets.orchestration.yaml_component import YamlComponent, checked


class SideConfig(dg.Model):
    """One of two figures."""

    table: str = Field(description="Account and table, as `bento/ads_totals`.")
    aggregation: Literal["rows", "sum", "min", "max"] = Field(default="sum", description="rows, sum, min or max.")
    column: str | None = Field(default=None, description="Column of the figure; none for rows.")
    where: dict[str, str | int | float | bool] = Field(
        default={},
        description="Only rows whose columns have these values; money needs its `currency` here, and counts that repeat on each currency row `is_main_currency: true`.",
    )
    divide_by: float = Field(default=1.0, description="What the figure is divided by: 100 for cents.")
    currency: str | None = Field(
        default=None, description="What money the figure is, where its table has no column `currency`."
    )

    def side(self) -> Side:
        """The figure.

        Raises:
            PermanentError: It names no table, or a figure that cannot be.
        """
        account, _, table = self.table.partition("/")
        if not account or not table or "/" in table:
            raise PermanentError(
                f"comparisons: table {self.table!r} is none.", remedy="Write account and table, as bento/ads_totals."
            )
        return Side(account, Figure(table, self.aggregation, self.column, self.where), self.divide_by, self.currency)


class ComparisonConfig(dg.Model):
    """Two figures that ought to be the same each day, within a tolerance."""

    name: str = Field(description="Name of the comparison; letters, digits and _.", pattern=r"^[A-Za-z0-9_]+$")
    left: SideConfig = Field(description="One figure.")
    right: SideConfig = Field(description="The other.")
    absolute: float = Field(default=0.0, description="By how much they may differ.")
    relative: float = Field(
        default=0.0, description="By what share of the larger they may differ; the wider of the two bounds holds."
    )

    def comparison(self) -> Comparison:
        """The comparison."""
        return Comparison(self.name, self.left.side(), self.right.side(), self.absolute, self.relative)


class Comparisons(YamlComponent):
    """Figures that ought to be the same in two sources; nothing is compared that is not declared here."""

    days: int = Field(default=Limits.days, description="Days the job `checks_daily` compares.")
    figures: list[ComparisonConfig] = Field(
        min_length=1,
        description="The comparisons, of days with the same name: sources count days in zones of their own.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Comparisons":
        names = [one.name for one in self.figures]
        if len(set(names)) < len(names):
            raise FieldError("two comparisons have the same name.", "figures", remedy="Give each a name of its own.")
        if self.days < 1:
            raise FieldError(f"{self.days} days are none.", "days", remedy="Use 1 or more.")
        for number, one in enumerate(self.figures):
            checked(one.comparison, "figures", number)
        return self

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """A node and a check for each comparison."""
        folder = account_of(context)
        made = [self._compared(folder, one.comparison()) for one in self.figures]
        return dg.Definitions(assets=[node for node, _ in made], asset_checks=[check for _, check in made])

    def _compared(self, folder: str, comparison: Comparison) -> tuple[dg.AssetSpec, dg.AssetChecksDefinition]:
        check = comparison.check()
        [spec] = check_specs(folder, [check])
        sides = (comparison.left, comparison.right)
        node = dg.AssetSpec(
            spec.asset_key,
            description="Compared each day by the job `checks_daily`:\n"
            + "\n".join(f"- {side.name}" for side in sides),
            group_name=folder,
            kinds={"comparison"},
            deps=list({dg.AssetKey([side.account, side.figure.table]): None for side in sides}),
        )

        @dg.multi_asset_check(name=f"{folder}__{comparison.name}", specs=[spec], required_resource_keys={"lake"})
        def compare(context: dg.AssetCheckExecutionContext):  # type: ignore[no-untyped-def]  # noqa: ANN202 - read as outputs
            now = utc_now()
            days = days_until((now - timedelta(days=1)).date(), self.days)
            check_context = CheckContext(context.resources.lake.open(), folder, days, None, lambda _day: now)
            yield from evaluations(context, [check], check_context)

        return node, compare
