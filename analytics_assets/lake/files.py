"""Files of the lake, in a folder or a bucket: read, promoted whole, listed, and swept of what killed writers left.

A file appears in one step or not at all. In a folder it is written aside, under a name no reader requests, synced and renamed (`disk.py`); a
bucket shows an object only when its upload is complete.
What is in a file is `store.py`'s; keep tables and Parquet out of here.
"""

import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from analytics_assets.errors import LakeError, PermanentError, SourceError
from analytics_assets.lake import disk
from analytics_assets.lake.listing import ListedFile, files_on_disk, listed_file, mark_of
from analytics_assets.places import address, lake_place, unknown_place

_NAME = re.compile(r"[^\W_][\w-]*")
LOCK_WAIT_S: Final = 30.0
# A full disk still takes an empty file.
_PROBED_BYTES: Final = 65_536
_UNREACHED: Final = "Check that the bucket of ANALYTICS_LAKE can be reached from here."


@dataclass(frozen=True)
class Staged:
    """Files that are complete and not visible yet; both raise `LakeError`, and an existing file stays then.

    Attributes:
        publish: Puts a file in place in one step.
        sync: Returns when the disk has the files that were put in place, so that a power cut takes none of them away.
    """

    publish: Callable[[str], None]
    sync: Callable[[], None]


