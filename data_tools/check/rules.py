"""What is odd about an image or a pair by its measures: rules of the check, and of imports, which hide it."""

_LEAST_SIDE = 24  # px, the smallest size that the examples train at
_PAIR_PROPORTIONS = 1.03  # of photo and sketch: at 64 px a difference of two pixels
_TWELVE_BITS = 16  # the level, of 8 bits, that the largest of 12 bits in 16 becomes


def odd_image(facts, size, lightest):
    """What is odd about an image file by what it holds.

    Args:
        facts: `Facts` of its bytes.
        size: `(height, width)` in pixels.
        lightest: The greatest value of any pixel and channel, as it is decoded.

    Yields:
        `(kind, detail)`: a key of `KINDS`, and a text or `None`.
    """
    if min(size) < _LEAST_SIDE:
        yield "tiny", size_text(size)
    if facts.bits == 16 and lightest <= _TWELVE_BITS and not facts.alpha:
        yield "twelve_bit", None
    if facts.cmyk:
        yield "cmyk", None


def odd_pair(photo, sketch):
    """What is odd about the sizes of a photo and its sketch, each `(height, width)`: as of `odd_image`.

    Padded, a photo and a sketch of different proportions no longer lie on each other.
    """
    if apart(*(width / height for height, width in (photo, sketch))) > _PAIR_PROPORTIONS:
        yield "unequal_proportions", f"{size_text(photo)} and {size_text(sketch)}"


def apart(first, second):
    """How many times the smaller of two numbers goes into the larger."""
    return max(first, second) / min(first, second)


def size_text(size):
    """`"640 x 480 px"`: width and height of a `(height, width)`."""
    return f"{size[1]} x {size[0]} px"
