"""What may be wrong with a folder of pairs: each kind of finding, how bad it is, and what it means."""

from typing import NamedTuple

SEVERITIES = ("error", "warning", "note")
_SHOWN = 3  # files of one finding, as text


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        severity: `"error"`: training would fail or be wrong; `"warning"`: worth a look; `"note"`: to know.
        what: What follows the count in a sentence.
    """

    severity: str
    what: str


KINDS = {
    "layout": Kind("error", "reasons why the reader refuses the folder"),
    "same_stem": Kind(
        "error", "names of several images that differ by the extension alone (the reader stops)"
    ),
    "alike_class_names": Kind("error", "sets of class names that differ by case and spaces alone"),
    "unreadable": Kind("error", "files cannot be decoded"),
    "truncated": Kind("error", "files end too early, or are damaged"),
    "blank_sketch": Kind("error", "sketches are blank"),
    "inverted_sketch": Kind("error", "sketches are light lines on dark, unlike the white paper of padding"),
    "sketch_is_photo": Kind("error", "sketches are their photos made grey: there is nothing to learn"),
    "photo_in_two_classes": Kind("error", "photos are in more than one class"),
    "sketch_in_two_classes": Kind("error", "sketches are in more than one class"),
    "leaked_photo": Kind("error", "photos are in more than one split"),
    "leaked_sketch": Kind("error", "sketches are in more than one split"),
    "nearly_leaked_photo": Kind("error", "photos are in more than one split, nearly the same"),
    "nearly_leaked_sketch": Kind("warning", "sketches are in more than one split, nearly the same"),
    "photo_nearly_in_two_classes": Kind("warning", "photos are in more than one class, nearly the same"),
    "sketch_nearly_in_two_classes": Kind("warning", "sketches are in more than one class, nearly the same"),
    "duplicate_photo": Kind("warning", "photos are there more than once"),
    "duplicate_sketch": Kind("warning", "sketches are there more than once"),
    "near_duplicate_photo": Kind("warning", "photos are there more than once, nearly the same"),
    "near_duplicate_sketch": Kind("warning", "sketches are there more than once, nearly the same"),
    "unpaired_photo": Kind("warning", "photos have no sketch (left out of training)"),
    "unpaired_sketch": Kind("warning", "sketches have no photo (left out of training)"),
    "ambiguous_name": Kind(
        "warning", "sketches have names that fit two photos (taken for the one of the same name)"
    ),
    "wrong_extension": Kind("warning", "files are of another format than their extension says"),
    "tiny": Kind("warning", "images are smaller than any training size"),
    "huge": Kind("warning", "images are so large that they slow the training down"),
    "odd_size": Kind("warning", "images are far larger or smaller than most of their kind"),
    "odd_proportions": Kind("warning", "images have other proportions than most of their kind"),
    "unequal_proportions": Kind("warning", "pairs have a photo and a sketch of different proportions"),
    "cmyk": Kind("warning", "images hold the inks of a printer (CMYK): colours may be off"),
    "twelve_bit": Kind(
        "warning", "images hold at most 12 of 16 bits a channel: made 8, they are nearly black"
    ),
    "blank_photo": Kind("warning", "photos are of a single colour"),
    "faint_sketch": Kind(
        "warning", "sketches are so thin or pale that little is left of them at the size of training"
    ),
    "coloured_sketch": Kind("warning", "sketches are coloured (made grey in training)"),
    "grey_paper": Kind("warning", "sketches are on paper that is not white"),
    "misaligned_class": Kind(
        "warning", "classes do not align, and others do: their photos and sketches may be mixed up"
    ),
    "one_class": Kind("warning", "class or none: training by class needs at least two"),
    "unbalanced": Kind("warning", "classes have far fewer pairs than the largest"),
    "class_missing": Kind("warning", "classes have nothing usable in a split"),
    "outside": Kind("warning", "images are outside of a class folder (not read)"),
    "nested_folder": Kind("warning", "folders are inside a class folder (not read)"),
    "other_folder": Kind("warning", "folders are no splits, nor photo or sketch folders (not read)"),
    "no_image": Kind("warning", "files are no images by their extension (not read)"),
    "mirrored_photo": Kind(
        "note", "photos are in more than one split, mirrored (leaked where training flips)"
    ),
    "mirrored_sketch": Kind(
        "note", "sketches are in more than one split, mirrored (leaked where training flips)"
    ),
    "grey_photo": Kind("note", "photos are without colour"),
    "alpha": Kind("note", "images are transparent (laid on white)"),
    "sixteen_bit": Kind("note", "images have 16 bits a channel (made 8)"),
    "clutter": Kind("note", "hidden files or folders and leavings of systems (passed over)"),
}


class Finding(NamedTuple):
    """One thing found.

    Attributes:
        files: Paths below the folder that is checked, or names of classes.
        detail: A text, such as the size; or `None`.
    """

    files: tuple
    detail: str | None = None

    def __str__(self):
        more = " & ..." if len(self.files) > _SHOWN else ""
        return " & ".join(self.files[:_SHOWN]) + more + (f" ({self.detail})" if self.detail else "")


class Findings:
    """What was found, by kind.

    Args:
        root: The folder: paths are shown from there.

    Example:

    >>> findings = Findings(root)
    >>> findings.add("tiny", root / "train/photo/cat/1.png", detail="4 x 4 px")
    """

    def __init__(self, root):
        self._root = root
        self._by_kind = {}

    def add(self, kind, *files, detail=None):
        """Records files, or names, that make one finding of a kind."""
        names = (file if isinstance(file, str) else file.relative_to(self._root).as_posix() for file in files)
        self._by_kind.setdefault(kind, []).append(Finding(tuple(names), detail))

    def __getitem__(self, kind):
        return self._by_kind.get(kind, [])

    def items(self):
        """`(kind, findings)`, the worst kinds first."""
        return [(kind, self._by_kind[kind]) for kind in KINDS if kind in self._by_kind]

    def worst(self):
        """The worst severity there is, or `None`."""
        found = {KINDS[kind].severity for kind in self._by_kind}
        return next((severity for severity in SEVERITIES if severity in found), None)
