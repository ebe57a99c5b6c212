"""A lake in a bucket, over an S3 server on the loopback: as a folder, but for its address."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from s3fs import S3FileSystem

from analytics_assets.errors import LakeError
from analytics_assets.lake.store import Lake
from analytics_assets.operations.verify.files import DamagedError, examine_file, inventory
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
    marks = bucket.marks("airbridge", "revenue")
    changed = land(bucket, row(campaign="other"))
    assert first.path == "s3://growth/lake/airbridge/revenue/dt=2026-03-01/data.parquet"
    assert (first.is_changed, again.is_changed, changed.is_changed) == (True, False, True)
    assert first.mark == again.mark == marks[DAY] != changed.mark
    assert bucket.marks("airbridge", "revenue") == {**marks, DAY: changed.mark}
    assert bucket.days("airbridge", "revenue") == [DAY, NEXT]
    assert bucket.read("airbridge", TABLE).to_pylist() == [row(campaign="other"), row(date=NEXT)]
    bucket.files.check_writable()
    assert [path for path in bucket.files.fs.find("growth") if "_probe" in path] == []


def test_a_bucket_that_is_not_there_is_told_in_our_words(bucket: Lake) -> None:
    """The path and the setting, and no traceback of the client."""
    with pytest.raises(LakeError, match=r"s3://nowhere/lake/_probe_\w+ cannot be written .* ANALYTICS_LAKE"):
        Lake("s3://nowhere/lake").files.check_writable()


def test_a_damaged_file_of_a_bucket_is_found_and_put_into_the_quarantine(bucket: Lake) -> None:
    """Its bytes are kept, and the day stands no more; what is whole is read to its end."""
    name = ("airbridge", TABLE.name)
    land(bucket, row())
    land(bucket, row(date=NEXT), day=NEXT)
    body = bucket.files.fs.cat_file(bucket.path(*name, DAY))
    bucket.files.put(bucket.path(*name, DAY), body[:-1])
    assert dict(inventory(bucket, {name: TABLE}).days) == {name: [DAY, NEXT]}
    with pytest.raises(DamagedError, match="it cannot be read to its end"):
        examine_file(bucket, name[0], TABLE, DAY, is_sandbox=False)
    assert examine_file(bucket, name[0], TABLE, NEXT, is_sandbox=False) == bucket.stored_day(*name, NEXT)
    kept = bucket.quarantine.take(*name, DAY, bucket.path(*name, DAY), seen_at=datetime(2026, 3, 10, 12, tzinfo=UTC))
    assert kept == "s3://growth/lake/_quarantine/airbridge/20260310-120000-revenue-2026-03-01.parquet"
    assert bucket.files.fs.cat_file(kept) == body[:-1]
    found = inventory(bucket, {name: TABLE})
    assert (dict(found.days), found.strangers, found.quarantined) == ({name: [NEXT]}, [], 1)
