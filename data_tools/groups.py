"""What an importer finds: a photo and its sketches, each an image that can be loaded."""

from typing import NamedTuple

from keras_cgan.data.images import ImageError, decode_image


class DataError(ValueError):
    """Something about a user's data or folders; its message is all that the user is shown."""


class ImageFile(NamedTuple):
    """An image file as a whole."""

    path: object

    def load(self):
        return decode_image(self.path)

    def __str__(self):
        return str(self.path)


class HalfOfFile(NamedTuple):
    """The left or the right half of an image file, as pix2pix lays pairs side by side."""

    path: object
    side: str

    def load(self):
        image = decode_image(self.path)
        width = image.shape[1]
        if width % 2:
            raise ImageError(
                f"{self.path} must be an even number of pixels wide, for two images side by side. "
                f"Received: {width}"
            )
        return image[:, : width // 2] if self.side == "left" else image[:, width // 2 :]

    def __str__(self):
        return f"{self.path} ({self.side} half)"


class Group(NamedTuple):
    """A photo and the sketches of it, or sketches alone.

    Attributes:
        split: `"train"`, `"test"` or another; `None` where the set has no splits.
        class_name, name: As the set has them: `naming.Names` makes file names of them.
        photo: An image, a named tuple: it has the `path` of its file, `load()`, which gives uint8 `(h, w)`
            or RGB `(h, w, 3)` or raises an `ImageError`, and a text that names its file. `None` for sketches
            alone.
        sketches: A tuple of images, at least one.
    """

    split: str | None
    class_name: str
    name: str
    photo: object
    sketches: tuple
