"""Where the files of a photo/sketch folder are, and which of them belong together. Decodes nothing."""

import hashlib
import os
import warnings

LAYOUT = """Expected layout:
    <root>/<split>/photo/<class>/<name>.png
    <root>/<split>/sketch/<class>/<name>.png    (or, several of a photo, <name>-1.png, <name>-2.png, ...)
where <split> is train, test, val, ...; of <root>/photo and <root>/sketch a test share is held out."""
SKETCH_ONLY = (
    "This is a sketch-only set: it has sketches but no photos, and so no pairs. It serves unpaired training "
    "(`sketches` of UnpairedPipeline; `--sketches` of CycleGAN's script) and the class-conditional recipes "
    "that draw from labels alone (cGAN, AC-GAN, InfoGAN, ControlGAN); paired training needs the photos too."
)
EXTENSIONS = frozenset(
    ".png .jpg .jpeg .jpe .jfif .bmp .dib .webp .tif .tiff .gif .ppm .pgm .pbm .pnm .jp2 .avif".split()
)
SIDES = ("photo", "sketch")
FITS_TWO = "sketches whose names fit two photos (taken for the one of the same name)"
_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")
_SHOWN = 5


class DataWarning(UserWarning):
    """Part of a data set is left out or changed; the message counts and names the files."""


class Findings:
    """What is wrong with a folder, gathered by kind so that each kind is one warning, not thousands."""

    def __init__(self, root):
        self.root = root
        self.names = {}

    def add(self, kind, what):
        """Records that a path below the root, or a name, is of a kind ("photos without a sketch")."""
        name = what if isinstance(what, str) else what.relative_to(self.root).as_posix()
        self.names.setdefault(kind, []).append(name)

    def lines(self):
        """One line a kind: the count and the first few names."""
        return counted(self.names)

    def warn(self, stacklevel):
        """Gives one `DataWarning` a kind."""
        for line in self.lines():
            warnings.warn(f"{self.root}: {line}", DataWarning, stacklevel=stacklevel + 1)


def counted(names_by_kind, shown=_SHOWN):
    """One line a kind of a dict of kind -> names: the count and the first few of them."""
    for kind, names in names_by_kind.items():
        more = ", ..." if len(names) > shown else ""
        yield f"{len(names)} {kind}: {', '.join(names[:shown])}{more}"


def entries(folder):
    """The folders and the files in a folder, sorted; hidden files and system clutter are left out quietly."""
    with os.scandir(folder) as scan:
        found = [(entry.name, _is_dir(entry)) for entry in scan]
    folders, files = [], []
    for name, is_dir in sorted(found):
        if not name.startswith(".") and name.lower() not in _CLUTTER:
            (folders if is_dir else files).append(folder / name)
    return folders, files


def _is_dir(entry):
    """Whether an entry of a folder is one, or a link to one; a link that leads nowhere is a file."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where this user may not look
        return False


def split_names(root):
    """The sub-folders that hold a photo or a sketch folder."""
    folders, _ = entries(root)
    return [folder.name for folder in folders if any((folder / side).is_dir() for side in SIDES)]


def find_base(root, split):
    """Finds the folder that holds `photo` and `sketch`.

    Returns:
        That folder, and whether train and test still have to be parted in it.

    Raises:
        FileNotFoundError: If there is no folder `root`.
        ValueError: If it is not laid out as `LAYOUT` says, or has no such split.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"`root` must be an existing folder. {LAYOUT}\nReceived: root={str(root)!r}")
    splits = split_names(root)
    flat = any((root / side).is_dir() for side in SIDES)
    if flat and splits:
        raise ValueError(
            f"{root} has photo or sketch folders of its own and in {splits} as well: it cannot be told which "
            f"split they belong to. {LAYOUT}\nReceived: root={str(root)!r}"
        )
    parted_here = (flat or splits == ["train"]) and split in ("train", "test")
    if not (parted_here or split in splits):
        if flat:
            found = "photo/sketch folders without split folders, for which `split` must be 'train' or 'test'"
        else:
            others = [path.name for path in sum(entries(root), [])][:_SHOWN] or "nothing"
            found = f"splits {splits}" if splits else others
        raise ValueError(
            f"There is no split {split!r} in {root}. {LAYOUT}\nFound: {found}. "
            f"Received: root={str(root)!r}, split={split!r}"
        )
    base = root if flat else root / ("train" if parted_here else split)
    missing = [side for side in SIDES if not (base / side).is_dir()]
    if missing:
        reason = SKETCH_ONLY if missing == ["photo"] else "Without sketches there are no pairs."
        raise ValueError(
            f"{base} has no {missing[0]} folder. {reason} {LAYOUT}\n"
            f"Received: root={str(root)!r}, split={split!r}"
        )
    return base, parted_here


