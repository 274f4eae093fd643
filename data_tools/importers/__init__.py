"""The data sets that can be imported, one file each."""

from data_tools.importers import (
    csv_manifest,
    folders,
    imagenet_sketch,
    openmoji,
    photos,
    qmul,
    quickdraw,
    side_by_side,
    sketchy,
    sketchycoco,
    tu_berlin,
)

_MODULES = (
    sketchy,
    qmul,
    sketchycoco,
    side_by_side,
    folders,
    csv_manifest,
    openmoji,
    photos,
    tu_berlin,
    quickdraw,
    imagenet_sketch,
)
IMPORTERS = {module.IMPORTER.name: module.IMPORTER for module in _MODULES}
