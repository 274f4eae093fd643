"""Image files to arrays and back, with OpenCV alone. Arrays are channels-last, colour is RGB."""

import os
import re
import stat
from pathlib import Path

import cv2
import numpy as np

from keras_cgan import pixel_limit

FITS = ("pad", "stretch", "crop")
WHITE = 255
MOST_BYTES = 2**30  # of a file: a hundred million pixels of 16 bits, with alpha, take less
# Turns the picture as its EXIF tag says, which IMREAD_UNCHANGED does not, but drops alpha.
_ORIENTED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
_JPEG_SIGNATURE = b"\xff\xd8"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*")
_EXTRA_SAMPLES = 338  # the tag of a TIFF that says what its fourth channel is
_ASSOCIATED, _UNASSOCIATED = 1, 2  # its values: alpha that colours are multiplied by already, or are not
_BAND = 2**20  # pixels whose alpha is flattened at once


class ImageError(ValueError):
    """A file that cannot be read or written as an image; the message names it."""


def decode_image(path):
    """Reads an image with the channels that its file has: `(h, w)` grey or `(h, w, 3)` RGB, uint8.

    Alpha is flattened on white paper, 16 bits are scaled to 8, and JPEGs are turned as their EXIF tag says.
    Of a grey TIFF with alpha OpenCV reads the grey alone.

    Args:
        path: An image file of any format that OpenCV decodes.

    Returns:
        A uint8 array in [0, 255].

    Raises:
        ImageError: If the file cannot be read, is no image, is damaged, is too large, or holds
            floating-point pixels.

    Example:
        >>> decode_image("photo/chair/0007.jpg").shape
        (256, 320, 3)
    """
    return decode_bytes(read_bytes(path), path)


