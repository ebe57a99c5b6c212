"""What a snapshot is: something a vendor tells only as it stands now, read once per run and filed under the day it was seen.

A `Stream` (`stream.py`) asks a vendor for a past day; a snapshot cannot, because the vendor keeps no history of it. Its day is therefore
the day of the observation, the last reading of a day stands, and a day nobody looked at stays empty for ever.
Keep Dagster out of here (partitions and assets are made elsewhere) and vendors too (each source describes its own snapshots).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from analytics_assets.lake.raw import RawDay
from analytics_assets.lake.stream import Typed
from analytics_assets.lake.table import Table


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of one account.

    Attributes:
        account: Folder of the lake and first part of the asset keys.
        raw: Where answers are kept as sent.
        typed: What is made from them; may be empty.
        day_of: The calendar day an observation made at an instant belongs to, in the zone the vendor counts days.
        fetch: Reads what stands now, to be filed under the given day of observation.
        transform: A raw day to its typed tables, by name. Pure: the same raw day gives the same rows.
    """

    account: str
    raw: Table
    typed: Sequence[Table]
    day_of: Callable[[datetime], date]
    fetch: Callable[[date], Awaitable[RawDay]]
    transform: Callable[[date, pa.Table], Mapping[str, Typed]]
