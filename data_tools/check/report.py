"""What a check found, as lines to read and as JSON.

The JSON report is one object:

    folder              the folder, as it was given
    sketch_only         whether it has sketches and no photos
    worst               "error", "warning", "note" or null
    images              {"photo": n, "sketch": n}
    counts              {split: {class: {"photos": n, "sketches": n, "pairs": n}}}; the split is "all" where
                        there are no split folders; pairs are those that training can use
    sketches_per_photo  {"least": n, "mean": x, "most": n}, or null without pairs
    sizes               {side: {"least": [height, width], "median": ..., "most": ...}} in pixels
    balance             {split: {"smallest": {"class": name, "pairs": n}, "largest": ...}}; "sketches" in
                        place of "pairs" where sketch_only
    alignment           {"value": x or null, "text": ..., "classes": {class: x}}, or null where it was not
                        measured; the classes are those that have at least eight photos
    findings            a list, the worst first, of {"kind": ..., "severity": "error", "warning" or "note",
                        "what": ..., "count": n, "found": [{"files": [...], "detail": text or null}, ...]};
                        files are below the folder, or names of classes; several in one are one finding, such
                        as copies of each other
"""

import math
from collections import Counter

import numpy as np

from data_tools.check.aligning import describe
from data_tools.check.kinds import KINDS, SEVERITIES
from data_tools.naming import printable

_SHOWN = 4  # findings of a kind in the lines
_MOST_CLASSES = 20  # with a line of their own


def as_json(inspection):
    """The report as a dict that JSON can hold (see above)."""
    layout, value = inspection.layout, inspection.alignment
    alignment = None
    if value is not None:
        alignment = {
            "value": None if math.isnan(value) else round(value, 4),
            "text": describe(value),
            "classes": {name: round(figure, 4) for name, figure in inspection.class_alignment.items()},
        }
    return {
        "folder": str(layout.root),
        "sketch_only": layout.sketch_only,
        "worst": inspection.findings.worst(),
        "images": dict(Counter(item.side for item in inspection.items)),
        "counts": inspection.counts,
        "sketches_per_photo": inspection.sketches_per_photo,
        "sizes": {side: _sizes(inspection, side) for side in layout.sides},
        "balance": inspection.balance,
        "alignment": alignment,
        "findings": [
            {
                "kind": kind,
                "severity": KINDS[kind].severity,
                "what": KINDS[kind].what,
                "count": len(found),
                "found": [{"files": list(each.files), "detail": each.detail} for each in found],
            }
            for kind, found in inspection.findings.items()
        ],
    }


def lines(inspection):
    """The report as lines of text: counts, sizes, alignment, then what was found, the worst first."""
    return map(printable, _lines(inspection, as_json(inspection)))


def _lines(inspection, report):
    if report["sketch_only"]:
        yield f"{report['folder']} is a sketch-only set: it has no photos, so what needs pairs is not checked"
    for split, classes in report["counts"].items():
        total = {what: sum(each[what] for each in classes.values()) for what in next(iter(classes.values()))}
        yield f"{split}: {len(classes)} classes, {_counted(total, report['sketch_only'])}"
        yield from _class_lines(classes, report, split)
    each = report["sketches_per_photo"]
    if each and each["most"] > 1:
        yield f"sketches a photo: {each['least']} to {each['most']}, {each['mean']} in the mean"
    for side, sizes in report["sizes"].items():
        if sizes:
            least, median, most = (" x ".join(map(str, sizes[which][::-1])) for which in sizes)
            yield f"{side}: {median} px" + ("" if least == most else f" in the median, {least} to {most}")
    if report["alignment"]:
        yield report["alignment"]["text"]
        yield from _alignment_lines(report["alignment"]["classes"])
    for kind, found in inspection.findings.items():
        shown = ", ".join(map(str, found[:_SHOWN]))
        more = ", ..." if len(found) > _SHOWN else ""
        yield f"{KINDS[kind].severity}: {len(found)} {KINDS[kind].what}: {shown}{more}"
    yield _summary(report)


def _counted(counts, sketch_only):
    return ", ".join(f"{n} {what}" for what, n in counts.items() if what == "sketches" or not sketch_only)


def _class_lines(classes, report, split):
    if len(classes) <= _MOST_CLASSES:
        for name, counts in classes.items():
            yield f"    {name}: {_counted(counts, report['sketch_only'])}"
    else:
        of_split = report["balance"][split]
        (small, least), (large, most) = (of_split[which].values() for which in ("smallest", "largest"))
        yield f"    from {least} ({small}) to {most} ({large}) a class"


def _alignment_lines(by_class):
    """The classes that align the least come first."""
    figures = [f"{name} {figure:.2f}" for name, figure in sorted(by_class.items(), key=lambda each: each[1])]
    if figures:
        more = ", ..." if len(figures) > _MOST_CLASSES else ""
        yield f"    by class: {', '.join(figures[:_MOST_CLASSES])}{more}"


def _sizes(inspection, side):
    """The smallest, the median and the largest height and width, each for itself; `None` without images."""
    looks = [f.look for item, f in zip(inspection.items, inspection.features) if f.look and item.side == side]
    if not looks:
        return None
    sides = np.array([(look.height, look.width) for look in looks])
    measures = {"least": sides.min(axis=0), "median": np.median(sides, axis=0), "most": sides.max(axis=0)}
    return {name: [int(side) for side in values] for name, values in measures.items()}


def _summary(report):
    counts = {
        severity: sum(each["count"] for each in report["findings"] if each["severity"] == severity)
        for severity in SEVERITIES
    }
    found = [f"{n} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items() if n]
    return ", ".join(found) or "nothing is wrong that can be seen"
