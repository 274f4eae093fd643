"""Grids of photos, sketches and other images with captions, as one picture."""

import cv2
import numpy as np

from keras_cgan.data.images import to_uint8
from keras_cgan.generators.conditions import takes_label

SMALL_CELL = 48  # px, for many images of few pixels
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT = {"fontFace": _FONT, "fontScale": 0.4, "color": (40, 40, 40), "thickness": 1, "lineType": cv2.LINE_AA}


def image_grid(rows, headers, captions, cell=96, gap=4):
    """Lays images out in rows and columns, with a header a column and a caption a row.

    Args:
        rows: A list of rows, each a list of float images `(height, width, 1 or 3)` in
            [-1, 1]; `None` leaves a place empty.
        headers: One text a column.
        captions: One text a row.
        cell: Height of an image in the grid, in pixels.
        gap: Pixels between images.

    Returns:
        An RGB picture, uint8 `(height, width, 3)`.

    Raises:
        ValueError: Rows, headers and captions do not go together, or there is no image.

    Example:

    >>> picture = image_grid([[photo, sketch]], headers=["photo", "sketch"], captions=["chair"])
    """
    if any(len(row) != len(headers) for row in rows) or len(rows) != len(captions):
        raise ValueError(
            "`rows` must have a caption each, and as many images each as there are `headers`. "
            f"Received: rows of {[len(row) for row in rows]} images, {len(headers)} headers, "
            f"{len(captions)} captions"
        )
    shapes = [image.shape for row in rows for image in row if image is not None]
    if not shapes:
        raise ValueError(f"`rows` must hold at least one image. Received: rows={rows}")
    width = max(1, round(cell * shapes[0][1] / shapes[0][0]))
    left, top = 8 + max(_text_width(text) for text in captions), 18
    picture = np.full((top + len(rows) * (cell + gap), left + len(headers) * (width + gap), 3), 255, np.uint8)
    for column, text in enumerate(headers):
        cv2.putText(picture, _shortened(text, width), (left + column * (width + gap), 12), **_TEXT)
    for number, (row, caption) in enumerate(zip(rows, captions)):
        y = top + number * (cell + gap)
        cv2.putText(picture, _ascii(caption), (4, y + cell // 2), **_TEXT)
        for column, image in enumerate(row):
            if image is not None:
                x = left + column * (width + gap)
                picture[y : y + cell, x : x + width] = _cell(image, (width, cell))
    return picture


def stack_pictures(*pictures):
    """Pictures below each other on white, uint8 RGB."""
    width = max(picture.shape[1] for picture in pictures)
    return np.concatenate(
        [np.pad(p, ((0, 12), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures]
    )


def sample_grid(generator, photos, labels, sketches, class_names, per_class=3, most_classes=8):
    """What a generator draws: photo | generated | true, and the same photos as every class.

    The second part, the label swap, is there where the generator has a label input.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        photos: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        sketches: True sketches, `(n, height, width, channels)` in [-1, 1].
        class_names: One name a class.
        per_class: Photos of each class, side by side.
        most_classes: At most so many classes are shown.

    Returns:
        An RGB picture, uint8 `(height, width, 3)`.

    Example:

    >>> write_image("samples.png", sample_grid(generator, photos, labels, sketches, names))
    """
    has_label = takes_label(generator)
    classes = np.argmax(labels, axis=1)
    shown = [c for c in range(len(class_names)) if np.any(classes == c)][:most_classes]
    places = {c: np.flatnonzero(classes == c)[:per_class] for c in shown}

    def draw(indices, conditions):
        return generator.predict_on_batch(
            {"photo": photos[indices], "label": conditions} if has_label else photos[indices]
        )

    rows = []
    for c in shown:
        drawn = draw(places[c], labels[places[c]])
        row = [image for i, d in zip(places[c], drawn) for image in (photos[i], d, sketches[i])]
        rows.append(row + [None] * (3 * per_class - len(row)))
    names = [class_names[c] for c in shown]
    samples = image_grid(rows, ["photo", "generated", "true"] * per_class, names)
    if not has_label:
        return samples

    swapped = []
    for c in shown:
        first = places[c][0]
        drawn = draw(np.repeat(first, len(shown)), np.eye(len(class_names), dtype="float32")[shown])
        swapped.append([photos[first], *drawn])
    asked = image_grid(swapped, ["photo", *(f"as {name}" for name in names)], names)
    return stack_pictures(samples, asked)


def cycle_grid(to_sketch, to_photo, photos, labels, sketches, class_names, per_class=2, most_classes=8):
    """What two generators make of images and back: photo | sketch | photo back, sketch | photo | sketch back.

    Args:
        to_sketch: Model from photos to sketches.
        to_photo: Model from sketches to photos.
        photos: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        sketches: The true sketches of the photos, `(n, height, width, channels)` in [-1, 1].
        class_names: One name a class.
        per_class: Photos of each class, side by side.
        most_classes: At most so many classes are shown.

    Returns:
        An RGB picture, uint8 `(height, width, 3)`.

    Example:

    >>> picture = cycle_grid(model.to_sketch, model.to_photo, photos, labels, sketches, names)
    """
    classes = np.argmax(labels, axis=1)
    shown = [c for c in range(len(class_names)) if np.any(classes == c)][:most_classes]
    heads = ["photo", "drawn", "back", "sketch", "painted", "back"]
    rows = []
    for c in shown:
        places = np.flatnonzero(classes == c)[:per_class]
        drawn, painted = (
            to_sketch.predict_on_batch(photos[places]),
            to_photo.predict_on_batch(sketches[places]),
        )
        columns = [photos[places], drawn, to_photo.predict_on_batch(drawn)]
        columns += [sketches[places], painted, to_sketch.predict_on_batch(painted)]
        row = [image for images in zip(*columns) for image in images]
        rows.append(row + [None] * (len(heads) * per_class - len(row)))
    return image_grid(rows, heads * per_class, [class_names[c] for c in shown])


def class_rows(generator, latent, class_names, columns=10, most_classes=10, seed=0):
    """What a generator of class images draws: a row a class, and the same noise in all rows of a column.

    Args:
        generator: Model from a dict `{"latent", "label"}` to images.
        latent: The `Latent` that it draws from.
        class_names: One name a class.
        columns: How many images of each class.
        most_classes: At most so many classes are shown.
        seed: Of the noise, an integer.

    Returns:
        An RGB picture, uint8 `(height, width, 3)`.

    Example:

    >>> write_image("samples.png", class_rows(model.generator, model.latent, "0123456789"))
    """
    shown = list(class_names)[:most_classes]
    noise = np.tile(np.asarray(latent.sample(columns, seed)), (len(shown), 1))
    labels = np.repeat(np.eye(len(class_names), dtype="float32")[: len(shown)], columns, axis=0)
    drawn = generator.predict_on_batch({"latent": noise, "label": labels})
    rows = [list(drawn[start : start + columns]) for start in range(0, len(drawn), columns)]
    return image_grid(rows, [""] * columns, shown, cell=SMALL_CELL)


def _cell(image, size):
    """One image in RGB at a size `(width, height)`; nearest when enlarged, so that pixels stay visible."""
    image = to_uint8(np.asarray(image, "float32"))
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    shrinks = image.shape[0] > size[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)


def _ascii(text):
    """OpenCV's fonts have ASCII only: other letters become `?`."""
    return text.encode("ascii", "replace").decode()


def _shortened(text, width):
    """As much of a header as its column holds."""
    text = _ascii(text)
    while _text_width(text) > width:
        text = text[:-1]
    return text


def _text_width(text):
    return cv2.getTextSize(_ascii(text), _FONT, _TEXT["fontScale"], _TEXT["thickness"])[0][0]
