"""Photo/sketch pairs from a folder of image files."""

import numbers
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from keras_cgan.data import images, scan
from keras_cgan.data.pairs import Pairs

UNREADABLE = "files cannot be decoded (their pairs are left out)"
# Scanners and JPEG tint grey strokes a little: channels must be this far apart, in this share of the pixels.
_COLOUR_DIFFERENCE = 32
_COLOUR_SHARE = 0.001


class FolderPairs(Pairs):
    """Pairs in `<root>/<split>/{photo,sketch}/<class>/<name>.<ext>`, one for each sketch.

    A sketch belongs to the photo of the same name, or is one of several: `<name>-1.png`, `<name>-2.png`.
    Extensions may differ. Without split folders, or with `train` alone, a test share of the *photos* of each
    class is held out, so that no photo has sketches on both sides; `split_note` then says so. Files that are
    left out or converted are counted and named by a `DataWarning`, and so is a sketch `a-1` that may be of a
    photo `a-1`, which it is taken for, or one of several of a photo `a`; only hidden files and folders,
    `Thumbs.db`, `desktop.ini` and `__MACOSX` are passed over quietly.

    Args:
        root: The folder.
        split: `"train"`, `"test"`, or any other split folder there is.
        class_names: The classes in the order of the one-hot columns. By default the sorted names of the class
            folders of all splits.
        photo_channels: 3 for RGB, 1 for grey.
        sketch_channels: 1 for grey, 3 for RGB.
        fit: How other proportions are brought to size: `"pad"`, `"stretch"` or `"crop"` (see `fit_image`).
        test_share: Share of the photos held out where the folder has no test split of its own, in [0, 1).
        seed: Integer that chooses which photos are held out.
        check: Whether to decode every file once now, in threads. Without it, a damaged file is found only
            when it is loaded (an `ImageError`), and conversions of grey and colour are not reported.

    Attributes:
        labels, class_names, names: As in `Pairs`; a name is `"class/sketch-stem"`.
        photo_paths, sketch_paths: One path a pair.
        photo_ids: One integer a pair, the same for all the sketches of one photo.
        split_note: None, or a sentence about how train and test were parted.

    Raises:
        FileNotFoundError: If there is no folder `root`.
        ValueError: If the layout is another, a class is unknown, two images of a folder have one name but for
            the extension, or no pair is left.

    Example:
        >>> pairs = FolderPairs("my_pairs", split="train")
        >>> photo, sketch = pairs.load(0, image_size=(64, 64))
    """

    def __init__(
        self,
        root,
        split="train",
        class_names=None,
        photo_channels=3,
        sketch_channels=1,
        fit="pad",
        test_share=0.2,
        seed=0,
        check=True,
    ):
        images.check_channels("photo_channels", photo_channels)
        images.check_channels("sketch_channels", sketch_channels)
        if fit not in images.FITS:
            raise ValueError(f"`fit` must be one of {images.FITS}. Received: fit={fit!r}")
        if not (isinstance(test_share, numbers.Real) and 0 <= test_share < 1):
            raise ValueError(f"`test_share` must be in [0, 1). Received: test_share={test_share!r}")
        self.root, self.split, self.fit = Path(root), split, fit
        self.photo_channels, self.sketch_channels = photo_channels, sketch_channels
        self.split_note = None

        base, unparted = scan.find_base(self.root, split)
        class_names = _class_names(self.root, class_names)
        findings = scan.Findings(self.root)
        by_class = [_pairs_of_class(base, name, findings) for name in class_names]
        _note_loose_files(base, findings)
        if unparted:
            by_class = self._part(base, by_class, test_share, seed)
        if check:
            by_class = _without_damaged(by_class, (photo_channels, sketch_channels), findings)
        for name, pairs in zip(class_names, by_class):
            if not pairs:
                findings.add(f"classes have no pair in split {split!r}", name)
        if not any(by_class):
            found = "".join(f"\n    {line}" for line in findings.lines()) or " no class folders"
            raise ValueError(
                f"There are no pairs in split {split!r} of {root}. {scan.LAYOUT}\nFound:{found}\n"
                f"Received: root={str(root)!r}, split={split!r}"
            )
        findings.warn(stacklevel=2)
        if self.split_note and base != self.root:  # a folder named train, and yet not all of it is trained on
            warnings.warn(self.split_note, scan.DataWarning, stacklevel=2)

        pairs = [pair for of_class in by_class for pair in of_class]
        self.photo_paths = tuple(photo for photo, _ in pairs)
        self.sketch_paths = tuple(sketch for _, sketch in pairs)
        ids = {path: number for number, path in enumerate(dict.fromkeys(self.photo_paths))}
        super().__init__(
            labels=np.repeat(np.arange(len(class_names)), [len(of_class) for of_class in by_class]),
            class_names=class_names,
            names=[f"{path.parent.name}/{path.stem}" for path in self.sketch_paths],
            photo_ids=[ids[path] for path in self.photo_paths],
        )

    def load(self, index, image_size):
        """One pair as uint8 arrays at `image_size`, `(height, width)` in pixels (see `Pairs.load`)."""
        photo = images.read_image(self.photo_paths[index], self.photo_channels)
        sketch = images.read_image(self.sketch_paths[index], self.sketch_channels)
        return images.fit_image(photo, image_size, self.fit), images.fit_image(sketch, image_size, self.fit)

    def _part(self, base, by_class, test_share, seed):
        if self.split == "test" and test_share == 0:
            raise ValueError(
                f"`test_share` must be above 0, for {self.root} has no test split of its own. "
                f"Received: test_share={test_share!r}"
            )
        parted = []
        for pairs in by_class:
            test = scan.held_out([photo for photo, _ in pairs], test_share, seed)
            parted.append([pair for pair in pairs if (pair[0] in test) == (self.split == "test")])
        if test_share:
            self.split_note = (
                f"{self.root} has no test split of its own: {test_share:.0%} of the photos of each class in "
                f"{base} are held out as 'test' (seed {seed}), and 'train' is the rest."
            )
        return parted


