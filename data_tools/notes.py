"""What is odd about images that an import reads, and cannot be seen any more in those that it writes."""

import contextlib
import json
import threading

from data_tools.check.formats import image_facts
from data_tools.check.kinds import KINDS
from data_tools.check.rules import odd_image, odd_pair
from data_tools.groups import HalfOfFile, ImageFile

from keras_cgan.data.images import FITS, read_bytes

_OF_SIZE = ("tiny", "unequal_proportions")  # of images that keep theirs, a check sees it


class Notes:
    """What is odd, by what images are made from.

    It is kept in a file as it is found: an import that goes on reads again only what was not written.

    Args:
        file: Lines of JSON.
        size, fit: As of `run_import`.
    """

    def __init__(self, file, size, fit):
        self._file, self._size, self._fit = file, size, fit
        self._lock = threading.Lock()
        self._found = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            with contextlib.suppress(ValueError):  # half a line, of a process that was killed
                origin, kind, name = json.loads(line)
                self._add(origin, kind, name)

    def look_at_image(self, origin, image, name, pixels):
        """Notes what is odd about an image, unless the importer draws it.

        Args:
            origin: A text: what it is made from.
            image: One of a `Group`.
            name: What it is shown as.
            pixels: What it loads.

        Raises:
            ImageError: Its file cannot be read.
        """
        if isinstance(image, (ImageFile, HalfOfFile)):
            facts = image_facts(read_bytes(image.path))
            self._note(origin, name, odd_image(facts, pixels.shape[:2], int(pixels.max())))

    def look_at_pair(self, origins, names, sizes):
        """Notes what is odd about a photo and a sketch, of their origins, names, and heights and widths."""
        self._note(" ".join(origins), " & ".join(names), odd_pair(*sizes))

    def of(self, *origins):
        """What was noted of an image, or a pair, of these origins: `(kind, name)`s."""
        return self._found.get(" ".join(origins), ())

    def text(self, kind):
        """What follows the count of a kind in a sentence, with what helps."""
        others = " or ".join(fit for fit in FITS if fit != self._fit)
        advice = f" (scaled one by one: where they do not align, try --fit {others}, or --size 0 and check)"
        return KINDS[kind].what + advice * (kind == "unequal_proportions")

    def _note(self, origin, name, found):
        for kind, detail in found:
            if self._size or kind not in _OF_SIZE:
                line = [origin, kind, f"{name} ({detail})" if detail else name]
                with self._lock, open(self._file, "a", encoding="utf-8") as file:
                    file.write(f"\n{json.dumps(line)}")  # after the half of a line, if there is one
                    self._add(*line)

    def _add(self, origin, kind, name):
        self._found.setdefault(origin, {})[kind, name] = None
