"""Photo/sketch pairs, class images, and their batches: nothing is imported until it is asked for."""

import importlib

_EXPORTS = {
    "Pairs": "pairs",
    "open_pairs": "opening",
    "EmbeddedPairs": "embedded",
    "FolderPairs": "folder",
    "ShardPairs": "shards",
    "ClassImages": "class_images",
    "open_images": "opening",
    "embedded_images": "embedded_digits",
    "DataWarning": "scan",
    "PairPipeline": "pipeline",
    "pair_dataset": "pipeline",
    "UnpairedPipeline": "unpaired",
    "GreyPairs": "unpaired",
    "ImageError": "images",
    "read_image": "images",
    "write_image": "images",
    "to_unit": "images",
    "to_uint8": "images",
}
__all__ = list(_EXPORTS)


def __getattr__(name):
    # Reading or drawing pairs needs no TensorFlow: only the pipeline does.
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)


def __dir__():
    return sorted(__all__)
