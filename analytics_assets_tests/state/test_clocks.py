"""Machines that share a state database have one clock, or are told so."""

from datetime import timedelta

import pytest

from analytics_assets.clock import utc_now
from analytics_assets.errors import PermanentError
from analytics_assets.state.database import engine
from analytics_assets_tests.production.parts import Postgres


@pytest.mark.parametrize(("shift", "words"), [(3600, "3600 s ahead of"), (-3600, "3600 s behind")])
def test_a_machine_whose_clock_is_an_hour_off_is_refused(server: Postgres, shift: int, words: str) -> None:
    """It would take over leases that others hold, and forget what they have spent; the message says by how much, and what to do."""
    with pytest.raises(PermanentError) as refused:
        engine(server.database(), lambda: utc_now() + timedelta(seconds=shift))
    assert str(refused.value) == (
        f"The clock of this machine is {words} that of the state database. Report tasks, budgets and the ends of days are reckoned with "
        "it: set both by NTP, then start again."
    )


@pytest.mark.parametrize("shift", [-30, 0, 30])
def test_half_a_minute_is_borne(server: Postgres, shift: int) -> None:
    """A lease is longer than that."""
    url = server.database()
    made = engine(url, lambda: utc_now() + timedelta(seconds=shift))
    with made.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM schema_version").scalar_one() == 1
    made.dispose()
