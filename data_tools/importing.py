"""From groups of a photo and its sketches to the folders that the examples read."""

import contextlib
import errno
import functools
import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np

from data_tools import unpacking
from data_tools.groups import DataError, Group
from data_tools.naming import Names, printable, safe_name
from data_tools.notes import Notes
from data_tools.progress import Progress, quiet_decoders
from data_tools.target import Target, check_apart, read_json, write_json

from keras_cgan.data.images import ImageError, fit_image, write_image
from keras_cgan.data.scan import counted

_AT_ONCE = 4096  # groups handed to the threads: millions of strokes need not wait in memory
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNREADABLE = "images cannot be read (left out)"


class Findings:
    """What is left out of an import, by kind, in the order in which it was found.

    Args:
        root: The folder or file that is read: paths are shown from there. An archive's is removed in the end.
    """

    def __init__(self, root=None):
        folder = root.parent if root and root.is_file() else root
        self._prefix = f"{folder}{os.sep}" if root else ""
        self.names = {}

    def add(self, kind, what):
        """Records that something, a path or a text, is of a kind."""
        self.names.setdefault(kind, []).append(self.shown(what))

    def shown(self, what):
        """What is shown of a path or a text."""
        name = str(what).removeprefix(self._prefix)
        if self._prefix:
            name = name.replace(f"'{self._prefix}", "'")  # as errors of images quote it
        return printable(name)

    def lines(self, shown=5):
        """One line a kind: the count and the first few."""
        return counted(self.names, shown)


class Job(NamedTuple):
    """A group and where its images go: paths below the folder in the making."""

    group: Group
    photo: Path | None
    sketches: tuple


def run_import(importer, source, out, options, size=256, fit="pad", force=False, threads=None):
    """Reads a data set in its own layout and writes it in the project's.

    Args:
        importer: An `Importer`.
        source: The folder, file or archive.
        out: The folder to write: new, empty, or with an import that was stopped.
        options: The importer's own options, a dict that JSON can hold.
        size: Height and width of the images in pixels; 0 leaves each as it is.
        fit: How other proportions are brought to size: `"pad"` with white, `"crop"` or `"stretch"`.
        force: Whether an earlier import in `out` is replaced.
        threads: How many decode and write; by default as many as there are `cores`.

    Returns:
        The report, a dict: the settings, the set's licence where it is known, counts by split and class, what
        was left out, and what is odd about images that were not.

    Raises:
        DataError: The source or the folder is not as it must be, or no image is left.
        OSError: The disk is full, or something may not be read or written.
    """
    source, out = Path(source), Path(out)
    if not source.exists():
        raise DataError(f"there is no file or folder {source}")
    unpacking.check_kind(source)
    check_apart(source, out)
    settings = {
        "importer": importer.name,
        "source": str(source.resolve()),
        "size": size,
        "fit": fit,
        **options,
    }
    with Target(out, settings, force) as target:
        if target.is_moving():
            target.finish({})
        else:
            target.finish(_import_into(target, importer, source, options, settings, threads))
        return target.report()


def _import_into(target, importer, source, options, settings, threads):
    """Writes the images below `target.part`, and returns the report."""
    try:
        root = _opened(source, target)
        findings = Findings(root)
        jobs = _jobs(importer.find(root, options, findings), target.part)
        origins = _origins(jobs, root)
        _keep_made(target.part, origins)
        notes = Notes(target.part / _NOTES, settings["size"], settings["fit"])
        writer = _Writer(settings["size"], settings["fit"], origins, notes, findings.shown)
        written = _write(jobs, writer, findings, threads)
        if not written:
            left_out = "".join(f"\n    {line}" for line in findings.lines())
            raise DataError(
                f"there are no images for {importer.name} in {source}. It reads:\n{importer.layout}"
                + (f"\nLeft out:{left_out}" if left_out else "")
            )
    except DataError as error:
        target.give_up()
        # Where an archive was unpacked is gone: what was in it is named instead.
        raise DataError(str(error).replace(str(_unpacked(source, target)), str(source))) from error
    except OSError as error:
        if error.errno not in _FULL:  # where it is full, the same command goes on
            with contextlib.suppress(OSError):  # the first error is the one to tell
                target.give_up()
        raise
    _remove_others(target.part, {path for job in written for path in (job.photo, *job.sketches)})
    licence = {"licence": importer.licence} if importer.licence else {}
    found = {"left_out": findings.names, "noted": writer.noted(written)}
    return {"settings": settings, **licence, "counts": _counts(written), **found}


