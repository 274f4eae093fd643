"""Photo/sketch pairs from a few large TFRecord files: for many pairs, on disks slow to open files."""

import json
import zlib
from pathlib import Path
from typing import NamedTuple

from keras_cgan.checks import check_choice
from keras_cgan.data import images
from keras_cgan.data.pairs import Pairs

INDEX = "shards.json"
# Of a TFRecord: a record's length and its checksum come before it, another checksum after it.
HEADER_BYTES, FOOTER_BYTES = 12, 4


class ShardPairs(Pairs):
    """Pairs in `<root>/<split>/*.tfrecord`, as `python -m data_tools shards` writes them.

    They are the pairs that `FolderPairs` reads from the folder that the shards were made of, in the same
    order. A record is a `tf.train.Example` of a photo and all its sketches, as the bytes of image files:
    `photo`, `sketch`, `class`, `name`. `<root>/<split>/shards.json` says where each is, so that one is read
    without the others, in any order.

    Args:
        root: The folder.
        split: `"train"`, `"test"`, or any other split there is.
        class_names: The classes in the order of the one-hot columns, those of the shards. By default in
            their order there, which is sorted.
        photo_channels: 3 for RGB, 1 for grey.
        sketch_channels: 1 for grey, 3 for RGB.
        fit: How other proportions are brought to size: `"pad"`, `"stretch"` or `"crop"` (see `fit_image`).

    Attributes:
        labels, class_names, names, photo_ids, split_note: As in `FolderPairs`.

    Raises:
        FileNotFoundError: There are no such shards.
        ValueError: An argument is not one of those allowed, or a file is not as the index says.

    Example:

    >>> pairs = ShardPairs("my_shards", split="train")
    >>> photo, sketch = pairs.load(0, image_size=(64, 64))
    """

    def __init__(self, root, split="train", class_names=None, photo_channels=3, sketch_channels=1, fit="pad"):
        images.check_channels("photo_channels", photo_channels)
        images.check_channels("sketch_channels", sketch_channels)
        check_choice("fit", fit, images.FITS)
        self.root, self.split, self.fit = Path(root), split, fit
        self.photo_channels, self.sketch_channels = photo_channels, sketch_channels
        path = self.root / split / INDEX
        index = _read_index(path)
        _check_files(index)
        self._records, self.split_note = index.records, index.split_note
        class_names, pairs = _in_order(path, index, class_names)
        # A pair is a sketch: the number of its record, and its own in it.
        self._places = [(record, place) for record, place, *_ in pairs]
        ids = {record: number for number, record in enumerate(dict.fromkeys(record for record, *_ in pairs))}
        super().__init__(
            labels=[label for *_, label, _ in pairs],
            class_names=class_names,
            names=[f"{class_names[label]}/{stem}" for *_, label, stem in pairs],
            photo_ids=[ids[record] for record, *_ in pairs],
        )

    def load(self, index, image_size):
        """One pair as uint8 arrays at `image_size`, `(height, width)` in pixels (see `Pairs.load`)."""
        record, place = self._places[index]
        sides = (self.photo_channels, self.sketch_channels)
        where = f"{self._records[record].path}, {self.names[index]}"
        return tuple(
            images.fit_image(
                images.to_channels(images.decode_bytes(data, where), channels), image_size, self.fit
            )
            for data, channels in zip(self._files(record, place), sides)
        )

    def _files(self, record, place):
        """The bytes of the photo's file and of a sketch's."""
        # Here, as reading a folder needs no TensorFlow.
        import tensorflow as tf
        from google.protobuf.message import DecodeError

        path, begin, _, _ = self._records[record]
        data = _read_record(*self._records[record])
        try:
            features = tf.train.Example.FromString(data).features.feature
            return features["photo"].bytes_list.value[0], features["sketch"].bytes_list.value[place]
        except (DecodeError, IndexError) as error:
            raise images.ImageError(
                f"{path} must hold a photo and its sketches at byte {begin}, as its {INDEX} says. "
                f"Received: {error}"
            ) from error


class Record(NamedTuple):
    """Where a record is: its file, the bytes of it all there, and `zlib.crc32` of what is in it."""

    path: Path
    begin: int
    end: int
    checksum: int


