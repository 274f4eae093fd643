"""ImageNet-Sketch: sketches of ImageNet's classes, without photos."""

from collections import Counter
from pathlib import Path

from data_tools.groups import DataError
from data_tools.importers.importer import Importer, find_classes, read_lines, sketch_groups, sub_folders
from data_tools.naming import folded, safe_name


def add_options(parser):
    parser.add_argument(
        "--class-names",
        metavar="FILE",
        help="with a line 'n01440764 tench, Tinca tinca' for each folder, as LOC_synset_mapping.txt and "
        "WordNet's words.txt have them: the first name is the class's (default: the folder's name is)",
    )


def find(root, options, findings):
    base = find_classes(root, "sketch")
    names = None
    if options["class_names"]:
        names = _class_names(
            [folder.name for folder in sub_folders(base)], Path(options["class_names"]), findings
        )
    return sketch_groups(base, findings, names)


def _class_names(ids, file, findings):
    """The class of each id, a dict: its first name, with the id where another has that name."""
    if not file.is_file():
        raise DataError(f"--class-names must be a text file. Received: {file}")
    names = {}
    for line in read_lines(file):
        key, _, terms = line.replace("\t", " ").partition(" ")
        name = terms.split(",")[0].strip()
        if not name:
            raise DataError(f"each line of --class-names {file} must be an id and names. Received: {line!r}")
        names[key] = name
    for key in (key for key in ids if key not in names):
        findings.add("classes not in --class-names (their folder's name is kept)", key)
    names = {key: names.get(key, key) for key in ids}
    count = Counter(map(_folder, names.values()))
    return {key: name if count[_folder(name)] == 1 else f"{name} {key}" for key, name in names.items()}


def _folder(name):
    """What of a name two classes must not share."""
    return folded(safe_name(name))


IMPORTER = Importer(
    name="imagenet-sketch",
    summary="ImageNet-Sketch: sketches alone, of 1,000 classes",
    layout="""    sketch/<id>/<name>.JPEG, such as sketch/n01440764/sketch_13.JPEG,
    or the class folders alone""",
    example="imagenet-sketch ImageNet-Sketch.zip --class-names LOC_synset_mapping.txt --out imagenet_sketch",
    find=find,
    add_options=add_options,
)