def _class_names(root, class_names):
    folders = scan.class_folders(root)
    if class_names is None:
        return folders
    if isinstance(class_names, str) or not class_names or len(set(class_names)) != len(class_names):
        raise ValueError(f"`class_names` must be unique names. Received: class_names={class_names!r}")
    unknown = sorted(set(folders) - set(class_names))
    if unknown:
        raise ValueError(
            f"{root} has class folders {unknown} that are not among `class_names`. "
            f"Received: class_names={list(class_names)}"
        )
    return list(class_names)


def _pairs_of_class(base, name, findings):
    photos, sketches = (scan.images_by_stem(base / side / name, findings) for side in scan.SIDES)
    return scan.match(photos, sketches, findings)


def _note_loose_files(base, findings):
    for side in scan.SIDES:
        for path in scan.entries(base / side)[1]:
            findings.add("files outside of a class folder (not read)", path)


def _without_damaged(by_class, channels, findings):
    """Decodes every file once and records what is damaged or has other channels than asked."""
    wanted = {}
    for pairs in by_class:
        for pair in pairs:
            wanted.update(zip(pair, zip(scan.SIDES, channels)))
    with ThreadPoolExecutor() as pool:  # cv2 decodes without holding Python's lock
        remarks = dict(zip(wanted, pool.map(lambda item: _remark(item[0], *item[1]), wanted.items())))
    for path, remark in remarks.items():
        if remark:
            findings.add(remark, path)
    return [[pair for pair in pairs if UNREADABLE not in map(remarks.get, pair)] for pairs in by_class]


def _remark(path, side, channels):
    try:
        return channel_remark(images.decode_image(path), side, channels)
    except images.ImageError:
        return UNREADABLE


def channel_remark(image, kind, channels):
    """What a decoded image (`kind` of file) becomes with 1 or 3 channels, if that changes it; or None."""
    if image.ndim == 2 and channels == 3:
        return f"{kind} files are grey (repeated over 3 channels)"
    if image.ndim == 3 and channels == 1 and _is_coloured(image):
        return f"{kind} files are coloured (made grey)"
    return None


def _is_coloured(image):
    red, green, blue = cv2.split(image)
    apart = cv2.max(cv2.absdiff(red, green), cv2.absdiff(green, blue))
    return np.mean(apart > _COLOUR_DIFFERENCE) > _COLOUR_SHARE
