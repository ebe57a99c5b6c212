"""A lake in a bucket, over an S3 server on the loopback: as a folder, but for its address."""

from collections.abc import Iterator

import boto3
import pytest

from analytics_assets.errors import LakeError
from analytics_assets.lake.store import Lake
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