def read_bytes(path):
    """The bytes of an image file, never without end or more than memory holds.

    Args:
        path: The file.

    Returns:
        Bytes, at most `MOST_BYTES`.

    Raises:
        ImageError: If it is missing, is no file, may not be read, or is larger.

    Example:
        >>> read_bytes("photo/chair/0007.png")[1:4]
        b'PNG'
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device may never end
            raise ImageError(f"{str(path)!r} must be a file. Received: a folder, a pipe or a device")
        if found.st_size > MOST_BYTES:
            raise ImageError(
                f"{str(path)!r} is too large. Received: {found.st_size} bytes, more than {MOST_BYTES}"
            )
        # cv2.imread fails on some non-ASCII paths (Windows), so Python reads the bytes.
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(
            f"{str(path)!r} must be a file that can be read. Received: {error.strerror or error}"
        ) from error


def decode_bytes(data, path):
    """What `decode_image` makes of a file's bytes.

    Args:
        data: The bytes of an image file.
        path: What they are, for messages.

    Returns:
        A uint8 array in [0, 255].

    Raises:
        ImageError: As `decode_image` does.

    Example:
        >>> decode_bytes(Path("photo/chair/0007.jpg").read_bytes(), "photo/chair/0007.jpg").shape
        (256, 320, 3)
    """
    _check_pixels(data, path)
    flags = _ORIENTED if data.startswith(_JPEG_SIGNATURE) else cv2.IMREAD_UNCHANGED
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise ImageError(_why_not_decoded(error, path)) from error
    if image is None:
        raise ImageError(f"{str(path)!r} is no image that OpenCV decodes, or is damaged ({len(data)} bytes).")
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype not in (np.uint8, np.uint16) or channels not in (1, 3, 4):
        raise ImageError(
            f"{str(path)!r} must hold 8-bit or 16-bit pixels, grey or RGB, with or without alpha. "
            f"Received: {image.dtype}, shape {image.shape}"
        )
    if channels == 1 and (key := _transparent_grey(data)) is not None:
        image[image == key] = np.iinfo(image.dtype).max
    premultiplied = channels == 4 and _is_premultiplied(data, image.dtype)
    if image.dtype == np.uint16:
        image = cv2.convertScaleAbs(image, alpha=1 / 257)
    if channels == 4:
        image = _flatten_alpha(image, premultiplied)
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _check_pixels(data, path):
    """Raises ImageError for a PNG above the limit, which OpenCV has not read if it was imported before."""
    if not data.startswith(_PNG_SIGNATURE):
        return
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    most = pixel_limit.most_pixels()
    if width * height > most:
        raise ImageError(
            f"{str(path)!r} is too large. Received: {width} x {height} px, more than {most} pixels; "
            f"{pixel_limit.NAME} may set another limit"
        )


def _why_not_decoded(error, path):
    """A message for what OpenCV raises; of an image above one of its limits, it quotes a line of its C++."""
    limit = re.search("CV_IO_MAX_IMAGE_(PIXELS|WIDTH|HEIGHT)", error.err or "")
    if not limit:
        return f"OpenCV cannot decode {str(path)!r}: {str(error).strip()}"
    name = f"OPEN{limit[0]}"
    most = os.environ.get(name) or (2**30 if limit[1] == "PIXELS" else 2**20)  # OpenCV's own
    of_what = "" if limit[1] == "PIXELS" else f" of {limit[1].lower()}"
    return (
        f"{str(path)!r} is too large for OpenCV. Received: more than {most} pixels{of_what}, as {name} says"
    )


def _transparent_grey(data):
    """The level that a grey PNG calls transparent, which OpenCV passes over, or `None`."""
    if not data.startswith(_PNG_SIGNATURE) or data[25] != 0:  # its colour type: grey
        return None
    depth, at = data[24], len(_PNG_SIGNATURE)
    while data[at + 4 : at + 8] not in (b"tRNS", b"IDAT", b""):
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    if data[at : at + 8] != b"\0\0\0\2tRNS":
        return None
    most = 2**depth - 1
    level = int.from_bytes(data[at + 8 : at + 10], "big") & most
    return level if depth > 8 else level * 255 // most  # as OpenCV gives levels of fewer bits than eight


def _is_premultiplied(data, dtype):
    """Whether OpenCV gives colours that are multiplied by alpha already.

    It does of TIFFs alone: as the file has them, and, of 8 bits, where the file says that they are not.
    """
    extra = _extra_samples(data) if data.startswith(_TIFF_SIGNATURES) else None
    return extra == _ASSOCIATED or (extra == _UNASSOCIATED and dtype == np.uint8)


def _extra_samples(data):
    """What a TIFF says of its first channel beyond the colours, or `None`."""
    order = "little" if data.startswith(b"II") else "big"

    def number(at, length):
        return int.from_bytes(data[at : at + length], order)

    folder = number(4, 4)
    for at in range(folder + 2, folder + 2 + 12 * number(folder, 2), 12):
        if number(at, 2) == _EXTRA_SAMPLES:
            return number(at + 8, 2)
    return None


def _flatten_alpha(bgra, premultiplied):
    """Lays an image on white, in bands: a hundred million pixels would take gigabytes at once."""
    flat = np.empty((*bgra.shape[:2], 3), np.uint8)
    rows = max(1, _BAND // bgra.shape[1])
    for top in range(0, len(bgra), rows):
        band = bgra[top : top + rows]
        alpha = band[..., 3:].astype(np.uint16)
        if premultiplied:
            flat[top : top + rows] = np.minimum(band[..., :3] + (WHITE - alpha), WHITE)
        else:
            flat[top : top + rows] = (band[..., :3] * alpha + WHITE * (255 - alpha) + 127) // 255
    return flat


def to_channels(image, channels):
    """Grey to RGB or RGB to grey, as `channels` (1 or 3) says; the result always has a channel axis."""
    if image.ndim == 2:
        return np.repeat(image[..., None], channels, axis=-1)
    return image if channels == 3 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]


def read_image(path, channels):
    """Reads an image with a given number of channels.

    Args:
        path: An image file of any format that OpenCV decodes.
        channels: 1 for grey, 3 for RGB.

    Returns:
        A uint8 array `(h, w, channels)` in [0, 255].

    Raises:
        ImageError: If the file cannot be decoded.
        ValueError: If `channels` is neither 1 nor 3.

    Example:
        >>> read_image("sketch/chair/0007.png", channels=1).shape
        (256, 256, 1)
    """
    check_channels("channels", channels)
    return to_channels(decode_image(path), channels)


def fit_image(image, image_size, fit="pad"):
    """Brings an image of any proportions to a size.

    Args:
        image: uint8 array `(h, w, channels)`.
        image_size: `(height, width)` in pixels.
        fit: `"pad"` keeps the proportions and centres the image on white, `"stretch"` ignores them,
            `"crop"` keeps them and cuts what is over from the middle.

    Returns:
        A uint8 array `(height, width, channels)`.

    Raises:
        ValueError: If `fit` is none of the three, or `image_size` no pair of positive integers.

    Example:
        >>> fit_image(np.zeros((20, 10, 3), "uint8"), (64, 64)).shape
        (64, 64, 3)
    """
    if fit not in FITS:
        raise ValueError(f"`fit` must be one of {FITS}. Received: fit={fit!r}")
    height, width = check_image_size(image_size)
    rows, columns = image.shape[:2]
    if fit == "crop":
        # Cut the target's proportions out of the original first, then resize once.
        scale = min(rows / height, columns / width)
        keep_rows, keep_columns = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (rows - keep_rows) // 2, (columns - keep_columns) // 2
        image = image[top : top + keep_rows, left : left + keep_columns]
    if fit != "pad":
        return _resize(image, height, width)
    scale = min(height / rows, width / columns)
    inner = _resize(image, max(1, round(rows * scale)), max(1, round(columns * scale)))
    paper = np.full((height, width, image.shape[-1]), WHITE, np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    paper[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return paper


def _resize(image, height, width):
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    # Thin strokes alias away unless shrinking averages over areas.
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return resized.reshape(height, width, image.shape[-1])  # cv2 drops a channel axis of 1


def to_unit(image):
    """uint8 in [0, 255] to float32 in [-1, 1], as models read them."""
    unit = np.divide(image, 127.5, dtype=np.float32)
    unit -= 1
    return unit


def to_uint8(image):
    """Floats in [-1, 1], as models write them, to uint8 in [0, 255]; what lies outside is clipped."""
    image = np.asarray(image, dtype=np.float32)
    if not np.isfinite(image).all():
        raise ValueError("`image` must be finite. Received: NaN or infinity, as a diverged model gives.")
    return np.rint((np.clip(image, -1, 1) + 1) * 127.5).astype(np.uint8)


def write_image(path, image):
    """Writes an image so that the file is whole or not there at all.

    Args:
        path: Where to; the extension chooses the format, missing folders are made.
        image: uint8 array: `(h, w)` or `(h, w, 1)` grey, or `(h, w, 3)` RGB.

    Raises:
        ImageError: If OpenCV cannot write such a format.
        ValueError: If `image` is not a uint8 array of such a shape.

    Example:
        >>> write_image("drawn/0007.png", to_uint8(sketch))
    """
    path, image = Path(path), np.asarray(image)
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[-1] == 1)
    if image.dtype != np.uint8 or image.size == 0 or not (grey or (image.ndim == 3 and image.shape[-1] == 3)):
        raise ValueError(
            "`image` must be a uint8 array (h, w), (h, w, 1) or (h, w, 3); `to_uint8` makes one of floats. "
            f"Received: dtype={image.dtype}, shape={image.shape}"
        )
    try:
        _, encoded = cv2.imencode(path.suffix, image if grey else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise ImageError(f"OpenCV writes no {path.suffix!r} files. Received: path={str(path)!r}") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(encoded.tobytes())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_channels(name, channels):
    """Raises ValueError unless `channels` is 1 or 3."""
    if isinstance(channels, bool) or channels not in (1, 3):
        raise ValueError(f"`{name}` must be 1 (grey) or 3 (RGB). Received: {name}={channels!r}")


def check_image_size(image_size):
    """Returns `image_size` as two Python ints, or raises ValueError."""
    try:
        height, width = image_size
        whole = all(int(side) == side and side > 0 for side in (height, width))
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(
            "`image_size` must be (height, width), two positive integers in pixels. "
            f"Received: image_size={image_size!r}"
        )
    return int(height), int(width)
