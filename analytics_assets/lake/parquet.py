"""How a day is written as Parquet: what costs least to write and to keep, for files of a day and a few columns.

Measured on days of all sources: dictionaries make files of this size larger and a third slower to write, since zstd finds what repeats by
itself; the least and greatest body of a raw day would be kept as statistics beside the column, several times its packed size. Below a few
KiB, setting up zstd costs more than it saves.
"""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

_SMALL: Final = 16 * 2**10


def parquet(content: pa.Table, metadata: Mapping[bytes, bytes] | None = None) -> pa.Buffer:
    """The file of a table; `metadata` is added to what its schema says of itself."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        content.replace_schema_metadata({**(content.schema.metadata or {}), **(metadata or {})}),
        sink,
        compression="snappy" if content.nbytes < _SMALL else "zstd",
        use_dictionary=False,
        # What no hash covers, such as when a day was read, is known to be as it was written too.
        write_page_checksum=True,
        write_statistics=[field.name for field in content.schema if not _is_document(field.type)],
    )
    return sink.getvalue()


def _is_document(kind: pa.DataType) -> bool:
    """True if nobody looks for a value of this type: texts kept as sent."""
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))
