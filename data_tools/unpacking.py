"""Archives, unpacked where they can do no harm."""

import bz2
import errno
import gzip
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from data_tools.groups import DataError
from data_tools.naming import printable
from data_tools.progress import Progress

MOST_BYTES = 200 * 2**30
MOST_FILES = 5_000_000
MOST_RATIO = 200  # images hardly shrink; text such as ndjson shrinks tenfold
MOST_DEPTH = 64  # of folders in folders
_FREE_BYTES = 2**27  # what any archive may unpack to
_BLOCK = 2**20
_MOST_AT_ONCE = 2**24  # a tar's header may say that gigabytes of it follow, which tarfile reads at once
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_OTHER_ENDINGS = tuple(".7z .rar .zst .tzst .lz .lz4 .gz .bz2 .tbz .tbz2 .xz .txz".split())
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_DRIVE = re.compile("[A-Za-z]:")
# What the readers of archives raise for damaged ones: they were not written with these in mind.
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    LookupError,
    ValueError,
)


def is_archive(path):
    """Whether a file is named as an archive that `unpack` takes."""
    return path.is_file() and path.name.lower().endswith(ENDINGS)


def stem(archive):
    """The name of a file without the ending of an archive."""
    ending = next((ending for ending in ENDINGS if archive.name.lower().endswith(ending)), "")
    return archive.name[: len(archive.name) - len(ending)]


def check_kind(path):
    """Raises a `DataError` for a file that is named as an archive of a kind that `unpack` does not take."""
    if path.is_file() and path.name.lower().endswith(_OTHER_ENDINGS) and not is_archive(path):
        raise DataError(
            f"archives must be {', '.join(ENDINGS)}; others must be unpacked first. Received: {path}"
        )


def unpack(archive, folder, most_bytes=MOST_BYTES, most_files=MOST_FILES, most_ratio=MOST_RATIO):
    """Unpacks a zip or tar archive into a new folder.

    Only plain files and folders are made, all of them below `folder`, with neither the archive's rights nor
    its owners.

    Args:
        archive: The file.
        folder: A folder that does not exist yet.
        most_bytes, most_files: What the archive may unpack to.
        most_ratio: How many times its own size it may unpack to, where that is more than 128 MB.

    Raises:
        DataError: It is damaged or encrypted, goes beyond a limit, or has an entry outside of it, a link or a
            device.
        OSError: The disk is full, or something may not be read or written.

    Example:

    >>> unpack("sketchy.zip", "unpacked")
    """
    archive, folder = Path(archive), Path(folder)
    left = _Left(archive, min(most_bytes, max(_FREE_BYTES, most_ratio * archive.stat().st_size)), most_files)
    folder.mkdir(parents=True)
    try:
        with open(archive, "rb") as file:
            _unpack(archive, file, folder, left)
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(f"{archive} is damaged, or not an archive of this kind: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{archive} has two entries of one name: {Path(error.filename).name}") from error
    except OSError as error:
        # Decompressors raise it without a number for damaged data; a full disk has one.
        if error.errno is None:
            raise DataError(f"{archive} is damaged: {error}") from error
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise DataError(f"{archive} has a name that this system does not take: {error}") from error
        raise


def _unpack(archive, file, folder, left):
    entries = _zip_entries if archive.name.lower().endswith(".zip") else _tar_entries
    shown = _Shown(archive, file)
    for name, opened in entries(archive, file, left):
        path = folder / _inside(archive, name)
        if opened is None:
            _make_folders(path, folder, left)
        else:
            _make_folders(path.parent, folder, left)
            left.take_file()
            with opened() as source, open(path, "xb") as target:
                _copy(source, target, left, shown)
    shown.end()


