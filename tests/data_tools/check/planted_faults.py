"""Folders of drawn pairs, and one function for each fault that may be planted in a folder of pairs."""

import shutil
import struct
import zlib

import cv2
import numpy as np

from keras_cgan.data.images import decode_image, write_image

SIDE = 32
CLASSES = ("cat", "chair", "tree")


def draw_pair(number):
    """A photo of soft colours and a sketch of a few lines, unlike those of any other number."""
    rng = np.random.default_rng(number)
    blobs = rng.integers(0, 256, (5, 5, 3), np.uint8)
    photo = cv2.resize(blobs, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    sketch = np.full((SIDE, SIDE), 255, np.uint8)
    points = rng.integers(3, SIDE - 3, (6, 1, 2)).astype(np.int32)
    return photo, cv2.polylines(sketch, [points], False, 0, 1, cv2.LINE_AA)


def draw_folder(root, train=18, test=4, classes=CLASSES, splits=True):
    """Writes a folder of pairs without a fault; without splits all are in one."""
    number = 0
    for split, count in (("train", train), ("test", test)):
        for name in classes:
            for _ in range(count):
                photo, sketch = draw_pair(number)
                base = root / split if splits else root
                write_image(base / "photo" / name / f"{number:03d}.png", photo)
                write_image(base / "sketch" / name / f"{number:03d}.png", sketch)
                number += 1
    return root


class Spoiler:
    """Hands out pairs of a folder, each once, so that each fault is planted in pairs of its own.

    Args:
        root: The folder, with the splits `train` and `test`, and as many pairs as faults need.
    """

    def __init__(self, root):
        self.root = root
        self._left = {}
        for split in ("train", "test"):
            for folder in sorted((root / split / "photo").iterdir()):
                self._left[split, folder.name] = sorted(folder.iterdir())
        self.classes = sorted({name for _, name in self._left})

    def take(self, split="train", class_name=None):
        """`(photo, sketch)`, the paths of a pair that was not handed out; of the fullest class by default."""
        class_name = class_name or max(self.classes, key=lambda name: len(self._left[split, name]))
        photo = self._left[split, class_name].pop()
        return photo, photo.parents[2] / "sketch" / class_name / photo.name

    def two(self):
        """Two pairs of one class of the training."""
        first = self.take()
        return first, self.take(class_name=first[0].parent.name)


def jpeg(path, quality=80):
    """The bytes of an image as a JPEG."""
    image = decode_image(path)
    image = image if image.ndim == 2 else image[..., ::-1]
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def cmyk_jpeg(side=SIDE):
    """The bytes of a JPEG of four inks, of one colour: each block is a difference of 0 and an end."""

    def segment(marker, content):
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content

    def components(*each):
        return b"".join(bytes([number, *each]) for number in range(1, 5))

    return b"".join(
        [
            b"\xff\xd8",
            segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"),
            segment(0xDB, bytes([0] + [1] * 64)),
            segment(0xC0, struct.pack(">BHHB", 8, side, side, 4) + components(0x11, 0)),
            *(segment(0xC4, bytes([table, 1] + [0] * 16)) for table in (0x00, 0x10)),
            segment(0xDA, bytes([4]) + components(0) + bytes([0, 63, 0])),
            bytes((side // 8) ** 2),
            b"\xff\xd9",
        ]
    )


def _resize(paths, width, height):
    for path in paths:
        write_image(path, cv2.resize(decode_image(path), (width, height), interpolation=cv2.INTER_NEAREST))


def unpaired_photo(spoiler):
    photo, sketch = spoiler.take()
    sketch.unlink()
    return {"unpaired_photo": [(photo,)]}


def unpaired_sketch(spoiler):
    photo, sketch = spoiler.take()
    photo.unlink()
    return {"unpaired_sketch": [(sketch,)]}


def unreadable(spoiler):
    photo, _ = spoiler.take()
    _, sketch = spoiler.take()
    photo.write_bytes(b"no image")
    sketch.write_bytes(b"")
    return {"unreadable": [(photo,), (sketch,)]}


def truncated(spoiler):
    (photo, _), (other, _), (_, sketch) = spoiler.take(), spoiler.take(), spoiler.take()
    photo.write_bytes(photo.read_bytes()[:-30])
    cut = jpeg(other)[:-100]
    other.unlink()
    other = other.with_suffix(".jpg")
    other.write_bytes(cut)
    damaged = bytearray(sketch.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    sketch.write_bytes(damaged)
    return {"truncated": [(photo,), (other,), (sketch,)]}


def wrong_extension(spoiler):
    photo, _ = spoiler.take()
    photo.write_bytes(jpeg(photo, 95))
    return {"wrong_extension": [(photo,)]}


def tiny(spoiler):
    pair = spoiler.take()
    _resize(pair, 12, 12)
    return {"tiny": [(path,) for path in pair]}


def huge(spoiler):
    photo, sketch = spoiler.take()
    _resize([photo], 4200, decode_image(photo).shape[0])
    return {
        "huge": [(photo,)],
        "odd_size": [(photo,)],
        "odd_proportions": [(photo,)],
        "unequal_proportions": [(photo, sketch)],
    }


def odd_proportions(spoiler):
    pair = spoiler.take()
    height, width = decode_image(pair[0]).shape[:2]
    _resize(pair, 2 * width, height)
    return {"odd_proportions": [(path,) for path in pair]}


def unequal_proportions(spoiler):
    photo, sketch = spoiler.take()
    height, width = decode_image(photo).shape[:2]
    _resize([photo], width * 6 // 5, height)
    return {"unequal_proportions": [(photo, sketch)]}


def grey_photo(spoiler):
    photo, _ = spoiler.take()
    write_image(photo, decode_image(photo)[..., 0])
    return {"grey_photo": [(photo,)]}


def coloured_sketch(spoiler):
    _, sketch = spoiler.take()
    grey = cv2.imread(str(sketch), cv2.IMREAD_GRAYSCALE)
    write_image(sketch, np.stack([np.full_like(grey, 255), grey, grey], axis=-1))
    return {"coloured_sketch": [(sketch,)]}


def alpha(spoiler):
    """A photo half of which is pale, and a sketch whose dark paper is transparent, by a key colour."""
    photo, sketch = spoiler.take()
    bgra = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2BGRA)
    bgra[: len(bgra) // 2, :, 3] = 60
    cv2.imwrite(str(photo), bgra)
    drawn = (cv2.imread(str(sketch), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
    data, key = cv2.imencode(".png", drawn)[1].tobytes(), b"tRNS\0\1"
    chunk = struct.pack(">I", 2) + key + struct.pack(">I", zlib.crc32(key))
    sketch.write_bytes(data[:33] + chunk + data[33:])  # after the header
    return {"alpha": [(photo,), (sketch,)]}


def sixteen_bit(spoiler):
    """A photo of all 16 bits, and a sketch of 12, whose white is nearly black, and its lines no darker."""
    photo, sketch = spoiler.take()
    cv2.imwrite(str(photo), cv2.imread(str(photo)).astype(np.uint16) * 257)
    cv2.imwrite(str(sketch), cv2.imread(str(sketch), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 16)
    of_twelve = dict.fromkeys(("twelve_bit", "faint_sketch", "grey_paper"), [(sketch,)])
    return {"sixteen_bit": [(photo,), (sketch,)], **of_twelve}


def cmyk(spoiler):
    photo, _ = spoiler.take()
    inked = photo.with_suffix(".jpg")
    height = decode_image(photo).shape[0]
    photo.unlink()
    inked.write_bytes(cmyk_jpeg(height // 8 * 8))
    return {"cmyk": [(inked,)], "grey_photo": [(inked,)], "blank_photo": [(inked,)]}


def blank_sketch(spoiler):
    (_, white), (_, black) = spoiler.take(), spoiler.take()
    for sketch, level in ((white, 255), (black, 0)):
        write_image(sketch, np.full_like(decode_image(sketch), level))
    return {"blank_sketch": [(white,), (black,)]}


def blank_photo(spoiler):
    photo, _ = spoiler.take()
    height, width = decode_image(photo).shape[:2]
    write_image(photo, np.full((height, width, 3), (200, 40, 90), np.uint8))
    return {"blank_photo": [(photo,)]}


def inverted_sketch(spoiler):
    _, sketch = spoiler.take()
    write_image(sketch, 255 - decode_image(sketch))
    return {"inverted_sketch": [(sketch,)]}


def grey_paper(spoiler):
    _, sketch = spoiler.take()
    write_image(sketch, (decode_image(sketch) * 0.7).astype(np.uint8))
    return {"grey_paper": [(sketch,)]}


def sketch_is_photo(spoiler):
    photo, sketch = spoiler.take()
    image = decode_image(photo)
    height, width = image.shape[:2]
    framed = np.full_like(image, 255)  # on white, or its paper would be a fault of its own
    middle = slice(height // 4, height * 3 // 4), slice(width // 4, width * 3 // 4)
    framed[middle] = image[middle]
    write_image(photo, framed)
    write_image(sketch, cv2.cvtColor(framed, cv2.COLOR_RGB2GRAY))
    return {"sketch_is_photo": [(photo, sketch)]}


def _copy(kind, side, source, target, nearly=False):
    source, target = source[side], target[side]
    if nearly:
        target.unlink()
        target = target.with_suffix(".jpg")
        target.write_bytes(jpeg(source))
    else:
        shutil.copy(source, target)
    return {kind: [tuple(sorted((source, target)))]}


def duplicate_photo(spoiler):
    return _copy("duplicate_photo", 0, *spoiler.two())


def duplicate_sketch(spoiler):
    return _copy("duplicate_sketch", 1, *spoiler.two())


def near_duplicate_photo(spoiler):
    return _copy("near_duplicate_photo", 0, *spoiler.two(), nearly=True)


def near_duplicate_sketch(spoiler):
    return _copy("near_duplicate_sketch", 1, *spoiler.two(), nearly=True)


def _across_splits(spoiler):
    test = spoiler.take("test")
    return test, spoiler.take(class_name=test[0].parent.name)


def leaked_photo(spoiler):
    return _copy("leaked_photo", 0, *_across_splits(spoiler))


def leaked_sketch(spoiler):
    return _copy("leaked_sketch", 1, *_across_splits(spoiler))


def nearly_leaked_photo(spoiler):
    return _copy("nearly_leaked_photo", 0, *_across_splits(spoiler), nearly=True)


def nearly_leaked_sketch(spoiler):
    return _copy("nearly_leaked_sketch", 1, *_across_splits(spoiler), nearly=True)


def grey_leaked_photo(spoiler):
    source, target = (pair[0] for pair in _across_splits(spoiler))
    write_image(target, cv2.cvtColor(decode_image(source), cv2.COLOR_RGB2GRAY))
    return {"nearly_leaked_photo": [tuple(sorted((source, target)))], "grey_photo": [(target,)]}


def mirror(source, target):
    """Writes the mirror image of one file to another."""
    write_image(target, np.ascontiguousarray(decode_image(source)[:, ::-1]))
    return tuple(sorted((source, target)))


def mirrored_photo(spoiler):
    (source, _), (target, _) = _across_splits(spoiler)
    return {"mirrored_photo": [mirror(source, target)]}


def mirrored_sketch(spoiler):
    (_, source), (_, target) = _across_splits(spoiler)
    return {"mirrored_sketch": [mirror(source, target)]}


def _across_classes(spoiler):
    first, second = spoiler.classes[:2]
    return spoiler.take(class_name=first), spoiler.take(class_name=second)


def photo_in_two_classes(spoiler):
    return _copy("photo_in_two_classes", 0, *_across_classes(spoiler))


def sketch_in_two_classes(spoiler):
    return _copy("sketch_in_two_classes", 1, *_across_classes(spoiler))


def photo_nearly_in_two_classes(spoiler):
    return _copy("photo_nearly_in_two_classes", 0, *_across_classes(spoiler), nearly=True)


def sketch_nearly_in_two_classes(spoiler):
    return _copy("sketch_nearly_in_two_classes", 1, *_across_classes(spoiler), nearly=True)


def alike_class_names(spoiler):
    name = spoiler.classes[0]
    other = f"{name.upper()} "
    for path in spoiler.take(class_name=name):
        (path.parents[1] / other).mkdir()
        path.rename(path.parents[1] / other / path.name)
    return {
        "alike_class_names": [(repr(other), repr(name))],
        "class_missing": [(other,)],
        "unbalanced": [(other,)],
    }


def class_missing(spoiler):
    """Folders without an image: the reader counts a class of them."""
    for split in ("train", "test"):
        (spoiler.root / split / "sketch" / "ghost").mkdir()
    return {"class_missing": [("ghost",), ("ghost",)]}


def same_stem(spoiler):
    photo, _ = spoiler.take()
    other, sketch = spoiler.take()
    sketch.unlink()
    other = other.rename(photo.with_suffix(".bmp"))
    other.write_bytes(cv2.imencode(".bmp", decode_image(other)[..., ::-1])[1].tobytes())
    return {"same_stem": [(other, photo)]}


def ambiguous_name(spoiler):
    """Of the photos 7 and 7-1 and the sketches 7-1 and 7-2, both sketches may be of 7."""
    (photo, first), (other, second) = spoiler.two()
    other = other.rename(photo.with_name(f"{photo.stem}-1.png"))
    first = first.rename(first.with_name(f"{photo.stem}-1.png"))
    second.rename(first.with_name(f"{photo.stem}-2.png"))
    return {"ambiguous_name": [(first, other, photo)]}


def not_read(spoiler):
    """What is in the folder and is not read as an image of a class."""
    photo, sketch = spoiler.take()
    folder = photo.parent
    outside, nested = folder.parent / "loose.png", folder / "more"
    shutil.copy(spoiler.take("test")[0], outside)
    sketch.unlink()
    photo.unlink()
    nested.mkdir()
    other = spoiler.root / "train" / "pohto"
    other.mkdir()
    text, hidden, thumbs = folder / "notes.txt", folder / ".DS_Store", folder / "Thumbs.db"
    for file in (text, hidden, thumbs):
        file.write_text("-")
    return {
        "outside": [(outside,)],
        "nested_folder": [(nested,)],
        "other_folder": [(other,)],
        "no_image": [(text,)],
        "clutter": [(hidden,), (thumbs,)],
    }


FAULTS = (
    *(unpaired_photo, unpaired_sketch, unreadable, truncated, wrong_extension, tiny, huge),
    *(odd_proportions, unequal_proportions, grey_photo, coloured_sketch, alpha, sixteen_bit, cmyk),
    *(blank_photo, blank_sketch, inverted_sketch, grey_paper, sketch_is_photo),
    *(duplicate_photo, duplicate_sketch, near_duplicate_photo, near_duplicate_sketch),
    *(leaked_photo, leaked_sketch, nearly_leaked_photo, nearly_leaked_sketch, grey_leaked_photo),
    *(mirrored_photo, mirrored_sketch),
    *(photo_in_two_classes, sketch_in_two_classes),
    *(photo_nearly_in_two_classes, sketch_nearly_in_two_classes),
    *(alike_class_names, class_missing, same_stem, ambiguous_name, not_read),
)


def plant_all(root):
    """Plants every fault.

    Returns:
        What there is to be found: a dict by kind of tuples of paths, or of names.
    """
    spoiler, planted = Spoiler(root), {}
    for fault in FAULTS:
        for kind, found in fault(spoiler).items():
            planted.setdefault(kind, []).extend(found)
    return planted
