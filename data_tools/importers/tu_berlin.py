"""TU-Berlin: sketches of 250 classes, without photos."""

from data_tools.importers.importer import Importer, find_classes, sketch_groups


def find(root, options, findings):
    return sketch_groups(find_classes(root, "png"), findings)


IMPORTER = Importer(
    name="tu-berlin",
    summary="TU-Berlin: sketches alone, 80 of each of 250 classes",
    layout="""    png/<class>/<number>.png, or the class folders alone""",
    example="tu-berlin sketches_png.zip --out tu_berlin",
    find=find,
    licence="CC BY 4.0",
)
