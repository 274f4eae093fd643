"""Names of files and folders that every file system takes, and that no two things share."""

import re
import unicodedata

from data_tools.groups import DataError

from keras_cgan.data.scan import SIDES

MOST_BYTES = 150  # file systems take 255; ending, number and the name of a file in the making come on top
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
# Windows takes these for devices, whatever follows a dot.
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\s*(\.|$))", re.IGNORECASE)
_DROPPED = re.compile(r"[\s.]+$")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSED_OVER = ("thumbs.db", "desktop.ini", "__macosx")  # by `keras_cgan.data`, as hidden files are


def safe_name(text):
    """A name for a file or folder on any system: Unicode and spaces stay, what some forbid becomes `_`.

    Args:
        text: Any text.

    Returns:
        Text that is not empty, has no separator, does not begin with a dot, and is at most `MOST_BYTES` long
        in UTF-8.

    Example:

    >>> safe_name("../bear: big?"), safe_name("con"), safe_name("straße 1")
    ('_._bear_ big_', 'con_', 'straße 1')
    """
    name = _FORBIDDEN.sub("_", composed(text)).strip()
    if name.startswith("."):
        name = "_" + name[1:]
    name = _cut(_RESERVED.sub(r"\1_", _cut(name)))
    if not name or name.lower() in _PASSED_OVER:
        name += "_"
    return name


def _cut(name):
    """At most `MOST_BYTES`, and without an ending that Windows drops."""
    return _DROPPED.sub("", name.encode()[:MOST_BYTES].decode(errors="ignore"))


def printable(text):
    """A text whose control characters, and bytes that are no text, are shown as escapes.

    Example:

    >>> print(printable("two" + chr(10) + "lines"))
    two\\nlines
    """
    return _NOT_PRINTED.sub(lambda match: match[0].encode("unicode-escape").decode(), text)


def composed(name):
    """A name with each letter and its accent as one character, in which other systems write two."""
    return unicodedata.normalize("NFC", name)


def folded(name):
    """What a name is where upper and lower case are one."""
    return composed(name.casefold())


class Names:
    """Gives names that differ by more than case, within a class of a split.

    A reader matches `a-1` and `a-2` to the photo `a`: so none of these is given to anything else.
    """

    def __init__(self):
        self._taken = {}
        self._last = {}
        self._classes = {}

    def of_class(self, text):
        """The folder of a class.

        Raises:
            DataError: Another class would have the same folder.
        """
        name = safe_name(text)
        if folded(name) in SIDES:  # which would be read as folders of a split
            name += "_"
        first = self._classes.setdefault(folded(name), text)
        if first != text:
            raise DataError(
                "classes must differ by more than case and by more than characters that file names cannot "
                f"have. Received: {first!r} and {text!r}"
            )
        return name

    def of_group(self, folder, text, sketches):
        """The stem of a photo and those of its sketches.

        Args:
            folder: What the names must differ in, such as split and class.
            text: The name that is wanted.
            sketches: How many there are.

        Returns:
            `(stem, sketch_stems)`: one sketch has the photo's stem, several have `<stem>-1`, `<stem>-2`, ...
            Where the name is taken, it is the first of `<name>_2`, `<name>_3`, ... that is not.
        """
        taken = self._taken.setdefault(folder, set())
        wanted = safe_name(text)
        # What was taken stays so: thousands of photos of one name need not be counted through each time.
        key = (folder, folded(wanted), sketches)
        number = self._last.get(key, 1)
        while True:
            stem = wanted if number == 1 else f"{wanted}_{number}"
            stems = [stem] if sketches == 1 else [f"{stem}-{n}" for n in range(1, sketches + 1)]
            names = {folded(name) for name in (stem, *stems)}
            if not names & taken:
                taken |= names
                self._last[key] = number
                return stem, stems
            number += 1
