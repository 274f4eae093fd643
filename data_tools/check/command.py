"""`python -m data_tools check <folder>`."""

import argparse
import json
import os
from pathlib import Path

from data_tools.check.fixing import check_target, fix
from data_tools.check.inspection import inspect
from data_tools.check.report import as_json, lines
from data_tools.check.sheet import write_sheet
from data_tools.groups import DataError
from data_tools.importers.importer import positive
from data_tools.naming import printable
from data_tools.streams import complain, say
from data_tools.target import write_json

from keras_cgan.data.images import FITS


def add_parser(commands):
    """Adds the command to the others."""
    command = commands.add_parser(
        "check",
        help="what is wrong with a folder of pairs, or of sketches alone",
        description="Tells what is wrong with a folder of photo/sketch pairs, and can write a cleaned copy.\n"
        "Exit code: 0 nothing worse than notes, 1 warnings or errors in the folder, 2 it cannot be checked.",
        epilog="example:\n    python -m data_tools check my_pairs --sheet sheet.png --fix my_clean_pairs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("source", metavar="folder", help="of pairs, as the examples read it")
    command.add_argument(
        "--json", metavar="FILE", help="write the report with all files as JSON; -: print it, and no text"
    )
    command.add_argument("--sheet", metavar="FILE", help="write a picture of pairs and of suspicious images")
    command.add_argument("--fix", metavar="OUT", help="write a cleaned copy to a new folder")
    command.add_argument(
        "--force", action="store_true", help="replace an earlier copy in OUT, and files of --json and --sheet"
    )
    command.add_argument(
        "--fit",
        choices=FITS,
        default="pad",
        help="how the training will bring other proportions to size (default: %(default)s)",
    )
    command.add_argument(
        "--no-alignment",
        dest="alignment",
        action="store_false",
        help="do not measure how well photos and sketches align: TensorFlow is not started then",
    )
    command.add_argument("--threads", type=positive, help="that decode (default: as there are cores)")
    command.set_defaults(run=run)


def run(options):
    """Checks a folder; returns the exit code."""
    source = Path(options.source)
    for name, suffixes in (("json", (".json",)), ("sheet", (".png",))):
        _check_file(source, name, getattr(options, name), suffixes, options.force)
    if options.fix:
        check_target(source, options.fix, options.force)
    inspection = inspect(source, options.alignment, options.fit, options.threads)
    printed = options.json == "-"
    try:
        if options.json and not printed:
            write_json(Path(options.json), as_json(inspection))
        if options.sheet:
            write_sheet(options.sheet, inspection, options.fit)
    finally:  # the report must not be lost for a full disk
        report = json.dumps(as_json(inspection), indent=2) if printed else "\n".join(lines(inspection))
        unsaid = _say(report)
    if options.fix:
        report = fix(inspection, options.fix, options.force, options.threads)
        made = printable(f"made {options.fix}, by file in {Path(options.fix) / 'import.json'}:")
        made = "\n".join([made, *(f"    {len(names)} {kind}" for kind, names in report["left_out"].items())])
        unsaid = (complain if printed else _say)(made) or unsaid
    if unsaid and not isinstance(unsaid.__cause__, BrokenPipeError):  # `| head -1` wants no more
        raise unsaid
    return 0 if inspection.findings.worst() in (None, "note") else 1


def _say(text):
    """Prints a text; returns the error where it cannot, for the copy is to be written all the same."""
    try:
        say(text)
    except DataError as error:
        return error
    return None


def _check_file(source, name, file, suffixes, force):
    """A report must not be lost after minutes of work, nor be written into the set or over another file."""
    if not file or file == "-" and name == "json":
        return
    path = Path(file)
    if path.suffix.lower() not in suffixes:
        raise DataError(f"--{name} must end in {' or '.join(suffixes)}. Received: {file}")
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        raise DataError(f"--{name} must be a file that can be written. Received: {file}")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DataError(f"--{name} must be in a folder that exists and can be written. Received: {file}")
    if source.resolve() in path.resolve().parents:
        raise DataError(f"--{name} must not be in the folder that is checked. Received: {file}")
    if path.exists() and not force:
        raise DataError(
            f"--{name} must be a new file: choose another, or --force to replace it. Received: {file}"
        )
