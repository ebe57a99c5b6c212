"""Binds the state database and Dagster's history to one lake, so that no run, tick or check goes on over another one.

The history keeps the identity among the cursors of Dagster's daemons, which every kind of storage has: that of ANALYTICS_LAKE, and by its
address that of each lake that code names, as an asset does that reads the tables of another deployment.
"""

from collections.abc import Collection, Mapping
from datetime import date
from functools import partial
from typing import Final

import dagster as dg
import msgspec

from analytics_assets.lake.files import Files
from analytics_assets.lake.footer import Footer
from analytics_assets.lake.identity import ACCEPT, Guard, Known, create_identity, read_identity, refuse_another
from analytics_assets.lake.store import Lake
from analytics_assets.state.confirmations import Confirmation, ConfirmationLog
from analytics_assets.state.lakes import known_lake, remember_lake

_KEY: Final = "analytics_assets/lake"


class StateConfirmations:
    """The confirmations of a lake's raw days, stored in a state database under the identity of the lake."""

    def __init__(self, files: Files, state: str) -> None:
        """Reads and writes nothing yet: a new lake gets its identity at the first write."""
        self._files, self._state = files, state
        self._log: ConfirmationLog | None = None

    def read(self, account: str, table: str, days: Collection[date]) -> Mapping[date, Footer]:
        """The confirmations of some days; none for a lake without an identity."""
        if self._log is None and (identity := read_identity(self._files)) is not None:
            self._log = ConfirmationLog(self._state, identity)
        rows = {} if self._log is None else self._log.read(account, table, days)
        return {
            day: Footer(row.content_hash, row.request_hash, row.attempt_group, row.requested_at, row.is_sandbox)
            for day, row in rows.items()
        }

    def write(self, account: str, table: str, day: date, footer: Footer) -> None:
        """Records the request in the footer of a raw day that equals the stored one."""
        if footer.requested_at is None:
            return
        self._log = self._log or ConfirmationLog(self._state, create_identity(self._files))
        row = Confirmation(
            footer.content_hash, footer.request_hash, footer.is_sandbox, footer.requested_at, footer.attempt_group
        )
        self._log.write(account, table, day, row)


def bind(lake: Lake, *, state: str | None, instance: dg.DagsterInstance | None, is_named: bool = False) -> None:
    """Sees that a lake is the one that is known, and that only this one is written to.

    A lake that neither knows, new or of an earlier version, gets its identity at the first write. A moved lake keeps its own.

    Args:
        lake: The lake.
        state: The state database, where the lake is the one of its setting.
        instance: Where Dagster's history is.
        is_named: True if code names the lake, in place of ANALYTICS_LAKE.

    Raises:
        LakeError: The lake is not there, or is another one.
    """
    identity = known_identity(lake, state=state, instance=instance, is_named=is_named)
    remember = partial(_remember, lake, state=state, instance=instance, is_named=is_named)
    if identity is not None:
        remember(identity)
    lake.files.before_write = Guard(lake.files, identity, remember).check


def known_identity(
    lake: Lake, *, state: str | None, instance: dg.DagsterInstance | None, is_named: bool = False
) -> str | None:
    """The identity of a lake that is the known one, or None for one that is still to begin; nothing is written. Raises as `bind`."""
    present = read_identity(lake.files)
    in_state = known_lake(state) if state is not None else None
    identities = {
        "the state database": Known(*in_state) if in_state else None,
        "Dagster's history": None
        if instance is None
        else lake_of_history(instance, lake.files.address if is_named else None),
    }
    refuse_another(lake.files, present, identities, accept=f"{ACCEPT} {lake.files.address}" if is_named else ACCEPT)
    return present


def accept(lake: Lake, *, state: str | None, instance: dg.DagsterInstance) -> str:
    """Makes this lake the one that the state database and the history belong to, whatever they belonged to; returns its identity.

    Without a state database it is a lake that code names.

    Raises:
        LakeError: The lake cannot be read or written.
    """
    identity = create_identity(lake.files)
    if state is not None:
        remember_lake(state, identity, lake.files.address, is_accepted=True)
    _set(instance, Known(identity, lake.files.address), None if state is not None else lake.files.address)
    return identity


def lake_of_history(instance: dg.DagsterInstance, address: str | None = None) -> Known | None:
    """The lake whose days a history shows, or the one that code names by an address; None where it has not been bound yet."""
    key = _key(address)
    value = instance.daemon_cursor_storage.get_cursor_values({key}).get(key)
    return None if value is None else msgspec.json.decode(value, type=Known)


def _remember(
    lake: Lake, identity: str, *, state: str | None, instance: dg.DagsterInstance | None, is_named: bool
) -> None:
    if state is not None and known_lake(state) is None:
        remember_lake(state, identity, lake.files.address)
    address = lake.files.address if is_named else None
    if instance is not None and lake_of_history(instance, address) is None:
        _set(instance, Known(identity, lake.files.address), address)


def _set(instance: dg.DagsterInstance, identity: Known, address: str | None) -> None:
    instance.daemon_cursor_storage.set_cursor_values({_key(address): msgspec.json.encode(identity).decode()})


def _key(address: str | None) -> str:
    return _KEY if address is None else f"{_KEY} {address}"