class Files:
    """One folder or bucket."""

    def __init__(self, root: str) -> None:
        """Opens a local path or an fsspec URL; nothing is read or written yet.

        Raises:
            PermanentError: The URL is of no known kind, or what opens it is not installed.
        """
        place = lake_place(root, Path.cwd(), setting="The lake")
        try:
            # Other processes store days too, so no listing is remembered.
            self.fs, self.root = fsspec.core.url_to_fs(place, use_listings_cache=False)
        except ValueError as error:
            raise unknown_place(error) from error
        except ImportError as error:
            raise PermanentError(
                f"ANALYTICS_LAKE cannot be opened: {error}.",
                remedy="A bucket needs its extra: pip install 'analytics_assets[s3]'.",
            ) from error
        self.is_local = isinstance(self.fs, LocalFileSystem)
        self.address = address(place)
        self.before_write: Callable[[], None] | None = None
        self.lock_wait_s, self.fsync = LOCK_WAIT_S, os.fsync

    def named(self, path: str) -> str:
        """The path as other programs are given it: with the scheme where it is in a bucket."""
        return path if self.is_local else str(self.fs.unstrip_protocol(path))

    def listed_file(self, path: str) -> ListedFile:
        """What a listing says of one file; raises `FileNotFoundError` where there is none, and `LakeError`."""
        with self.errors_of(path, "read"):
            if not self.is_local:
                about = self.fs.info(path)
                return ListedFile(int(about["size"]), mark_of(about))
            if (listed := listed_file(Path(path))) is None:
                raise FileNotFoundError(path)
            return listed

    def mark(self, path: str) -> str | None:
        """What a file is known by (`ListedFile.mark`); None where there is none; raises `LakeError`."""
        try:
            return self.listed_file(path).mark
        except FileNotFoundError:
            return None

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[bytes]]:
        """A file to read from; raises `FileNotFoundError` where there is none, and `LakeError`."""
        with self.errors_of(path, "read"), self.fs.open(path, "rb") as file:
            yield file

    def under(self, folder: str) -> list[PurePosixPath]:
        """All files in and below a folder; none where there is no such folder.

        Raises:
            LakeError: Something there cannot be listed; nothing is passed over.
        """
        with self.errors_of(folder, "listed"):
            return [PurePosixPath(path) for path in (files_on_disk(folder) if self.is_local else self.fs.find(folder))]

    def listed(self, folder: str) -> dict[PurePosixPath, ListedFile]:
        """As `under`, each file with what the listing says of it."""
        with self.errors_of(folder, "listed"):
            if self.is_local:
                return {
                    PurePosixPath(path): one for path in files_on_disk(folder) if (one := listed_file(path)) is not None
                }
            found = self.fs.find(folder, detail=True)
            return {
                PurePosixPath(path): ListedFile(int(about["size"]), mark_of(about)) for path, about in found.items()
            }

    @contextmanager
    def staged(self, contents: Mapping[str, bytes | pa.Buffer]) -> Iterator[Staged]:
        """Files to be put in place one after the other, by path. On a disk they are written aside and synced; what is left is removed.

        Raises:
            LakeError: They cannot be written.
        """
        self._check_place()
        asides: dict[str, Path] = {}
        try:
            for path, content in contents.items() if self.is_local else ():
                with self.errors_of(path, "written"), disk.written_aside(Path(path), inside=Path(self.root)) as opened:
                    file, asides[path] = opened
                    file.write(content)
            if asides:
                with self.errors_of(next(iter(asides)), "written"):
                    disk.synced(asides.values(), self.fsync)
            folders = disk.folders_to_sync(map(Path, asides), inside=Path(self.root))

            def publish(path: str) -> None:
                with self.errors_of(path, "written"):
                    if path in asides:
                        asides[path].replace(path)
                    else:
                        self.fs.pipe_file(path, bytes(contents[path]))

            def sync() -> None:
                with self.errors_of(self.root, "written"):
                    disk.synced(folders, self.fsync)

            yield Staged(publish, sync)
        finally:
            for aside in asides.values():
                aside.unlink(missing_ok=True)

    def put(self, path: str, content: bytes | pa.Buffer) -> None:
        """Puts a file in place in one step, and syncs it.

        Raises:
            LakeError: It cannot be written; what stood there stays.
        """
        with self.staged({path: content}) as staged:
            staged.publish(path)
            staged.sync()

    @contextmanager
    def locked(self, paths: Iterable[str]) -> Iterator[None]:
        """Holds the locks of the folders of some paths, which exist, in the order given; a bucket has no locks.

        Raises:
            TransientError: Another process holds one for too long.
        """
        with ExitStack() as held:
            for folder in dict.fromkeys(Path(path).parent for path in paths) if self.is_local else ():
                with self.errors_of(str(folder), "written"):
                    held.enter_context(disk.locked(folder, wait_s=self.lock_wait_s))
            yield

    def create(self, path: str, content: bytes) -> None:
        """Puts a file in place in one step and syncs it, unless there is one.

        Raises:
            LakeError: It cannot be written.
        """
        with self.errors_of(path, "written"), suppress(FileExistsError):
            if self.is_local:
                disk.create(Path(path), content, inside=Path(self.root), sync=self.fsync)
                return
            try:
                self.fs.pipe_file(path, content, mode="create")
            except (OSError, NotImplementedError, TypeError, ValueError):
                # Other servers than AWS may not know the condition, and have other errors for a file that exists.
                if not self.fs.exists(path):
                    self.fs.pipe_file(path, content)

    def remove(self, path: str) -> None:
        """Takes a file away; one that is not there is no error.

        Raises:
            LakeError: It cannot be removed.
        """
        self._check_place()
        with self.errors_of(path, "removed"), suppress(FileNotFoundError):
            self.fs.rm_file(path)

    def check_writable(self) -> None:
        """Writes and removes a file, so that nobody is requested what could not be kept.

        Raises:
            LakeError: The lake cannot be written.
        """
        path = f"{self.root}/{disk.PROBE}_{uuid.uuid4().hex}"
        self.put(path, bytes(_PROBED_BYTES))
        self.remove(path)

    def sweep(self, *, before: datetime) -> list[str]:
        """Removes what writers that were killed before then left aside; returns the paths.

        A bucket holds no such files: an upload that was not completed is no object.
        """
        return disk.swept(self.root, before=before) if self.is_local else []

    def put_aside(self, path: str, to: str) -> None:
        """Moves a file without reading it, as a damaged one may not be readable.

        Raises:
            LakeError: It cannot be moved; it stands where it stood.
        """
        self._check_place()
        with self.errors_of(path, "moved"):
            if self.is_local:
                Path(to).parent.mkdir(parents=True, exist_ok=True)
                Path(path).replace(to)
            else:
                self.fs.mv(path, to)

    def _check_place(self) -> None:
        if self.before_write is not None:
            self.before_write()

    @contextmanager
    def errors_of(self, path: str, done: str) -> Iterator[None]:
        """Says what cannot be done with which file, and what to look at."""
        try:
            yield
        except (SourceError, ValueError, LookupError):
            # What is wrong with a content is for its reader to say.
            raise
        except OSError as error:
            if isinstance(error, FileNotFoundError) and done == "read":
                # So is what it means that nothing stands there; a bucket that is written to has to be there.
                raise
            is_out_of_reach = not self.is_local and not isinstance(error, PermissionError)
            raise LakeError(
                f"{self.named(path)} cannot be {done} ({error.strerror or error}).",
                remedy=_UNREACHED if is_out_of_reach else "Check ANALYTICS_LAKE, its rights and its space.",
            ) from error
        except Exception as error:
            # Each bucket's client has exceptions of its own, which share no class; those of a folder are all OSError.
            if self.is_local:
                raise
            raise LakeError(
                f"{self.named(path)} cannot be {done} ({type(error).__name__}: {error}).", remedy=_UNREACHED
            ) from error


def folder_name(name: str) -> str:
    """The name of an account or a table, if it can be a folder of the lake.

    Raises:
        PermanentError: It would lead out of the lake, or be taken for something else.
    """
    if not _NAME.fullmatch(name):
        raise PermanentError(
            f"{name!r} cannot be a folder of the lake.",
            remedy="Use letters, digits, - and _, and begin with neither - nor _.",
        )
    return name