def class_folders(root):
    """The names of the class folders of all splits together: train and test must number them alike."""
    bases = [root / name for name in split_names(root)] or [root]
    sides = [base / side for base in bases for side in SIDES if (base / side).is_dir()]
    return sorted({folder.name for side in sides for folder in entries(side)[0]})


def images_by_stem(folder, findings):
    """The image files of one class folder by stem; everything else in it is recorded.

    Raises:
        ValueError: If two images have one stem, so that a partner of that name would be ambiguous.
    """
    if not folder.is_dir():
        return {}
    images = {}
    folders, files = entries(folder)
    for path in folders:
        findings.add("folders inside a class folder (not read)", path)
    for path in files:
        if path.suffix.lower() not in EXTENSIONS:
            findings.add("files that are no images by their extension (not read)", path)
        elif path.stem in images:
            raise ValueError(
                f"Image names in {folder} must differ by more than the extension. "
                f"Received: {images[path.stem].name} and {path.name}"
            )
        else:
            images[path.stem] = path
    return images


def match(photos, sketches, findings):
    """Gives each sketch its photo: the same stem, or else the stem without a numbered ending ("-2").

    Args:
        photos, sketches: Paths by stem, dicts.
        findings: `Findings`, for what has no partner, and for sketches that may have another.

    Returns:
        A list of `(photo_path, sketch_path)`, one for each sketch that has a photo.
    """
    pairs = []
    for stem, sketch in sketches.items():
        key, _, number = stem.rpartition("-")
        photo = photos.get(stem) or (photos.get(key) if number.isdecimal() else None)
        if photo is None:
            findings.add("sketches without a photo (left out)", sketch)
        else:
            pairs.append((photo, sketch))
    for sketch, _, other in ambiguous(photos, sketches):
        name = sketch.relative_to(findings.root).as_posix()
        findings.add(FITS_TWO, f"{name} (or one of several of {other.name})")
    matched = {photo for photo, _ in pairs}
    for photo in photos.values():
        if photo not in matched:
            findings.add("photos without a sketch (left out)", photo)
    return pairs


def ambiguous(photos, sketches):
    """The sketches `a-1` of which there is a photo `a-1`, and a photo `a` that has other numbered sketches.

    Args:
        photos, sketches: Anything by stem, dicts.

    Returns:
        A list of `(sketch, photo, other_photo)`, of the dicts' values.
    """
    several, doubtful = set(), []
    for stem in sketches:
        key, _, number = stem.rpartition("-")
        if number.isdecimal() and key in photos:
            if stem in photos:
                doubtful.append((stem, key))
            else:
                several.add(key)
    return [(sketches[stem], photos[stem], photos[key]) for stem, key in doubtful if key in several]


def held_out(photos, share, seed):
    """The photos of one class that make its test part: about a share, and at least one on either side.

    They are the first in the order of a hash of their names, so that adding photos moves few of the others.
    """
    photos = set(photos)
    if share == 0:
        return set()

    def draw(path):
        text = f"{seed}/{path.parent.name}/{path.stem}"
        return hashlib.sha256(text.encode(errors="surrogatepass")).digest()  # names may be no text

    count = min(max(1, round(share * len(photos))), len(photos) - 1)
    return set(sorted(photos, key=draw)[: max(count, 0)])
