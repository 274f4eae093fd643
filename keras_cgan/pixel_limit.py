"""The most pixels of an image: a file of a few bytes may unpack to gigabytes.

OpenCV reads its limit once, when it is imported: `keras_cgan` sets it before.
"""

import os
import re

NAME = "OPENCV_IO_MAX_IMAGE_PIXELS"
MOST_PIXELS = 100_000_000  # OpenCV's own is 2**30


def limit_pixels():
    """Sets OpenCV's limit for this process, unless the environment has one.

    Raises:
        ValueError: As `most_pixels` does.

    Example:

    >>> limit_pixels()
    """
    os.environ[NAME] = str(most_pixels())


def most_pixels():
    """The most pixels that an image may have: those of the environment, or else `MOST_PIXELS`.

    Raises:
        ValueError: The environment's is no number: OpenCV would end the process when it is imported.

    Example:

    >>> most_pixels()
    100000000
    """
    limit = os.environ.get(NAME) or str(MOST_PIXELS)
    if not re.fullmatch("[0-9]{1,18}", limit):
        raise ValueError(f"{NAME} must be a number of pixels, in digits. Received: {limit!r}")
    return int(limit)
