"""Turns data sets into the folders that the examples read, and says what is wrong with them."""

import sys

try:
    import keras_cgan  # noqa: F401  sets the limit of pixels, before OpenCV is imported
except ValueError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
