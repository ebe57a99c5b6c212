"""The identity of a lake: a small file in its root, which the state database and Dagster's history know it by.

A folder without it may be the empty place of a mount that is gone, and one with another identity is another lake; nothing is written to either.
The file travels with the lake, so a lake that is moved or restored whole stays the same one.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from analytics_assets.errors import LakeError
from analytics_assets.lake.files import Files

FILE: Final = "_lake.json"
ACCEPT: Final = "analytics-assets lake accept"


class Known(msgspec.Struct, frozen=True):
    """A lake as something outside of it knows it.

    Attributes:
        lake: Its identity.
        address: Where it was when it became known.
    """

    lake: str
    address: str


class _Content(msgspec.Struct, frozen=True):
    lake: str


def read_identity(files: Files) -> str | None:
    """The identity of the lake at this place; None where there is no file of one.

    Raises:
        LakeError: The lake cannot be read, or the file holds something else.
    """
    path = f"{files.root}/{FILE}"
    try:
        with files.opened(path) as file:
            body = file.read()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(body, type=_Content).lake
    except msgspec.MsgspecError as error:
        raise LakeError(
            f"{files.named(path)} does not hold the identity of a lake.",
            remedy=f"Restore it from a back-up, or remove it and run `{ACCEPT}`.",
        ) from error


def create_identity(files: Files) -> str:
    """The identity of the lake, created where it has none; of two processes that create one, both get the same.

    Raises:
        LakeError: The lake cannot be written.
    """
    content = msgspec.json.encode(_Content(uuid.uuid4().hex))
    files.create(f"{files.root}/{FILE}", content + b"\n")
    identity = read_identity(files)
    if identity is None:
        raise LakeError(f"{files.named(files.root)} lost a file that was just written.", remedy="Check ANALYTICS_LAKE.")
    return identity


def refuse_another(
    files: Files, present: str | None, known: Mapping[str, Known | None], *, accept: str = ACCEPT
) -> None:
    """Sees that everything that knows a lake knows the one at this place.

    Args:
        files: The files of the lake.
        present: Its identity; None where it has none.
        known: By what knows it, as a subject of a sentence, the lake it knows.
        accept: The command that accepts it.

    Raises:
        LakeError: The lake is not there, or is another one.
    """
    for subject, lake in known.items():
        if lake is None or lake.lake == present:
            continue
        where = files.named(files.root)
        if present is None:
            raise LakeError(
                f"The lake is not at {where}: {subject} knows lake {lake.lake[:8]} from {lake.address}, and there is no {FILE}. Nothing was "
                "read or written.",
                remedy=f"Mount the disk or share that it is on, or set ANALYTICS_LAKE to where it was moved; only if a new lake is to "
                f"begin here, run `{accept}`.",
            )
        raise LakeError(
            f"{where} is lake {present[:8]}, and {subject} belongs to lake {lake.lake[:8]} from {lake.address}: it tells of days whose files "
            "are elsewhere. Nothing was read or written.",
            remedy=f"Set ANALYTICS_MODE, ANALYTICS_LAKE, ANALYTICS_STATE and DAGSTER_HOME to what belongs "
            f"together; only if this lake is the right one from now on, run `{accept}` and then `analytics-assets lake verify`.",
        )


@dataclass
class Guard:
    """Lets writes through to one lake, and to no other one that appears at its place.

    Attributes:
        files: The files of the lake.
        identity: Its identity; None until the first write creates it.
        remember: Called with an identity that was created.
    """

    files: Files
    identity: str | None
    remember: Callable[[str], None]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self) -> None:
        """Called before each write.

        Raises:
            LakeError: The lake is not there any more, or is another one.
        """
        if self.identity is None:
            with self._lock:
                if self.identity is None:
                    created = create_identity(self.files)
                    self.remember(created)
                    self.identity = created
        elif self.files.is_local and (present := read_identity(self.files)) != self.identity:
            seen = f"another lake, {present[:8]}, is there" if present else f"there is no {FILE} any more"
            raise LakeError(
                f"The lake at {self.files.root} is gone: {seen}. Nothing was written.",
                remedy="See that its disk or share is mounted, then re-execute from failure.",
            )
