"""A lake in a bucket, over an S3 server on the loopback: as a folder, but for its address."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pyarrow.parquet as pq
import pytest
from s3fs import S3FileSystem

from analytics_assets.errors import LakeError
from analytics_assets.lake.months import Day, copy_path, write_copy
from analytics_assets.lake.store import Lake
from analytics_assets.upkeep.months import keep_copies
from analytics_assets.verification.copies import examine_copy
from analytics_assets.verification.files import DamagedError, examined, inventory
from analytics_assets_tests.lake.sample import DAY, NEXT, TABLE, land, row
from analytics_assets_tests.production.parts import bucket_server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake in an empty bucket."""
    with bucket_server() as address:
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="growth")
        # Each test has a server of its own, and fsspec keeps the client of the last one.
        S3FileSystem.clear_instance_cache()
        yield Lake("s3://growth/lake")


def test_days_land_in_a_bucket_and_are_read_back(bucket: Lake) -> None:
    """An equal day is left as it is, another one takes its place; paths are as any reader names them."""
    first = land(bucket, row())
    again = land(bucket, row())
    land(bucket, row(date=NEXT), day=NEXT)
    changed = land(bucket, row(campaign="other"))
    assert first.path == "s3://growth/lake/airbridge/revenue/dt=2026-03-01/data.parquet"
    assert (first.is_changed, again.is_changed, changed.is_changed) == (True, False, True)
    assert bucket.days("airbridge", "revenue") == [DAY, NEXT]
    assert bucket.read("airbridge", TABLE).to_pylist() == [row(campaign="other"), row(date=NEXT)]
    bucket.files.probe()
    assert [path for path in bucket.files.fs.find("growth") if "_probe" in path] == []


def test_a_bucket_that_is_not_there_is_told_in_our_words(bucket: Lake) -> None:
    """The path and the setting, and no traceback of the client."""
    with pytest.raises(LakeError, match=r"s3://nowhere/lake/_probe_\w+ cannot be written .* ANALYTICS_LAKE"):
        Lake("s3://nowhere/lake").files.probe()


def test_a_damaged_file_of_a_bucket_is_found_and_put_into_the_quarantine(bucket: Lake) -> None:
    """Its bytes are kept, and the day stands no more; what is whole is read to its end."""
    name = ("airbridge", TABLE.name)
    land(bucket, row())
    land(bucket, row(date=NEXT), day=NEXT)
    body = bucket.files.fs.cat_file(bucket.path(*name, DAY))
    bucket.files.promote(bucket.path(*name, DAY), body[:-1])
    assert dict(inventory(bucket, {name: TABLE}).days) == {name: [DAY, NEXT]}
    with pytest.raises(DamagedError, match="it cannot be read to its end"):
        examined(bucket, name[0], TABLE, DAY, is_sandbox=False)
    assert examined(bucket, name[0], TABLE, NEXT, is_sandbox=False) == bucket.landed(*name, NEXT)
    kept = bucket.quarantine.take(*name, DAY, bucket.path(*name, DAY), seen_at=datetime(2026, 3, 10, 12, tzinfo=UTC))
    assert kept == "s3://growth/lake/_quarantine/airbridge/20260310-120000-revenue-2026-03-01.parquet"
    assert bucket.files.fs.cat_file(kept) == body[:-1]
    found = inventory(bucket, {name: TABLE})
    assert (dict(found.days), found.strangers, found.quarantined) == ({name: [NEXT]}, [], 1)


def test_months_are_copied_in_a_bucket_by_what_its_listing_says(bucket: Lake) -> None:
    """Made once, left as it is while its days are, made anew where one has changed, and removed with the last of them."""
    table = ("airbridge", TABLE.name)

    def keep() -> tuple[int, int, int]:
        done = keep_copies(bucket, {table: TABLE}, is_wanted=lambda _: True, is_sandbox=False, say=lambda _: None)
        return done.written, done.equal, done.removed

    def copied() -> list[object]:
        with bucket.files.opened(copy_path(bucket, *table, DAY)) as file:
            held: list[object] = pq.ParquetFile(file, page_checksum_verification=True).read().to_pylist()
            return held

    for day in (DAY, NEXT):
        land(bucket, row(date=day), day=day)
    assert keep() == (1, 0, 0)
    before = bucket.files.fs.find("growth", detail=True)
    assert (copied(), keep()) == ([row(), row(date=NEXT)], (0, 1, 0))
    assert bucket.files.fs.find("growth", detail=True) == before
    land(bucket, row(clicks=8))
    assert (keep(), copied()) == ((1, 0, 0), [row(clicks=8), row(date=NEXT)])
    examine_copy(bucket, table[0], TABLE, DAY, bucket.marks(*table), is_sandbox=False)
    assert inventory(bucket, {table: TABLE}).copies == {table: [DAY]}

    def cut_off() -> Iterator[Day]:
        yield Day(DAY, "version", "mark", TABLE.rows([row()]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_copy(bucket, table[0], TABLE, DAY, cut_off(), is_sandbox=False)
    assert copied() == [row(clicks=8), row(date=NEXT)]
    for day in (DAY, NEXT):
        bucket.files.remove(bucket.path(*table, day))
    assert (keep(), bucket.files.fs.find("growth")) == ((0, 0, 1), [])