class _Left:
    """What an archive may still unpack to."""

    def __init__(self, archive, most_bytes, most_files):
        self.archive, self._most_bytes, self._most_files = archive, most_bytes, most_files
        self._bytes = self._files = 0

    def take_bytes(self, count):
        self._bytes += count
        self.check_bytes(self._bytes)

    def check_bytes(self, count):
        if count > self._most_bytes:
            raise DataError(
                f"{self.archive} would unpack to more than {self._most_bytes // 2**20} MB: it may be a bomb"
            )

    def take_file(self):
        self._files += 1
        if self._files > self._most_files:
            raise DataError(f"{self.archive} must hold at most {self._most_files} files and folders")


class _Shown:
    """Shows how much of an archive is read."""

    def __init__(self, archive, file):
        self._file, self._done, self._total = file, 0, archive.stat().st_size // 2**20
        self._progress = Progress(self._total, f"MB of {printable(archive.name)} unpacked")

    def update(self):
        self._show(self._file.tell() // 2**20)

    def end(self):
        self._show(self._total)

    def _show(self, megabytes):
        if megabytes > self._done:
            self._progress.add(megabytes - self._done)
            self._done = megabytes


def _zip_entries(archive, file, left):
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            if stat.S_ISLNK(info.external_attr >> 16):
                raise DataError(f"{archive} must hold no links. Received: {info.filename!r}")
            if info.flag_bits & 1:
                raise DataError(f"{archive} must not be encrypted. Received: {info.filename!r}")
            yield info.filename, None if info.is_dir() else (lambda: opened.open(info))


def _tar_entries(archive, file, left):
    with _decompressed(file) as stream:
        watched = _Watched(stream, left)
        with tarfile.open(fileobj=watched, mode="r:") as opened:
            for info in opened:
                if not (info.isfile() or info.isdir()):
                    raise DataError(
                        f"{archive} must hold files and folders alone, no links or devices. "
                        f"Received: {info.name!r}"
                    )
                yield info.name, None if info.isdir() else (lambda: opened.extractfile(info))
                opened.members.clear()  # of millions of files
        if watched.last.strip(b"\0") or not watched.last:  # tarfile takes it for whole
            raise DataError(f"{archive} is damaged: it ends too early")


def _decompressed(file):
    begin = file.read(6)
    file.seek(0)
    opener = next((opener for magic, opener in _COMPRESSED.items() if begin.startswith(magic)), None)
    return opener(file, "rb") if opener else file


class _Watched:
    """A stream of which tarfile may read and skip no more than an archive may unpack to.

    What it skips is decompressed as well, and what is in its own headers it holds in memory.

    Attributes:
        last: The bytes that were read last: at the end of a whole archive, zeros.
    """

    def __init__(self, stream, left):
        self._stream, self._left = stream, left
        self.last = b""

    def read(self, count):
        if count > _MOST_AT_ONCE:
            raise DataError(f"{self._left.archive} has a header of {count // 2**20} MB: it may be a bomb")
        self._left.check_bytes(self.tell() + count)
        self.last = self._stream.read(count)
        return self.last

    def seek(self, place):
        self._left.check_bytes(place)
        return self._stream.seek(place)

    def tell(self):
        return self._stream.tell()


def _inside(archive, name):
    """The path of an entry below the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or _DRIVE.match(str(path))
    if outside or "\0" in name:
        raise DataError(f"{archive} must hold nothing outside of itself. Received: {name!r}")
    if len(path.parts) > MOST_DEPTH:
        raise DataError(
            f"{archive} must hold at most {MOST_DEPTH} folders in folders. "
            f"Received: {len(path.parts)}, {name[:60]!r}..."
        )
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise DataError(f"{archive} has a name that is no text. Received: {name!r}") from error
    return path


def _make_folders(path, folder, left):
    """Makes a folder and those that it is in, each of which counts as a file."""
    if path != folder and not path.is_dir():
        _make_folders(path.parent, folder, left)
        left.take_file()
        path.mkdir()


def _copy(source, target, left, shown):
    while block := source.read(_BLOCK):
        left.take_bytes(len(block))
        target.write(block)
        shown.update()