_UNPACKED = ".unpacked"
_ORIGINS = ".origins.json"
_NOTES = ".notes.jsonl"


def _unpacked(source, target):
    """Where an archive is unpacked: a folder of its name, in which some sets have their class."""
    return target.part / _UNPACKED / safe_name(unpacking.stem(source))


def _opened(source, target):
    """The folder to read: the source, or what is in its archive."""
    if not unpacking.is_archive(source):
        return source
    folder = _unpacked(source, target)
    done = target.part / ".unpacked.json"
    archive = {"archive": _stamp(source)}
    if read_json(done) != archive:
        target.clear()  # what was made of another archive of this name, or of half of this one
        unpacking.unpack(source, folder)
        write_json(done, archive)
    return folder


def _stamp(path):
    """Size and time of a file, which change with what is in it; `None` where it cannot be reached."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _jobs(groups, part):
    """Where everything goes; names are given in the order of the groups."""
    names = Names()
    jobs = []
    for group in groups:
        base = part / group.split if group.split else part
        class_folder = names.of_class(group.class_name)
        stem, stems = names.of_group((group.split, class_folder), group.name, len(group.sketches))
        photo = base / "photo" / class_folder / f"{stem}.png" if group.photo is not None else None
        sketches = tuple(base / "sketch" / class_folder / f"{name}.png" for name in stems)
        jobs.append(Job(group, photo, sketches))
    return jobs


def _origins(jobs, root):
    """What each image is made from, a dict of its path to a text: another where the source changes."""
    base = root.parent if root.is_file() else root

    @functools.cache  # a file may hold thousands of drawings
    def file(path):
        return os.path.relpath(path, base), _stamp(path)

    return {
        path: _digest(image._replace(path=file(image.path)))
        for job in jobs
        for image, path in zip((job.group.photo, *job.group.sketches), (job.photo, *job.sketches))
        if path is not None
    }


def _digest(image):
    return hashlib.sha256(repr(image).encode()).hexdigest()[:16]


def _keep_made(part, origins):
    """Removes what an earlier process made, but for the images of these origins, and stores the origins."""
    made = read_json(part / _ORIGINS) or {}
    named = {path.relative_to(part).as_posix(): origin for path, origin in origins.items()}
    _remove_others(part, {part / name for name, origin in named.items() if made.get(name) == origin})
    if made != named:  # only now: what is there is then of these origins, wherever the process is killed
        write_json(part / _ORIGINS, named)


def _remove_others(part, wanted):
    """Removes all images and folders but some, and what a process left in them as it was killed.

    Of links none stays, and none is followed: what they lead to is not the import's.
    """
    for folder in [path for path in part.iterdir() if not path.is_file() and path.name != _UNPACKED]:
        if folder.is_symlink():
            folder.unlink()
            continue
        for base, folders, files in os.walk(folder, topdown=False):
            links = [name for name in folders if os.path.islink(os.path.join(base, name))]
            for path in (Path(base, name) for name in (*links, *files)):
                if path not in wanted or path.is_symlink():
                    path.unlink()
            if not os.listdir(base):
                os.rmdir(base)


def _write(jobs, writer, findings, threads):
    """Writes the images of the jobs, and returns the jobs of which something was written."""
    what = "photos with their sketches" if any(job.photo for job in jobs) else "sketches"
    written = []
    # cv2 works without holding Python's lock.
    with quiet_decoders(), ThreadPoolExecutor(threads or cores()) as pool:
        progress = Progress(len(jobs), what)
        for begin in range(0, len(jobs), _AT_ONCE):
            some = jobs[begin : begin + _AT_ONCE]
            for job, problems in zip(some, pool.map(writer.write, some)):
                for problem in problems:
                    findings.add(UNREADABLE, problem)
                if any(path.exists() for path in job.sketches):
                    written.append(job)
                progress.add()
    return written


def cores():
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Writer(NamedTuple):
    """Brings the images of a job to size and writes them.

    Attributes:
        size, fit: As of `run_import`.
        origins: By path what each image is made from.
        notes: `Notes`. What is odd about an image or a pair is there before all of the group is written.
        shown: A function of an image that gives what is shown of it.
    """

    size: int
    fit: str
    origins: dict
    notes: Notes
    shown: Callable

    def write(self, job):
        """Writes what is not there yet; of a photo and its sketches neither without the other.

        Returns:
            What could not be read, a list of texts.
        """
        problems, photo, paths = [], job.group.photo, [path for path in (job.photo, *job.sketches) if path]
        if all(path.exists() for path in paths):
            return problems
        loaded = self._load(photo, job.photo, problems) if photo is not None else None
        if photo is not None and loaded is None:
            for path in paths:  # made before the photo changed
                path.unlink(missing_ok=True)
            return problems
        made = [
            self._write_sketch(job, image, path, loaded, problems)
            for image, path in zip(job.group.sketches, job.sketches)
        ]
        if loaded is not None and any(made):
            self._put(loaded, job.photo)
        elif loaded is not None:
            job.photo.unlink(missing_ok=True)
        return problems

    def _write_sketch(self, job, image, path, photo, problems):
        """Whether a sketch is there in the end."""
        loaded = self._load(image, path, problems)
        if loaded is None:
            path.unlink(missing_ok=True)
            return False
        if photo is not None:
            names = [self.shown(each) for each in (job.group.photo, image)]
            origins = [self.origins[each] for each in (job.photo, path)]
            self.notes.look_at_pair(origins, names, (photo.size, loaded.size))
        self._put(loaded, path)
        return True

    def _load(self, image, path, problems):
        """An image brought to size, or `None` where it cannot be read."""
        try:
            pixels = image.load()
            self.notes.look_at_image(self.origins[path], image, self.shown(image), pixels)
        except ImageError as error:
            problems.append(f"{image}: {error}" if str(image) not in str(error) else str(error))
            return None
        fitted = pixels[..., None] if pixels.ndim == 2 else pixels
        if self.size:
            fitted = fit_image(fitted, (self.size, self.size), self.fit)
        return _Loaded(fitted, pixels.shape[:2])

    def _put(self, loaded, path):
        if not path.exists():
            write_image(path, loaded.pixels)

    def noted(self, jobs):
        """What is odd about the images that were written, or their pairs: lists of names by text."""
        found = {}
        for job in jobs:
            photo = [self.origins[job.photo]] if job.photo else []
            sketches = [self.origins[path] for path in job.sketches if path.exists()]
            for origins in (photo, *([each] for each in sketches), *([*photo, each] for each in sketches)):
                for kind, name in self.notes.of(*origins):
                    found.setdefault(self.notes.text(kind), {})[name] = None  # of what is there twice, once
        return {text: list(names) for text, names in found.items()}


class _Loaded(NamedTuple):
    """The pixels to write, and the `(height, width)` that the image had."""

    pixels: np.ndarray
    size: tuple


def _counts(jobs):
    """Photos and sketches by split and class."""
    counts = {}
    for job in jobs:
        of_class = counts.setdefault(job.group.split or "all", {}).setdefault(
            job.sketches[0].parent.name, Counter()
        )
        of_class["photos"] += job.photo is not None
        of_class["sketches"] += sum(path.exists() for path in job.sketches)
    return counts


def explain(error, out=None):
    """A line for an error of the system, of a command that writes a folder or of one that does not."""
    if error.errno in _FULL:
        place, goes_on = (f" for {out}", ", and the same command goes on") if out else ("", "")
        return f"no space is left{place}: free some{goes_on} ({error})"
    return f"cannot read or write {error.filename or out or 'a file'}: {error.strerror or error}"
