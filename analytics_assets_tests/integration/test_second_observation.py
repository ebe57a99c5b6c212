"""A second observation of one day: every table of a snapshot is of the last, also where the vendor's numbers are the same."""

from datetime import datetime

import dagster as dg

from analytics_assets.lake.store import Lake
from analytics_assets_tests.integration.jobs import shipped

SNAPSHOTS = {
    "bento": {"audience_raw": "audience_counts", "reports_raw": "report_points"},
    "statsig": {"listing_raw": None},
    "airbridge": {"catalog": None},
}
INSTANTS = ("requested_at", "observed_at")


def instants(lake: Lake, account: str, table: str) -> set[datetime]:
    """The instants of observation in the newest day of a table."""
    content = lake.held(account, table, lake.days(account, table)[-1])
    assert content is not None
    [column] = [name for name in INSTANTS if name in content.schema.names]
    return set(content[column].to_pylist())


def observe(instance: dg.DagsterInstance, lake: Lake) -> dict[str, tuple[datetime, set[datetime]]]:
    """One run of the job: of each table the instant in its footer's raw table, and the instants in its rows."""
    assert shipped().resolve_job_def("snapshots").execute_in_process(instance=instance).success
    observed = {}
    for account, tables in SNAPSHOTS.items():
        for raw, typed in tables.items():
            stored = lake.stored_day(account, raw, lake.days(account, raw)[-1])
            assert stored is not None
            assert stored.footer.requested_at is not None
            for table in filter(None, (raw, typed)):
                observed[f"{account}/{table}"] = stored.footer.requested_at, instants(lake, account, table)
    return observed


def test_all_tables_of_a_snapshot_are_of_the_last_observation(point, instance: dg.DagsterInstance) -> None:
    """The sandbox answers the same twice; the rows and the footer still carry the later instants."""
    lake = Lake(str(point("").lake))
    first, second = observe(instance, lake), observe(instance, lake)
    stale = [
        name
        for name, (requested_at, rows) in second.items()
        if requested_at <= first[name][0] or min(rows) < requested_at or not rows.isdisjoint(first[name][1])
    ]
    assert stale == []


def test_a_typed_table_made_alone_is_of_the_last_observation(point, instance: dg.DagsterInstance) -> None:
    """The raw table was observed again by itself; the typed one follows without a request."""
    lake = Lake(str(point("").lake))
    before = observe(instance, lake)["bento/report_points"][1]
    for table in ("reports_raw", "report_points"):
        job = shipped().resolve_job_def("snapshots")
        assert job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(["bento", table])]).success
    after = instants(lake, "bento", "report_points")
    assert (after, after.isdisjoint(before)) == (instants(lake, "bento", "reports_raw"), True)
