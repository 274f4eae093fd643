"""What the generator draws while it learns."""

from pathlib import Path

import keras

from keras_cgan.data import write_image
from keras_cgan.precision import to_float32


class DrawPictures(keras.callbacks.Callback):
    """Draws a picture after each epoch, by the generator that is kept: the averaged one, where there is one.

    To be made outside of a strategy's scope, by the chief alone: a network of the strategy's would wait for
    the other workers, which do not draw, and every one of several devices would draw all the images.

    Args:
        model: A compiled `AdversarialModel`.
        folder: Where to write `epoch-001.png` and so on.
        draw: A function from a generator to a picture, uint8 `(height, width, 3)`.
        stem: In place of "epoch" in the names of the files.

    Attributes:
        generator: What draws: a float32 network of its own, with the model's weights at the last epoch's end.

    Example:

    >>> pictures = DrawPictures(gan, "run/samples", lambda generator: sample_grid(generator, *test, names))
    >>> gan.fit(dataset, epochs=10, callbacks=[pictures])
    """

    def __init__(self, model, folder, draw, stem="epoch"):
        super().__init__()
        self._trained, self._draw = model, draw
        self._folder, self._stem = Path(folder), stem
        self.generator = to_float32(model.kept_generator())

    def update(self):
        """Gives `generator` the model's weights of now."""
        self.generator.set_weights(self._trained.kept_generator().get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.update()
        write_image(self._folder / f"{self._stem}-{epoch + 1:03d}.png", self._draw(self.generator))
