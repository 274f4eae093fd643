"""Class images from a folder of image files."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_cgan.data import images, scan
from keras_cgan.data.class_images import ClassImages, check_class_count
from keras_cgan.data.folder import channel_remark

LAYOUT = """Expected one of:
    <root>/<class>/<name>.png                        (a test share of each class is held out)
    <root>/{train,test}/<class>/<name>.png
    <root>/{train,test}/sketch/<class>/<name>.png    (the pair layout, with photos or without)
    <root>/sketch/<class>/<name>.png"""
UNREADABLE = "files cannot be decoded (left out)"
_SPLITS = ("train", "test")


def folder_images(root, image_size, channels, fit, test_share, seed):
    """The train and the test images of a folder.

    Files that are left out or converted are counted and named by a `DataWarning`.

    Args:
        root: The folder, as a path, laid out as `open_images` describes it.
        image_size, channels, fit, test_share, seed: As in `open_images`.

    Returns:
        `(train, test)`, each a `ClassImages`.

    Raises:
        ValueError: The folder is laid out in another way, holds fewer than two classes, or leaves no image to
            train or to test on.

    Example:

    >>> train, test = folder_images(Path("my_sketches"), (64, 64), 1, "pad", 0.2, 0)
    """
    bases = _find_bases(root)
    findings = scan.Findings(root)
    class_names = sorted({folder.name for base in bases for folder in scan.entries(base)[0]})
    for base in bases:
        for path in scan.entries(base)[1]:
            findings.add("files outside of a class folder (not read)", path)
    check_class_count(class_names, root, hint=f"{LAYOUT}\n")
    parts = [
        [list(scan.images_by_stem(base / name, findings).values()) for name in class_names] for base in bases
    ]
    if len(parts) == 1:
        parts = _parted(parts[0], test_share, seed)
    sets = [_read(part, image_size, channels, fit, findings) for part in parts]
    for split, by_class in zip(_SPLITS, sets):
        for name, found in zip(class_names, by_class):
            if not found:
                findings.add(f"classes have no image in {split!r}", name)
        if not any(by_class):
            lines = "".join(f"\n    {line}" for line in findings.lines())
            raise ValueError(
                f"There are no images to {split} on. {LAYOUT}\nFound:{lines}\nReceived: source={str(root)!r}"
            )
    # To whoever called `open_images`.
    findings.warn(stacklevel=3)
    if len(bases) == 1 and "train" in bases[0].relative_to(root).parts:
        warnings.warn(
            f"{root} has no test split of its own: {test_share:.0%} of the images of each class in train are "
            f"held out (seed {seed}).",
            scan.DataWarning,
            stacklevel=3,
        )
    return tuple(_as_class_images(by_class, class_names) for by_class in sets)


def _find_bases(root):
    """The folders that hold the class folders: one for train and one for test, or one for both."""
    folders = {folder.name: folder for folder in scan.entries(root)[0]}
    splits = [name for name in _SPLITS if name in folders]
    if not splits:
        return [folders.get("sketch", root)]
    others = [name for name in folders if name not in splits]
    paired = {(folders[name] / "sketch").is_dir() for name in splits}
    unclear = "train" not in splits or "sketch" in folders or (others and "test" not in splits)
    if unclear or len(paired) > 1:
        raise ValueError(
            f"It cannot be told what in {root} is to train and what to test on. {LAYOUT}\n"
            f"Found: {sorted(folders)}. Received: source={str(root)!r}"
        )
    return [folders[name] / "sketch" if paired == {True} else folders[name] for name in splits]


def _parted(by_class, test_share, seed):
    held_out = [scan.held_out(paths, test_share, seed) for paths in by_class]
    return [
        [[path for path in paths if (path in test) == is_test] for paths, test in zip(by_class, held_out)]
        for is_test in (False, True)
    ]


def _read(by_class, image_size, channels, fit, findings):
    """For each class a list of `(path, uint8 image)`; what cannot be decoded is recorded and left out."""

    def read(path):
        try:
            image = images.decode_image(path)
        except images.ImageError:
            return path, None, UNREADABLE
        remark = channel_remark(image, "image", channels)
        return path, images.fit_image(images.to_channels(image, channels), image_size, fit), remark

    with ThreadPoolExecutor() as pool:  # cv2 decodes without holding Python's lock
        read_by_class = [list(pool.map(read, paths)) for paths in by_class]
    for path, _, remark in (item for items in read_by_class for item in items):
        if remark:
            findings.add(remark, path)
    return [[(path, image) for path, image, _ in items if image is not None] for items in read_by_class]


def _as_class_images(by_class, class_names):
    labels = np.repeat(np.eye(len(class_names), dtype="float32"), [len(found) for found in by_class], axis=0)
    found = [item for items in by_class for item in items]
    names = [f"{path.parent.name}/{path.stem}" for path, _ in found]
    return ClassImages(np.stack([image for _, image in found]), labels, class_names, names)
