"""What a person gets wrong is told in words, with the remedy, and never repeats a key."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from analytics_assets import BentoStats, StatsigMetrics
from analytics_assets.errors import AccessRefusedError, Evidence, PermanentError
from analytics_assets.lake.store import Lake
from analytics_assets.settings import secret
from analytics_assets.state.report_ledger import Ledger

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SCHEDULE = {"cron": "0 2 * * *", "lookback_days": 7, "days_per_run": 12}


@pytest.mark.parametrize(
    "load",
    [
        lambda: StatsigMetrics(key="console-marker-0815", schedule=SCHEDULE),
        lambda: BentoStats(keys={"secret": "console-marker-0815"}, schedule=SCHEDULE),
    ],
    ids=["Statsig", "Bento"],
)
def test_a_key_pasted_into_the_yaml_is_refused_and_not_repeated(load) -> None:
    """The classic slip: the key itself where the name of its variable belongs."""
    with pytest.raises(ValidationError) as caught:
        load()

    assert "this must be the NAME of an environment variable" in str(caught.value)
    assert "marker-0815" not in str(caught.value)


def test_a_key_where_a_variable_belongs_is_not_repeated_by_a_run_either() -> None:
    """A resource configured in code gets past the YAML's check, so the reader of the environment looks too."""
    with pytest.raises(AccessRefusedError) as caught:
        secret("console-marker-0815", {})

    assert str(caught.value) == (
        "The YAML holds something else than the name of an environment variable where a key's variable belongs. "
        "Write the name there, such as BENTO_SECRET_KEY."
    )


@pytest.mark.parametrize("root", ["nonsense://x", "no-such-kind://bucket/lake"])
def test_a_lake_of_no_known_kind_is_refused_by_name_of_its_setting(root: str) -> None:
    """The message names ANALYTICS_LAKE and the kind that is not known."""
    with pytest.raises(PermanentError, match="ANALYTICS_LAKE cannot be opened"):
        Lake(root)


def test_a_lake_that_cannot_be_written_says_where_and_which_setting(tmp_path: Path) -> None:
    """A file stands where the lake's folder belongs."""
    (tmp_path / "lake").write_text("no folder")
    lake = Lake(str(tmp_path / "lake"))

    with pytest.raises(PermanentError) as caught:
        lake.quarantine.keep("bento", Evidence("GET /x", body="x"), seen_at=NOW)

    assert "cannot be written" in str(caught.value)
    assert "Check ANALYTICS_LAKE, its rights and its space." in str(caught.value)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    """The message names ANALYTICS_STATE and not SQLAlchemy's trace."""
    path = tmp_path / "state.db"
    path.write_bytes(os.urandom(4096))

    with pytest.raises(PermanentError) as caught:
        Ledger(f"sqlite:///{path}")

    assert str(caught.value) == (
        "The state database of ANALYTICS_STATE cannot be used (DatabaseError). Check that it is a database of this project "
        "and can be reached."
    )


def test_a_closed_request_gives_nobody_the_right_to_post(tmp_path: Path) -> None:
    """A report changed in the YAML closes its requests; a run that still holds one may not request it again."""
    ledger = Ledger(f"sqlite:///{tmp_path}/state.db")
    [request] = ledger.join_or_open("airbridge", "revenue", "old", [date(2026, 3, 1)], longest=92, now=NOW)
    assert ledger.lease(request.id, "run", seconds=60, now=NOW)

    ledger.supersede("airbridge", "revenue", but="new", now=NOW)

    assert not ledger.lease(request.id, "run", seconds=60, now=NOW + timedelta(seconds=1))
