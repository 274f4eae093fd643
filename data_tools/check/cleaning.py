"""What of a folder goes into a cleaned copy, and what is left out and why. Reads and writes no image."""

from collections import Counter

from data_tools.check.duplicates import class_key
from data_tools.check.looks import is_its_photo
from data_tools.importers.importer import natural

UNREADABLE = "files that cannot be decoded (left out)"
BLANK = "sketches that are blank (left out)"
ITS_PHOTO = "sketches that are their photos made grey (left out)"
SAME_NAME = "images that share their name with another picture, but for the extension (left out)"
TWO_CLASSES = "images that are in two classes (left out)"
LEAKED = "images that are in another split as well (left out)"
REPEATED_PHOTO = "photos that are there already (their sketches go to the first)"
REPEATED_SKETCH = "sketches that are there already (left out)"
UNPAIRED = "images that have no partner, or none that is left (left out)"


class Cleaning:
    """Decides which images of a folder are kept.

    Args:
        inspection: An `Inspection`.

    Attributes:
        dropped: By the number of an item, why it is left out.
        groups: `(photo, sketches)`, numbers of items, what is kept; the photo is `None` in a sketch-only set.
        class_names: By the name of each class folder the one that it gets: names that differ by case and
            spaces alone become the most frequent of them.
    """

    def __init__(self, inspection):
        self._items, self._pairs = inspection.items, inspection.pairs
        self._copies, self._sketch_only = inspection.copies, inspection.layout.sketch_only
        self.dropped, self._merged = {}, {}
        self.class_names = _joined_names([item.class_name for item in self._items])
        self._first = {n: same[0] for copies in self._copies.values() for same in copies.same for n in same}
        for number, found in enumerate(inspection.features):
            if number not in inspection.usable:
                self._drop(BLANK if found.look else UNREADABLE, [number])
        for photo, sketch in self._pairs:
            if is_its_photo(inspection.features[photo], inspection.features[sketch]):
                self._drop(ITS_PHOTO, [sketch])
        self._drop_same_names()
        self._drop_unpaired()
        self._drop_two_classes()
        self._drop_leaked()
        self._merged = self._merge_repeated()
        self._drop_unpaired()
        self.groups = self._grouped()

    def _drop(self, reason, numbers):
        for number in numbers:
            self.dropped.setdefault(number, reason)

    def _left(self, numbers):
        return [number for number in numbers if number not in self.dropped]

    def _sets_of_same(self):
        return [
            left for copies in self._copies.values() for same in copies.same if (left := self._left(same))
        ]

    def _drop_same_names(self):
        """One name, several extensions: one is kept where all show the same, else none, for a partner's
        name does not say which is meant."""
        places = {}
        for number in self._left(range(len(self._items))):
            item = self._items[number]
            places.setdefault((item.path.parent, item.path.stem), []).append(number)
        near = {tuple(pair) for copies in self._copies.values() for pair in copies.near.tolist()}
        for numbers in (numbers for numbers in places.values() if len(numbers) > 1):
            kept, *others = (self._first.get(number, number) for number in numbers)
            alike = all(other == kept or tuple(sorted((kept, other))) in near for other in others)
            self._drop(SAME_NAME, numbers[1:] if alike else numbers)

    def _drop_two_classes(self):
        for same in self._sets_of_same():
            if len({class_key(self._items[number].class_name) for number in same}) > 1:
                self._drop(TWO_CLASSES, same)

    def _drop_leaked(self):
        """Of copies in several splits those in the test stay, or else those that are not in the training."""
        for same in self._sets_of_same():
            last = max(self._rank(number) for number in same)
            self._drop(LEAKED, [number for number in same if self._rank(number) < last])
        for copies in self._copies.values():
            same_as = {same[0]: same for same in copies.same}
            for pair in copies.near.tolist():
                one, other = (self._left(same_as.get(number, [number])) for number in pair)
                for a, b in ((a, b) for a in one for b in other if self._rank(a) != self._rank(b)):
                    self._drop(LEAKED, [min(a, b, key=self._rank)])

    def _rank(self, number):
        split = self._items[number].split
        return {"train": 0, "test": 2}.get(split, 1), split or ""

    def _merge_repeated(self):
        """The first of the same photos of a class takes the sketches of all: `{photo: first}`."""
        merged = {}
        for same in self._sets_of_same():
            by_split = {}
            for number in same:
                by_split.setdefault(self._items[number].split, []).append(number)
            for first, *others in by_split.values():
                if self._items[first].side == "photo":
                    merged.update(dict.fromkeys(others, first))
                    self._drop(REPEATED_PHOTO, others)
                elif self._sketch_only:
                    self._drop(REPEATED_SKETCH, others)
        return merged

    def _drop_unpaired(self):
        if not self._sketch_only:
            left = set(self._left(range(len(self._items))))
            self._drop(UNPAIRED, sorted(left.difference(*self._pairs_left())))

    def _pairs_left(self):
        """The pairs that are left, with the first of the same photos in place of the others."""
        pairs = [(self._merged.get(photo, photo), sketch) for photo, sketch in self._pairs]
        return [pair for pair in pairs if not self.dropped.keys() & set(pair)]

    def _grouped(self):
        if self._sketch_only:
            return [(None, [number]) for number in self._left(range(len(self._items)))]
        sketches = {}
        for photo, sketch in self._pairs_left():
            of_photo = sketches.setdefault(photo, {})
            first = of_photo.setdefault(self._first.get(sketch, sketch), sketch)
            if first != sketch:
                self._drop(REPEATED_SKETCH, [sketch])
        return [
            (photo, sorted(of_photo.values(), key=lambda n: natural(self._items[n].path.stem)))
            for photo, of_photo in sorted(sketches.items())
        ]


def _joined_names(names):
    by_key = {}
    for name, frequency in sorted(Counter(names).items()):
        by_key.setdefault(class_key(name), {})[name] = frequency
    return {name: max(alike, key=alike.get) for alike in by_key.values() for name in alike}
