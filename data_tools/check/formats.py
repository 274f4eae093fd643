"""What the bytes of an image file say before they are decoded: format, depth, transparency, whether whole."""

import zlib
from typing import NamedTuple

import cv2
import numpy as np

# By format: how files begin, and the extensions that they may have.
_BEGINNINGS = {
    "png": ((b"\x89PNG\r\n\x1a\n",), (".png",)),
    "jpeg": ((b"\xff\xd8\xff",), (".jpg", ".jpeg", ".jpe", ".jfif")),
    "gif": ((b"GIF87a", b"GIF89a"), (".gif",)),
    "bmp": ((b"BM",), (".bmp", ".dib")),
    "tiff": ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), (".tif", ".tiff")),
    "jpeg 2000": ((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), (".jp2",)),
    "pnm": (tuple(b"P%d" % n for n in range(1, 8)), (".ppm", ".pgm", ".pbm", ".pnm")),
}
_ALPHA_COLOURS = (4, 6)  # PNG's colour types with alpha
_CMYK = 4  # components of a JPEG


class Facts(NamedTuple):
    """What the bytes of an image file say.

    Attributes:
        format: Its name, or `None` if it is none that is known.
        alpha: Whether pixels may be transparent.
        bits: A channel, 8 or 16.
        cmyk: Whether it holds the inks of a printer. Known of JPEG alone.
        damage: What shows that the file is not whole, or `None`.
    """

    format: str | None
    alpha: bool = False
    bits: int = 8
    cmyk: bool = False
    damage: str | None = None


def image_format(data):
    """The format that the bytes of a file are of, or `None`."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return next((name for name, (begins, _) in _BEGINNINGS.items() if data.startswith(begins)), None)


def fits_extension(name, extension):
    """Whether files of a format may have an extension, in lower case."""
    return extension in _BEGINNINGS[name][1] if name in _BEGINNINGS else extension == f".{name}"


def image_facts(data):
    """Reads the header of an image file, and whether it is there to its end.

    PNG, JPEG and WebP are read from their bytes; of other formats OpenCV tells depth and transparency, and
    whether they are whole.

    Args:
        data: The bytes of the file.

    Returns:
        `Facts`.

    Example:

    >>> image_facts(Path("photo/chair/0007.png").read_bytes()).bits
    8
    """
    name = image_format(data)
    read = {"png": _png, "jpeg": _jpeg, "webp": _webp}.get(name, _other)
    try:
        return read(data) if name else Facts(None)
    except (IndexError, ValueError):
        return Facts(name, damage="its header is not whole")


def _png(data):
    bits, colour = data[24], data[25]
    at, alpha = 8, colour in _ALPHA_COLOURS
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            break
        # What is in small letters is not needed for the pixels.
        if kind[:1].isupper() and zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            return Facts("png", alpha, bits, damage=f"the checksum of its {kind.decode('latin-1')} is wrong")
        alpha |= kind == b"tRNS"
        if kind == b"IEND":
            return Facts("png", alpha, max(bits, 8))
        at = end
    return Facts("png", alpha, max(bits, 8), damage="its end is missing")


def _jpeg(data):
    at, components = 2, 3
    while (marker := data[at : at + 2]) != b"\xff\xda":  # pixels follow, in which the end cannot occur
        if marker[0] != 0xFF or marker[1] in (0, 0xFF):  # a byte too many, which decoders pass over
            at = data.index(b"\xff", at + 1)
            continue
        if 0xC0 <= marker[1] <= 0xCF and marker[1] not in (0xC4, 0xC8, 0xCC):  # the frame, not its tables
            components = data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    whole = data.find(b"\xff\xd9", at) > 0
    return Facts("jpeg", cmyk=components == _CMYK, damage=None if whole else "its end is missing")


def _webp(data):
    whole = len(data) >= 8 + int.from_bytes(data[4:8], "little")
    kind = data[12:16]
    alpha = bool((kind == b"VP8X" and data[20] & 0x10) or (kind == b"VP8L" and data[24] & 0x10))
    return Facts("webp", alpha, damage=None if whole else "its end is missing")


def _other(data):
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        return Facts(image_format(data))
    alpha = image.ndim == 3 and image.shape[-1] == 4
    return Facts(image_format(data), alpha, 16 if image.dtype == np.uint16 else 8)
