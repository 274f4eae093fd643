"""Turns data sets into the folders that the examples read, and says what is wrong with them."""

import os
import re
import sys

_LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"


def _limit_pixels():
    """Sets OpenCV's limit: an image of a few bytes may unpack to gigabytes.

    It is read once, when cv2 is imported, and what is no number ends the process there.
    """
    limit = os.environ.get(_LIMIT) or str(100_000_000)
    if not re.fullmatch("[0-9]{1,18}", limit):
        print(f"error: {_LIMIT} must be a number of pixels, in digits. Received: {limit!r}", file=sys.stderr)
        sys.exit(2)
    os.environ[_LIMIT] = limit


_limit_pixels()
