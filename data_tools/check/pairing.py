"""Which photo and which sketches belong together, how many there are, and whether classes are balanced."""

from collections import Counter

from data_tools.check.duplicates import class_key
from data_tools.naming import folded

from keras_cgan.data import scan

ALL = "all"  # how reports call the split of a folder without splits
_MOST_IMBALANCE = 5  # times as many pairs in the largest class


def match_items(items, findings):
    """Gives each sketch its photo, as the reader does, and records what is left alone or fits two photos.

    Args:
        items: `Item`s.
        findings: `Findings`.

    Returns:
        A list of `(photo, sketch)`, the numbers of items.
    """
    folders, pairs = {}, []
    for number, item in enumerate(items):
        by_side = folders.setdefault((item.split, item.class_name), {side: {} for side in scan.SIDES})
        by_side[item.side].setdefault(item.path.stem, []).append(number)
    for by_side in folders.values():
        for numbers in (same for stems in by_side.values() for same in stems.values() if len(same) > 1):
            findings.add("same_stem", *(items[number].path for number in numbers))
        for fitting in scan.ambiguous(by_side["photo"], by_side["sketch"]):
            findings.add("ambiguous_name", *(items[numbers[0]].path for numbers in fitting))
        pairs += _match(by_side, items)
    if len({item.side for item in items}) > 1:
        _record_alone(folders.values(), pairs, items, findings)
    return pairs


def _record_alone(folders, pairs, items, findings):
    """Records what has no partner, and which image would be that but for the spelling of its name."""
    alike = {}
    for by_side in folders:
        for photo, sketch in _match(_folded(by_side), items):
            alike.setdefault(photo, sketch)
            alike.setdefault(sketch, photo)
    for number in sorted(set(range(len(items))).difference(*pairs)):
        other = items[alike[number]].path.name if number in alike else None
        detail = other and f"{other} differs by upper and lower case or Unicode form alone"
        findings.add(f"unpaired_{items[number].side}", items[number].path, detail=detail)


def _folded(by_side):
    """The images of a folder by side and by stem, whose case and Unicode form do not count."""
    folded_sides = {side: {} for side in by_side}
    for side, stems in by_side.items():
        for stem, numbers in stems.items():
            folded_sides[side].setdefault(folded(stem), []).extend(numbers)
    return folded_sides


def _match(by_side, items):
    """Of images of one stem the first is matched, and the others stand with it."""
    others = {same[0]: same[1:] for stems in by_side.values() for same in stems.values()}
    numbers = {items[number].path: number for number in others}
    photos, sketches = (
        {stem: items[same[0]].path for stem, same in by_side[side].items()} for side in scan.SIDES
    )
    pairs = scan.match(photos, sketches, scan.Findings(next(iter(numbers)).parents[2]))
    found = [(numbers[photo], numbers[sketch]) for photo, sketch in pairs]
    for photo, sketch in list(found):
        found += [(more, sketch) for more in others[photo]] + [(photo, more) for more in others[sketch]]
    return sorted(set(found))


def count(items, class_names, pairs, usable):
    """Photos, sketches and pairs by split and class.

    Args:
        items: `Item`s.
        class_names: Of all classes, those without an image with them.
        pairs: `(photo, sketch)`, numbers of items.
        usable: A set of the numbers of those that training can use.

    Returns:
        A dict by split, of dicts by class, of `{"photos", "sketches", "pairs"}`; photos and sketches are all
        that are there, pairs those of which both sides are usable.
    """
    splits = sorted({item.split or ALL for item in items}, key=lambda split: (split != "train", split))
    counts = {
        split: {name: {"photos": 0, "sketches": 0, "pairs": 0} for name in class_names} for split in splits
    }
    for item in items:
        what = "photos" if item.side == "photo" else "sketches"
        counts[item.split or ALL][item.class_name][what] += 1
    for photo, sketch in pairs:
        if photo in usable and sketch in usable:
            counts[items[photo].split or ALL][items[photo].class_name]["pairs"] += 1
    return counts


def sketches_per_photo(pairs):
    """How many sketches photos have: `{"least", "mean", "most"}`, or `None` without pairs."""
    each = Counter(photo for photo, _ in pairs).values()
    return {"least": min(each), "mean": round(sum(each) / len(each), 2), "most": max(each)} if each else None


def record_balance(counts, sketch_only, findings):
    """Records classes that are missing or few, and names that differ by case and spaces alone.

    Args:
        counts: As `count` gives them.
        sketch_only: Whether sketches count, as there are no pairs.
        findings: `Findings`.

    Returns:
        By split the smallest and the largest class, each with what it has: a dict of dicts.
    """
    what, balance = "sketches" if sketch_only else "pairs", {}
    for split, classes in counts.items():
        sizes = {name: of_class[what] for name, of_class in classes.items()}
        for name in (name for name, size in sizes.items() if not size):
            findings.add("class_missing", name, detail=f"in {split}")
        smallest, largest = min(sizes, key=sizes.get), max(sizes, key=sizes.get)
        balance[split] = {
            "smallest": {"class": smallest, what: sizes[smallest]},
            "largest": {"class": largest, what: sizes[largest]},
        }
        for name, size in sizes.items():
            if 0 < size * _MOST_IMBALANCE < sizes[largest]:
                findings.add("unbalanced", name, detail=f"{size} of {sizes[largest]} in {split}")
    _record_alike_names(next(iter(counts.values()), ()), findings)
    return balance


def _record_alike_names(names, findings):
    alike = {}
    for name in names:
        alike.setdefault(folded(class_key(name)), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            findings.add("alike_class_names", *map(repr, same))
