"""What the declared number of groups was worth in stored responses.

`totalCount` counts the groups of a report, as far as the vendor's page shows; it may count something else. So a number that differs from the
groups read is an error where the two were equal before, and a warning of a check otherwise.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from analytics_assets.errors import TransientError, UnusableFileError
from analytics_assets.lake.loss import ACCEPT_TAG, RESPONSES, were_as_declared
from analytics_assets.lake.store import Lake
from analytics_assets.sources.airbridge.paging import Page, declared_groups
from analytics_assets.sources.airbridge.report_spec import ReportSpec, spec_hash
from analytics_assets.sources.airbridge.responses import shown
from analytics_assets.sources.airbridge.tables import report_raw_table

# A task covers 92 days, so three of them are found well within these.
_NEWEST_DAYS: Final = 366


def refuse_other_count(lake: Lake, account: str, spec: ReportSpec, task_id: str, pages: Sequence[Page]) -> None:
    """Nothing, or an error where the last stored responses had as many groups as declared and this one has not.

    Raises:
        TransientError: Groups are missing, or too many.
    """
    declared, found = declared_groups(pages), sum(len(page.groups) for page in pages)
    if declared in (None, found) or not were_as_declared(stored_responses(lake, account, spec)):
        return
    raise TransientError(
        f"Airbridge task {shown(task_id)}: {found} groups were read and {declared} are declared, which were equal in the last {RESPONSES} "
        f"stored responses of {spec.name}.",
        remedy=f"A new report may do better. If the numbers stay different and Airbridge's dashboard shows the same "
        f"groups, set the tag {ACCEPT_TAG}=true for the run or backfill.",
    )


def stored_responses(lake: Lake, account: str, spec: ReportSpec) -> Iterator[tuple[int | None, int | None]]:
    """Groups declared and groups read in each stored response to the same request, newest first."""
    table, seen = report_raw_table(spec), set[datetime]()
    for day in reversed(lake.days(account, table.name)[-_NEWEST_DAYS:]):
        # A load replaces a file that cannot be used; until then it is no response.
        with suppress(UnusableFileError):
            stored = lake.stored_day(account, table.name, day)
            if (
                stored is None
                or stored.footer.requested_at in (None, *seen)
                or stored.footer.request_hash != spec_hash(spec)
            ):
                continue
            rows = lake.read(account, table, [day], ["requested_at", "groups_declared", "groups_read"])
            for row in rows[:1].to_pylist():
                seen.add(row["requested_at"])
                yield row["groups_declared"], row["groups_read"]
