"""dlt, tuned as its own performance page advises: parallel extraction in threads, Arrow tables instead of rows, Parquet files, no state kept.

It keeps no answers as sent and writes a load at a time, not a file a day; both make it faster. It asks Airbridge for the same few tasks as
the others and reads with the same columns (`rows.py`), so that what is compared is dlt and not JSON.
Page: https://dlthub.com/docs/reference/performance
"""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dlt
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.sources.helpers import requests

from analytics_assets.sources.airbridge.report_spec import body
from bench.rows import PAGE, ads_of, by_day, cohorts_of, metrics_of
from bench.works import AIRBRIDGE, APP, BENTO, IN_FLIGHT, LOOK_S, STATSIG, WAITING, Sizes, tasks

_TASK = f"/airbridge/reports/api/v3/apps/{APP.name}/revenue/query"


def prepared(work: str, sizes: Sizes, url: str, folder: Path) -> Callable[[], int]:
    """The work, ready to be done; it gives the rows that were loaded."""
    os.environ |= {
        "EXTRACT__WORKERS": f"{IN_FLIGHT}",
        "EXTRACT__MAX_PARALLEL_ITEMS": f"{4 * IN_FLIGHT}",
        "LOAD__WORKERS": "8",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    source = {STATSIG: _statsig, BENTO: _bento, AIRBRIDGE: _airbridge}[work](sizes, url)
    pipeline = dlt.pipeline(
        pipeline_name=work,
        destination=dlt.destinations.filesystem(bucket_url=folder.joinpath("lake").as_uri()),
        dataset_name="bench",
        pipelines_dir=str(folder / "pipelines"),
    )

    def run() -> int:
        pipeline.run(source, loader_file_format="parquet", write_disposition="append")
        files = folder.joinpath("lake").glob("bench/*/*.parquet")
        return sum(pq.read_metadata(file).num_rows for file in files if not file.parts[-2].startswith("_dlt"))

    return run


def _get(url: str, **params: Any) -> bytes:
    sent: bytes = requests.get(url, params=params, timeout=60).content
    return sent


def _named(tables: Any) -> Iterator[Any]:
    for table, content in tables.items():
        yield dlt.mark.with_table_name(_plain(content), table.name)


def _plain(content: pa.Table) -> pa.Table:
    """Without the descriptions of the columns, which dlt does not read."""
    return content.replace_schema_metadata(None)


def _statsig(sizes: Sizes, url: str) -> Any:
    seen_at = datetime.now(UTC)

    @dlt.resource(name="events")
    def events() -> Iterator[list[str]]:
        for name in sizes.event_names():
            yield [name]

    @dlt.transformer(data_from=events, name="event_metrics", parallelized=True)
    def pages(names: list[str]) -> Iterator[pa.Table]:
        for name in names:
            path = f"{url}/statsig/console/v1/events/{name}/metrics"
            bodies, page, more = [], 1, True
            while more:
                bodies.append((name, _get(path, limit=100, page=page)))
                more, page = bool(msgspec.json.decode(bodies[-1][1])["pagination"]["nextPage"]), page + 1
            yield _plain(metrics_of(bodies, sizes.metric_day(), seen_at))

    return pages


def _bento(sizes: Sizes, url: str) -> Any:
    spec = sizes.ads()

    @dlt.resource(name="asked")
    def asked() -> Iterator[list[tuple[date, dict[str, str]]]]:
        for day in sizes.bento_days():
            for query in spec.queries(day):
                yield [(day, query.params())]

    @dlt.transformer(data_from=asked, name="ads", parallelized=True)
    def answers(some: list[tuple[date, dict[str, str]]]) -> Iterator[Any]:
        for day, params in some:
            yield from _named(ads_of(day, [_get(f"{url}/bento/api/v1/stats/ads", **params)]))

    return answers


def _airbridge(sizes: Sizes, url: str) -> Any:
    spec = sizes.report()

    @dlt.resource(name="reports")
    def reports() -> Iterator[list[tuple[str, int]]]:
        for first, last in tasks(sizes.cohort_days(), each=WAITING.days_per_task):
            sent = requests.post(f"{url}{_TASK}", data=msgspec.json.encode(body(spec, first, last)), timeout=60).json()
            path = f"{url}{_TASK}/{sent['data']['taskId']}"
            while (head := PAGE.decode(_get(path, skip=0, size=1)).data).status != "SUCCESS":
                time.sleep(LOOK_S)
            for skip in range(0, head.metadata.total_count, WAITING.page_size):
                yield [(path, skip)]

    @dlt.transformer(data_from=reports, name="report", parallelized=True)
    def pages(some: list[tuple[str, int]]) -> Iterator[Any]:
        for path, skip in some:
            for day, groups in by_day([_get(path, skip=skip, size=WAITING.page_size)]).items():
                yield from _named(cohorts_of(day, groups, spec, APP.currency))

    return pages
