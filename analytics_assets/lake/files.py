"""Files of the lake, in a folder or a bucket: read, promoted whole, listed, and swept of what killed writers left.

A file appears in one step or not at all. In a folder it is written aside, under a name no reader asks for, and renamed; a bucket shows an
object only when its upload is complete. Of two writers of one file the later one stands, whole.
What is in a file is `store.py`'s; keep tables and Parquet out of here.
"""

import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from analytics_assets.errors import LakeError, PermanentError, SourceError
from analytics_assets.lake.listing import Listed, files_on_disk, listed_file, mark_of
from analytics_assets.places import address, lake_place, unknown_place

_ASIDE = re.compile(r"_[0-9a-f]{32}\.tmp")
_NAME = re.compile(r"[^\W_][\w-]*")
_PROBE: Final = "_probe"
# A full disk still takes an empty file.
_PROBED_BYTES: Final = 65_536
_UNREACHED: Final = "Check that the bucket of ANALYTICS_LAKE can be reached from here."


class Files:
    """One folder or bucket."""

    def __init__(self, root: str) -> None:
        """Opens a local path or an fsspec URL; nothing is read or written yet.

        Raises:
            PermanentError: The URL is of no known kind, or what opens it is not installed.
        """
        place = lake_place(root, Path.cwd(), setting="The lake")
        try:
            # Other processes land days too, so no listing is remembered.
            self.fs, self.root = fsspec.core.url_to_fs(place, use_listings_cache=False)
        except ValueError as error:
            raise PermanentError(unknown_place(error)) from error
        except ImportError as error:
            raise PermanentError(
                f"ANALYTICS_LAKE cannot be opened: {error}. A bucket needs its extra: pip install 'analytics_assets[s3]'."
            ) from error
        self.is_local = isinstance(self.fs, LocalFileSystem)
        self.address = address(place)
        self.before_write: Callable[[], None] | None = None

    def named(self, path: str) -> str:
        """The path as other programs are given it: with the scheme where it is in a bucket."""
        return path if self.is_local else str(self.fs.unstrip_protocol(path))

    def size(self, path: str) -> int:
        """Bytes of a file; raises `FileNotFoundError` where there is none, and `LakeError`."""
        with self._told(path, "read"):
            return int(self.fs.size(path))

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[bytes]]:
        """A file to read from; raises `FileNotFoundError` where there is none, and `LakeError`."""
        with self._told(path, "read"), self.fs.open(path, "rb") as file:
            yield file

    def under(self, folder: str) -> list[PurePosixPath]:
        """All files in and below a folder; none where there is no such folder.

        Raises:
            LakeError: Something there cannot be listed; nothing is passed over.
        """
        with self._told(folder, "listed"):
            return [PurePosixPath(path) for path in (files_on_disk(folder) if self.is_local else self.fs.find(folder))]

    def listed(self, folder: str) -> dict[PurePosixPath, Listed]:
        """As `under`, each file with what the listing says of it."""
        with self._told(folder, "listed"):
            if self.is_local:
                return {
                    PurePosixPath(path): one for path in files_on_disk(folder) if (one := listed_file(path)) is not None
                }
            found = self.fs.find(folder, detail=True)
            return {PurePosixPath(path): Listed(int(about["size"]), mark_of(about)) for path, about in found.items()}

    def promote(self, path: str, content: bytes | pa.Buffer) -> None:
        """Puts a file in place in one step.

        Raises:
            LakeError: It cannot be written; what stood there stays.
        """
        self._check_place()
        with self._told(path, "written"):
            if self.is_local:
                with _aside(Path(path), inside=Path(self.root)) as file:
                    file.write(content)
            else:
                self.fs.pipe_file(path, bytes(content))

    @contextmanager
    def written(self, path: str) -> Iterator[IO[bytes]]:
        """As `promote`, for what is too large to be held in memory: a file to write to, put in place when all of it is written.

        An error of the one who writes leaves what stood there.
        """
        self._check_place()
        if self.is_local:
            with self._told(path, "written"), _aside(Path(path), inside=Path(self.root)) as file:
                yield file
            return
        # An upload in parts that is given up half-way would become an object of half of them.
        try:
            with tempfile.NamedTemporaryFile() as whole:
                yield whole.file
                whole.flush()
                with self._told(path, "written"):
                    self.fs.put_file(whole.name, path)
        except OSError as error:
            raise LakeError(
                f"{self.named(path)} cannot be written: what is uploaded is put together in {tempfile.gettempdir()} first, and that fails "
                f"({error.strerror or error}). Free some space there, or set TMPDIR to another folder."
            ) from error

    def create(self, path: str, content: bytes) -> None:
        """Puts a file in place in one step, unless there is one.

        Raises:
            LakeError: It cannot be written.
        """
        with self._told(path, "written"), suppress(FileExistsError):
            if self.is_local:
                _create(Path(path), content)
            else:
                self.fs.pipe_file(path, content, mode="create")

    def remove(self, path: str) -> None:
        """Takes a file away; one that is not there is no error.

        Raises:
            LakeError: It cannot be removed.
        """
        self._check_place()
        with self._told(path, "removed"), suppress(FileNotFoundError):
            self.fs.rm_file(path)

    def probe(self) -> None:
        """Writes and removes a file, so that nobody is asked for what could not be kept.

        Raises:
            LakeError: The lake cannot be written.
        """
        path = f"{self.root}/{_PROBE}_{uuid.uuid4().hex}"
        self.promote(path, bytes(_PROBED_BYTES))
        self.remove(path)

    def sweep(self, *, before: datetime) -> list[str]:
        """Removes what writers that were killed before then left aside; returns the paths.

        A bucket holds no such files: an upload that was not completed is no object.
        """
        swept = []
        for path in self.under(self.root) if self.is_local else []:
            left = Path(path)
            if is_leftover(left.name):
                with suppress(FileNotFoundError):
                    if left.stat().st_mtime < before.timestamp():
                        left.unlink()
                        swept.append(str(left))
        return swept

    def put_aside(self, path: str, to: str) -> None:
        """Moves a file without reading it, as a damaged one may not be readable.

        Raises:
            LakeError: It cannot be moved; it stands where it stood.
        """
        self._check_place()
        with self._told(path, "moved"):
            if self.is_local:
                Path(to).parent.mkdir(parents=True, exist_ok=True)
                Path(path).replace(to)
            else:
                self.fs.mv(path, to)

    def _check_place(self) -> None:
        if self.before_write is not None:
            self.before_write()

    @contextmanager
    def _told(self, path: str, done: str) -> Iterator[None]:
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
            words = f"{self.named(path)} cannot be {done} ({error.strerror or error})."
            if not self.is_local and not isinstance(error, PermissionError):
                raise LakeError(f"{words} {_UNREACHED}") from error
            raise LakeError(f"{words} Check ANALYTICS_LAKE, its rights and its space.") from error
        except Exception as error:
            # Each bucket's client has exceptions of its own, which share no class; those of a folder are all OSError.
            if self.is_local:
                raise
            raise LakeError(
                f"{self.named(path)} cannot be {done} ({type(error).__name__}: {error}). {_UNREACHED}"
            ) from error


