"""Files of a lake on a disk: written under another name, synced and renamed; and the lock of a folder.

A renamed file can be empty after a power cut unless its bytes were synced before, and its name can be gone unless the folder was synced after.
Syncs of one day run at once: a journaling file system then commits once for all of them (ext4, 2026-11-30: 0.7 ms a file, one after the
other 6 ms).
"""

import errno
import fcntl
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from analytics_assets.errors import PermanentError, TransientError
from analytics_assets.lake.listing import files_on_disk

PROBE: Final = "_probe"
_ASIDE = re.compile(r"_[0-9a-f]{32}\.tmp")
_AT_ONCE: Final = 8
_PAUSE_S: Final = 0.01
# What file systems without locks say, as some network shares do, and NFS of the lock of a folder.
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.EINVAL, errno.ENOSYS}


@contextmanager
def written_aside(target: Path, *, inside: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file to write to beside its target, under a name that readers ignore; an error removes it.

    Raises:
        PermanentError: A symbolic link leads out of the folder `inside`.
    """
    aside = target.with_name(f"_{uuid.uuid4().hex}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(inside.resolve()):
        raise PermanentError(
            f"{target} would be written outside of the lake, where a symbolic link leads.",
            remedy="Take the link away, or set ANALYTICS_LAKE to the folder it leads to.",
        )
    try:
        with aside.open("wb") as file:
            yield file, aside
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def folders_to_sync(targets: Iterable[Path], *, inside: Path) -> set[Path]:
    """The folders whose entries name files that are about to be put in place: their own, and those above a file that is new."""
    found: set[Path] = set()
    for target in targets:
        found.add(target.parent)
        if not target.exists():
            found.update(one for one in target.parents if one == inside or one.is_relative_to(inside))
    return found


def synced(paths: Iterable[Path], sync: Callable[[int], Any]) -> None:
    """Syncs files and folders, all at once."""
    wanted = list(paths)
    if len(wanted) == 1:
        _sync(wanted[0], sync)
        return
    if not wanted:
        return
    for _ in _pool(os.getpid()).map(lambda path: _sync(path, sync), wanted):
        pass


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    """Threads of this process; a forked one has none of its parent's."""
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="lake-sync")


def _sync(path: Path, sync: Callable[[int], Any]) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        sync(opened)
    finally:
        os.close(opened)


@contextmanager
def locked(folder: Path, *, wait_s: float) -> Iterator[None]:
    """Holds the lock of a folder. It ends with the process, also when that is killed; a file system without locks is used without.

    Raises:
        TransientError: Another process has held the lock for `wait_s` seconds.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        _lock(opened, folder, wait_s)
        try:
            yield
        finally:
            # A process forked meanwhile holds the file open too, and closing it here alone would leave the lock to that process.
            with suppress(OSError):
                fcntl.flock(opened, fcntl.LOCK_UN)
    finally:
        os.close(opened)


def _lock(opened: int, folder: Path, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TransientError(
                    f"Another process has been replacing a file of {folder} for {wait_s:.0f} s.",
                    remedy="Continue or end that process (it may be stopped), then materialize the day again.",
                ) from None
            time.sleep(_PAUSE_S)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return
        else:
            return


def create(target: Path, content: bytes, *, inside: Path, sync: Callable[[int], Any]) -> None:
    """Puts a file in place in one step and syncs it; raises `FileExistsError` if there is one."""
    with written_aside(target, inside=inside) as (file, aside):
        file.write(content)
        file.flush()
        synced([aside], sync)
        folders = folders_to_sync([target], inside=inside)
        try:
            # A rename would replace a file; a link does not.
            target.hardlink_to(aside)
        except FileExistsError:
            raise
        except OSError:
            # Some shares have no links.
            with target.open("xb") as created:
                created.write(content)
            synced([target], sync)
        synced(folders, sync)
    aside.unlink(missing_ok=True)


def is_leftover(name: str) -> bool:
    """True if only a writer that was killed, or is at work, has a file of this name."""
    return _ASIDE.fullmatch(name) is not None or name.startswith(f"{PROBE}_")


def swept(folder: str, *, before: datetime) -> list[str]:
    """Removes what writers that were killed before then left aside; returns the paths."""
    removed = []
    for left in files_on_disk(folder):
        if is_leftover(left.name):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < before.timestamp():
                    left.unlink()
                    removed.append(str(left))
    return removed
