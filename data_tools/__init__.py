"""Turns data sets into the folders that the examples read, and says what is wrong with them."""

import os

# Before cv2 is imported anywhere, which reads it once: an image of a few bytes may unpack to gigabytes.
MAX_PIXELS = int(os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(100_000_000)))
