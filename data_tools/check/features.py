"""What is kept of each image: a few numbers, a hash and a thumbnail, while its pixels are let go."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from data_tools.check.formats import Facts, image_facts
from data_tools.importing import cores
from data_tools.progress import Progress, quiet_decoders

from keras_cgan.data.folder import channel_remark
from keras_cgan.data.images import WHITE, ImageError, decode_bytes, read_bytes, to_channels

THUMBNAIL = 32  # px, a side
HASH_SIDE = 16  # frequencies a side, of two bits each
HASH_WORDS = 2 * HASH_SIDE**2 // 64
_LOOK = 128  # px: the longer side at which ink is looked for, as training does not see more
_INK = 32  # levels that ink differs from its paper where it is seen
DARK = 128  # level below which paper is dark


class Look(NamedTuple):
    """What the pixels of an image look like.

    Attributes:
        height, width: In pixels.
        coloured: Whether it has colours, rather than greys alone.
        ink: The share of the pixels, averaged to 128 px, that differ clearly from the paper, which is the
            rim's median: thin or pale lines may have none.
        rim, middle: Medians of the outermost pixels and of all, in [0, 255].
        levels: The least and the greatest level of the pixels as the file has them, made grey.
        lightest: The greatest value of any pixel and channel.
        digest: Of all pixels: the same for the same picture in any format without loss. It, the hash and the
            thumbnail are those of the negative where a sketch is light on dark.
        bits: A perceptual hash, uint64 `(HASH_WORDS,)`.
        thumbnail: uint8 `(THUMBNAIL, THUMBNAIL, 3)` of a photo, `(THUMBNAIL, THUMBNAIL, 1)` of a sketch.
    """

    height: int
    width: int
    coloured: bool
    ink: float
    rim: float
    middle: float
    levels: tuple
    lightest: int
    digest: bytes
    bits: np.ndarray
    thumbnail: np.ndarray

    @property
    def size(self):
        """`(height, width)`."""
        return self.height, self.width

    @property
    def paper(self):
        """The level of the paper: of an image that is drawn up to its rim, that of its middle."""
        return max(self.rim, self.middle)


class Features(NamedTuple):
    """What is known of an image file.

    Attributes:
        facts: `Facts` of its bytes.
        look: A `Look`; `None` where it cannot be decoded, or is not whole.
        problem: A text that says why, or `None`.
    """

    facts: Facts
    look: Look | None
    problem: str | None = None


def read_features(items, threads=None):
    """Decodes images in threads, each once.

    Args:
        items: `Item`s.
        threads: How many threads; by default as many as there are `cores`.

    Returns:
        A list of `Features`, one an item.
    """
    features = []
    with (
        quiet_decoders(),
        ThreadPoolExecutor(threads or cores()) as pool,
    ):  # cv2 works without holding Python's lock
        progress = Progress(len(items), "images")
        for found in pool.map(_features, items):
            features.append(found)
            progress.add()
    return features


def _features(item):
    try:
        data = read_bytes(item.path)
    except ImageError as error:
        return Features(Facts(None), None, _received(error))
    facts = image_facts(data)
    if facts.damage:
        return Features(facts, None, facts.damage)
    try:
        return Features(facts, look_at(decode_bytes(data, item.path), item.side))
    except ImageError as error:
        known = "no image" if facts.format is None else f"a {facts.format} that OpenCV does not decode"
        return Features(facts, None, _received(error) or (known if data else "empty"))


def _received(error):
    return str(error).partition("Received: ")[2]


def look_at(image, side):
    """Takes from an image what is kept of it.

    Args:
        image: uint8 `(height, width)` grey or `(height, width, 3)` RGB.
        side: `"photo"`, which is compared in colour, or `"sketch"`.

    Returns:
        A `Look`.
    """
    height, width = image.shape[:2]
    pixels = to_channels(image, 3 if side == "photo" else 1)
    grey = to_channels(image, 1)[..., 0]
    scale = min(1, _LOOK / max(height, width))
    small = _shrunk(grey, max(1, round(width * scale)), max(1, round(height * scale)))
    rim = float(np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])))
    middle = float(np.median(small))
    darkest, lightest, _, _ = cv2.minMaxLoc(grey)
    if side == "sketch" and max(rim, middle) < DARK:  # a copy, though light on dark, is one
        pixels, grey = WHITE - pixels, WHITE - grey
    return Look(
        height,
        width,
        coloured=bool(channel_remark(image, side, 1)),
        ink=float(np.mean(np.abs(small.astype(np.int16) - rim) > _INK)),
        rim=rim,
        middle=middle,
        levels=(int(darkest), int(lightest)),
        lightest=int(image.max()),
        digest=hashlib.blake2b(
            np.ascontiguousarray(pixels), digest_size=16, salt=f"{height}x{width}".encode()
        ).digest(),
        bits=perceptual_hash(grey),
        thumbnail=_shrunk(pixels, THUMBNAIL, THUMBNAIL).reshape(THUMBNAIL, THUMBNAIL, -1),
    )


def perceptual_hash(grey):
    """Which of an image's lowest frequencies are strong, and which way: alike for images that look alike.

    Two bits a frequency: well above zero, and well below. The usual one bit, above the median or not, is
    chance for all frequencies that an image lacks, as symmetrical drawings lack half of them.

    Args:
        grey: uint8 `(height, width)`.

    Returns:
        512 bits, uint64 `(HASH_WORDS,)`.

    Source: after Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", 3.1.
    """
    small = _shrunk(grey, 2 * HASH_SIDE, 2 * HASH_SIDE).astype(np.float32)
    frequencies = cv2.dct(small - small.mean())[:HASH_SIDE, :HASH_SIDE]
    strong = np.abs(frequencies).mean()
    return np.packbits([frequencies > strong, frequencies < -strong]).view(np.uint64)


def mirrored_hash(bits):
    """The hashes of the same images, mirrored left to right: odd columns of frequencies change their sign.

    Args:
        bits: Hashes, uint64 `(n, HASH_WORDS)`.

    Returns:
        Hashes, uint64 `(n, HASH_WORDS)`.
    """
    signs = np.unpackbits(bits.view(np.uint8), axis=-1).reshape(-1, 2, HASH_SIDE, HASH_SIDE)
    signs[..., 1::2] = signs[:, ::-1, :, 1::2]
    return np.packbits(signs.reshape(len(bits), -1), axis=-1).view(np.uint64)


def _shrunk(image, width, height):
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
