"""A folder of pairs as a few large files: `python -m data_tools shards <folder> --out <folder>`."""

import argparse
import contextlib
import errno
import json
import os
import warnings
import zlib
from pathlib import Path

from data_tools.groups import DataError
from data_tools.importers.importer import positive
from data_tools.naming import printable
from data_tools.progress import Progress, quiet_decoders
from data_tools.streams import complain, say
from data_tools.target import Target, check_apart

from keras_cgan.data import DataWarning, FolderPairs, scan
from keras_cgan.data.images import ImageError, read_bytes
from keras_cgan.data.shards import FOOTER_BYTES, HEADER_BYTES, INDEX, is_sharded
from keras_cgan.startup import start_tensorflow


def add_parser(commands):
    """Adds the command to the others."""
    command = commands.add_parser(
        "shards",
        help="a folder of pairs as a few large TFRecord files, which the examples read as well",
        description="Copies a folder of pairs, byte by byte, into a few large TFRecord files.",
        epilog="example:\n    python -m data_tools shards my_pairs --out my_shards",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("source", help="folder of pairs, as the examples read it")
    command.add_argument("--out", required=True, help="new folder to write")
    command.add_argument(
        "--megabytes", type=positive, default=256, help="of a file, about (default: %(default)s)"
    )
    command.add_argument("--force", action="store_true", help="replace earlier shards in --out")
    command.set_defaults(run=run)


def run(options):
    """Writes the shards of all splits.

    Args:
        options: What `add_parser` reads.

    Returns:
        The exit code, 0.

    Raises:
        DataError: The source or `--out` is not as it must be.
        OSError: The disk is full, or something may not be read or written.
    """
    source, out = Path(options.source), Path(options.out)
    if not source.is_dir():
        raise DataError(f"there is no folder {source}")
    if is_sharded(source):
        raise DataError(f"the source must be a folder of pairs. Received: {source}, which holds shards")
    check_apart(source, out)
    settings = {"command": "shards", "source": str(source.resolve()), "megabytes": options.megabytes}
    with Target(out, settings, options.force) as target:
        if target.is_moving():
            target.finish({})
        else:
            target.finish({"settings": settings, **_write(source, target, options.megabytes * 2**20)})
        counts = target.report()["pairs"]
    made = ", ".join(f"{count} pairs to {split}" for split, count in counts.items())
    say(printable(f"made {out}: {made}"))
    return 0


def _write(source, target, shard_bytes):
    """Writes all splits; what an earlier process wrote of them is written anew."""
    target.clear()
    try:
        splits, notes = _open(source)
    except ValueError as error:
        target.give_up()
        raise DataError(str(error)) from error
    for note in notes:
        complain(printable(note))
    start_tensorflow()
    for split, pairs in splits.items():
        write_split(pairs, target.part / split, shard_bytes)
    return {"pairs": {split: len(pairs) for split, pairs in splits.items()}, "notes": notes}


def _open(source):
    """The `FolderPairs` of each split, a dict, and what was left out of them, texts."""
    names = scan.split_names(source)
    if not names or names == ["train"]:
        names = ["train", "test"]  # which are parted there
    with quiet_decoders(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        splits = {split: FolderPairs(source, split) for split in names}
    return splits, list(dict.fromkeys(str(warning.message) for warning in caught))


def write_split(pairs, folder, shard_bytes):
    """Writes the pairs of one split, and an index of them.

    Args:
        pairs: A `FolderPairs`.
        folder: Where to, the path of a folder that does not exist yet.
        shard_bytes: A file ends when it has as many bytes.

    Raises:
        OSError: The disk is full, or something may not be read or written.

    Example:

    >>> write_split(FolderPairs("my_pairs", "test"), Path("my_shards/test"), 2**28)
    """
    folder.mkdir(parents=True)
    by_photo = {}
    for index, photo in enumerate(pairs.photo_ids):
        by_photo.setdefault(photo, []).append(index)
    progress = Progress(len(by_photo), "photos with their sketches")
    files, records, places = [], [], {}
    with contextlib.ExitStack() as opened:
        writer, end = None, 0
        for indices in by_photo.values():
            example = _example(pairs, indices)
            if writer is None or end >= shard_bytes:
                opened.close()
                files.append(f"{len(files):05d}.tfrecord")
                writer, end = opened.enter_context(_writer(folder / files[-1])), 0
            writer.write(example)
            begin, end = end, end + HEADER_BYTES + len(example) + FOOTER_BYTES
            places |= {index: (len(records), place) for place, index in enumerate(indices)}
            records.append([len(files) - 1, begin, end, zlib.crc32(example)])
            progress.add()
    index = {
        "class_names": pairs.class_names,
        "split_note": pairs.split_note,
        "files": files,
        "records": records,
        "pairs": [
            [*places[number], int(pairs.labels[number]), path.stem]
            for number, path in enumerate(pairs.sketch_paths)
        ],
    }
    # In ASCII: names of files may hold bytes that are no text.
    (folder / INDEX).write_text(json.dumps(index), encoding="ascii")


@contextlib.contextmanager
def _writer(path):
    """A writer of records, whose errors are those of the system."""
    import tensorflow as tf

    try:
        with tf.io.TFRecordWriter(os.fsencode(path)) as writer:
            yield writer
    except tf.errors.OpError as error:
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        raise OSError(errno.ENOSPC if full else errno.EIO, error.message, str(path)) from error


def _example(pairs, indices):
    """A photo with its sketches as the bytes of a `tf.train.Example`."""
    import tensorflow as tf

    def feature(*values):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    photo = pairs.photo_paths[indices[0]]
    try:
        images = [read_bytes(path) for path in (photo, *(pairs.sketch_paths[index] for index in indices))]
    except ImageError as error:  # gone, or another file, since the folder was looked through
        raise DataError(str(error)) from error
    features = {
        "photo": feature(images[0]),
        "sketch": feature(*images[1:]),
        "class": feature(os.fsencode(photo.parent.name)),
        "name": feature(os.fsencode(photo.stem)),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