class Index(NamedTuple):
    """What an index file says.

    Attributes:
        class_names: A list of texts.
        records: A list of `Record`.
        pairs: A list of `(record, place, label, stem)`: the number of the record, that of the sketch in it,
            that of the class, and the name of the sketch's file.
        split_note: As in `FolderPairs`.
    """

    class_names: list
    records: list
    pairs: list
    split_note: str | None


def is_sharded(root):
    """Whether a folder holds shards to train on."""
    return (Path(root) / "train" / INDEX).is_file()


def _read_index(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"`root` must be a folder of shards, and `split` one of its folders. Received: no file {path}"
        )
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        class_names, files, note = index["class_names"], index["files"], index["split_note"]
        if (
            not _are_names(class_names)
            or not _are_names(files)
            or not (note is None or isinstance(note, str))
        ):
            raise ValueError("names that are none, or not unique")
        records = _records(path.parent, files, index["records"])
        pairs = [tuple(pair) for pair in index["pairs"]]
        for record, place, label, stem in pairs:
            _check_below(len(records), record)
            _check_below(len(class_names), label)
            _check_below(None, place)
            if not isinstance(stem, str):
                raise TypeError(f"a name {stem!r}")
        if not pairs:
            raise ValueError("no pairs")
        return Index(class_names, records, pairs, note)
    except KeyError as error:
        raise ValueError(f"{path} must be the index of shards. Received: one without {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} must be the index of shards. Received: {error}") from error


def _are_names(names):
    """Whether something is a list of different names of files or folders, in the folder that it is about."""
    return (
        isinstance(names, list)
        and all(isinstance(name, str) and Path(name).name == name for name in names)
        and len(set(names)) == len(names)
    )


def _records(folder, files, rows):
    """The records, each of which begins where the one before it in its file ends."""
    ends, records = [0] * len(files), []
    for file, begin, end, checksum in rows:
        _check_below(len(files), file)
        _check_below(2**32, checksum)
        _check_below(None, end)
        _check_below(end, begin)
        if begin != ends[file] or end - begin < HEADER_BYTES + FOOTER_BYTES:
            raise ValueError(
                f"a record from byte {begin} to byte {end}, where {ends[file]} bytes are before it"
            )
        ends[file] = end
        records.append(Record(folder / files[file], begin, end, checksum))
    return records


def _check_below(limit, value):
    if type(value) is not int or value < 0 or (limit is not None and value >= limit):
        raise ValueError(f"the number {value!r}" + ("" if limit is None else f", of {limit}"))


def _check_files(index):
    sizes = {record.path: record.end for record in index.records}
    for path, size in sizes.items():
        there = path.stat().st_size if path.is_file() else None
        if there != size:
            raise ValueError(
                f"{path} must have {size} bytes, as its {INDEX} says: it is damaged, or not copied as a "
                f"whole. Received: {'no such file' if there is None else f'{there} bytes'}"
            )


def _in_order(path, index, class_names):
    """The names of the classes and the pairs, in the order of these names."""
    if class_names is None:
        return index.class_names, index.pairs
    if isinstance(class_names, str) or len(set(class_names)) != len(class_names):
        raise ValueError(f"`class_names` must be unique names. Received: class_names={class_names!r}")
    if apart := sorted(set(class_names) ^ set(index.class_names)):
        raise ValueError(
            f"`class_names` must be the classes of {path}, in any order: not so are {apart}. "
            f"Received: class_names={list(class_names)}"
        )
    labels = [list(class_names).index(name) for name in index.class_names]
    pairs = [(record, place, labels[label], stem) for record, place, label, stem in index.pairs]
    return list(class_names), sorted(pairs, key=lambda pair: pair[2])


def _read_record(path, begin, end, checksum):
    """The bytes in a record."""
    try:
        with open(path, "rb") as file:
            file.seek(begin + HEADER_BYTES)
            data = file.read(end - begin - HEADER_BYTES - FOOTER_BYTES)
    except OSError as error:
        raise images.ImageError(f"Cannot read {str(path)!r}: {error}") from error
    if zlib.crc32(data) != checksum:
        raise images.ImageError(
            f"{path} is damaged at byte {begin}, or not the file that its {INDEX} is of. "
            f"Received: checksum {zlib.crc32(data)}, for {checksum}"
        )
    return data