def is_leftover(name: str) -> bool:
    """Whether only a writer that was killed, or is at work, has a file of this name."""
    return _ASIDE.fullmatch(name) is not None or name.startswith(f"{_PROBE}_")


def folder_name(name: str) -> str:
    """The name of an account or a table, if it can be a folder of the lake.

    Raises:
        PermanentError: It would lead out of the lake, or be taken for something else.
    """
    if not _NAME.fullmatch(name):
        raise PermanentError(
            f"{name!r} cannot be a folder of the lake: use letters, digits, - and _, and begin with neither - nor _."
        )
    return name


def _create(target: Path, content: bytes) -> None:
    aside = target.with_name(f"_{uuid.uuid4().hex}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        aside.write_bytes(content)
        try:
            # A rename would replace a file; a link does not.
            target.hardlink_to(aside)
        except FileExistsError:
            raise
        except OSError:
            # Some shares have no links.
            with target.open("xb") as file:
                file.write(content)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _aside(target: Path, *, inside: Path) -> Iterator[IO[bytes]]:
    aside = target.with_name(f"_{uuid.uuid4().hex}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(inside.resolve()):
        raise PermanentError(
            f"{target} would be written outside of the lake, where a symbolic link leads. Take the link away, or set ANALYTICS_LAKE to the "
            "folder it leads to."
        )
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
