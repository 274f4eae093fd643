"""Archives, unpacked where they can do no harm."""

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from data_tools.groups import DataError

MOST_BYTES = 200 * 2**30
MOST_FILES = 5_000_000
MOST_RATIO = 200  # images hardly shrink; text such as ndjson shrinks tenfold
_FREE_BYTES = 2**27  # what any archive may unpack to
_BLOCK = 2**20
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_archive(path):
    """Whether a file is named as an archive that `unpack` takes."""
    return path.is_file() and path.name.lower().endswith(ENDINGS)


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

    Example:

    >>> unpack("sketchy.zip", "unpacked")
    """
    archive, folder = Path(archive), Path(folder)
    most = min(most_bytes, max(_FREE_BYTES, most_ratio * archive.stat().st_size))
    left = {"bytes": most, "files": most_files}
    folder.mkdir(parents=True)
    entries = _zip_entries if archive.name.lower().endswith(".zip") else _tar_entries
    try:
        for name, opened in entries(archive):
            path = folder / _inside(archive, name)
            left["files"] -= 1
            if left["files"] < 0:
                raise DataError(f"{archive} must hold at most {most_files} files and folders")
            if opened is None:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened() as source, open(path, "xb") as target:
                    _copy(source, target, left, archive, most)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{archive} is damaged, or not an archive of this kind: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{archive} has two entries of one name: {Path(error.filename).name}") from error
    except DataError:
        raise
    except OSError as error:
        # Decompressors raise it without a number for damaged data; a full disk has one.
        if error.errno is None:
            raise DataError(f"{archive} is damaged: {error}") from error
        raise


def _zip_entries(archive):
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if stat.S_ISLNK(info.external_attr >> 16):
                raise DataError(f"{archive} must hold no links. Received: {info.filename!r}")
            if info.flag_bits & 1:
                raise DataError(f"{archive} must not be encrypted. Received: {info.filename!r}")
            yield info.filename, None if info.is_dir() else (lambda: opened.open(info))


def _tar_entries(archive):
    with tarfile.open(archive) as opened:
        for info in opened:
            if not (info.isfile() or info.isdir()):
                raise DataError(
                    f"{archive} must hold files and folders alone, no links or devices. "
                    f"Received: {info.name!r}"
                )
            yield info.name, None if info.isdir() else (lambda: opened.extractfile(info))


def _inside(archive, name):
    """The path of an entry below the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]
    if outside or "\0" in name:
        raise DataError(f"{archive} must hold nothing outside of itself. Received: {name!r}")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise DataError(f"{archive} has a name that is no text. Received: {name!r}") from error
    return path


def _copy(source, target, left, archive, most):
    while block := source.read(_BLOCK):
        left["bytes"] -= len(block)
        if left["bytes"] < 0:
            raise DataError(f"{archive} would unpack to more than {most // 2**20} MB: it may be a bomb")
        target.write(block)


def remove(folder):
    """Removes what `unpack` made."""
    shutil.rmtree(folder, ignore_errors=True)
