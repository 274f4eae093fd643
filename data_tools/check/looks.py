"""What is odd about single images, and pairs: size, proportions, channels, format, what sketches hold."""

import numpy as np

from data_tools.check.features import DARK
from data_tools.check.formats import fits_extension
from data_tools.check.likeness import same_in_grey
from data_tools.check.rules import apart, odd_image, odd_pair, size_text

_MOST_SIDE = 4096  # px
_FAR_SIZE = 4  # times the median, of the root of the area
_FAR_PROPORTIONS = 1.5  # times the median
_FLAT = 8  # levels between the darkest and the lightest, such as JPEG makes of a single one
_LEAST_INK = 0.0005  # share of the pixels of a sketch, at the size of training
_WHITE_PAPER = 235  # level


def is_blank(features):
    """Whether an image holds nothing but its paper, however thin or pale lines may be."""
    return np.ptp(features.look.levels) < _FLAT


def is_faint(features):
    """Whether the lines of a sketch are so thin or pale that the sizes of training average them away."""
    return not is_blank(features) and features.look.ink < _LEAST_INK


def is_inverted(features):
    """Whether a sketch is light on dark: its rim is dark, and most of it, and its lines are lighter."""
    paper, (darkest, lightest) = features.look.paper, features.look.levels
    return not is_blank(features) and paper < DARK and lightest - paper > paper - darkest


def is_its_photo(photo, sketch):
    """Whether a sketch is nothing but its photo made grey, both `Features`."""
    looks = photo.look, sketch.look
    return all(looks) and same_in_grey(*(look.thumbnail for look in looks))


def record_looks(items, features, findings):
    """Records what is odd about each image, in comparison with all of its side.

    Args:
        items: `Item`s.
        features: Their `Features`.
        findings: `Findings`.
    """
    read = [(item, found) for item, found in zip(items, features) if found.look]
    for item, found in zip(items, features):
        if found.facts.damage:
            findings.add("truncated", item.path, detail=found.problem)
        elif not found.look:
            findings.add("unreadable", item.path, detail=found.problem)
    for item, found in read:
        _record_facts(item, found, findings)
        (_record_sketch if item.side == "sketch" else _record_photo)(item, found, findings)
    for side in ("photo", "sketch"):
        _record_far_from_median([pair for pair in read if pair[0].side == side], findings)


def record_pairs(items, features, pairs, findings):
    """Records sketches that are their photos, and pairs of unequal proportions."""
    for photo, sketch in pairs:
        if is_its_photo(features[photo], features[sketch]):
            findings.add("sketch_is_photo", items[photo].path, items[sketch].path)
        looks = [features[number].look for number in (photo, sketch)]
        for kind, detail in odd_pair(*(look.size for look in looks)) if all(looks) else ():
            findings.add(kind, items[photo].path, items[sketch].path, detail=detail)


def _record_facts(item, found, findings):
    facts = found.facts
    if facts.format and not fits_extension(facts.format, item.path.suffix.lower()):
        findings.add("wrong_extension", item.path, detail=f"is {facts.format}")
    if facts.alpha:
        findings.add("alpha", item.path)
    if facts.bits == 16:
        findings.add("sixteen_bit", item.path)
    if max(found.look.size) > _MOST_SIDE:
        findings.add("huge", item.path, detail=size_text(found.look.size))
    for kind, detail in odd_image(facts, found.look.size, found.look.lightest):
        findings.add(kind, item.path, detail=detail)


def _record_photo(item, found, findings):
    if np.ptp(found.look.thumbnail, axis=(0, 1)).max() < _FLAT:
        findings.add("blank_photo", item.path)
    if not found.look.coloured:
        findings.add("grey_photo", item.path)


def _record_sketch(item, found, findings):
    paper = found.look.paper
    if is_faint(found):
        findings.add("faint_sketch", item.path)
    if is_blank(found):
        findings.add("blank_sketch", item.path, detail="white" if paper >= DARK else "black")
    elif is_inverted(found):
        findings.add("inverted_sketch", item.path)
    elif paper < _WHITE_PAPER:
        findings.add("grey_paper", item.path, detail=f"level {paper:.0f} of 255")
    if found.look.coloured:
        findings.add("coloured_sketch", item.path)


def _record_far_from_median(read, findings):
    if not read:
        return
    looks = [found.look for _, found in read]
    scale = float(np.median([_scale(look) for look in looks]))
    proportions = float(np.median([_proportions(look) for look in looks]))
    for item, found in read:
        if apart(_scale(found.look), scale) > _FAR_SIZE:
            findings.add("odd_size", item.path, detail=size_text(found.look.size))
        if apart(_proportions(found.look), proportions) > _FAR_PROPORTIONS:
            findings.add("odd_proportions", item.path, detail=size_text(found.look.size))


def _scale(look):
    return (look.height * look.width) ** 0.5


def _proportions(look):
    return look.width / look.height
