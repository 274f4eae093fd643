"""Photos that are blurred until they tell little: to measure by, and to train on."""

import cv2
import numpy as np


def blurred(photos, strength=1.0):
    """Photos through a Gaussian; at full strength masses and colours are all that is left.

    Args:
        photos: `(n, height, width, channels)`.
        strength: Above 0. At 1 the standard deviation is an eighth of the height, as of
            `class_accuracy_blurred` in `evaluate`; otherwise in proportion.

    Returns:
        float32, of the same shape.

    Example:

    >>> generator.predict({"photo": blurred(photos), "label": labels})
    """
    return blur(photos, strength * np.shape(photos)[1] / 8)


def blur(images, sigma):
    """Images `(n, height, width, channels)` through a Gaussian of `sigma` pixels, border pixels repeated."""
    rows = [
        cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        for image in np.asarray(images, "float32")
    ]
    return np.reshape(rows, np.shape(images))
