"""The command: `python -m data_tools <what> <source>`, with `--out <folder>` for what makes one."""

import argparse
import traceback
from pathlib import Path

from data_tools import shards, streams
from data_tools.check import command as check
from data_tools.groups import DataError
from data_tools.importers import IMPORTERS
from data_tools.importers.importer import number_type, positive
from data_tools.importing import explain, run_import
from data_tools.naming import printable

from keras_cgan.data.images import FITS
from keras_cgan.data.scan import counted

_SIZE = number_type(int, lambda value: value == 0 or 8 <= value <= 8192, "0, or an integer from 8 to 8192")
COMMON = ("source", "out", "size", "fit", "force", "threads", "command", "run")


def parser():
    """The parser of all commands, each with an example in its `--help`."""
    whole = argparse.ArgumentParser(
        prog="python -m data_tools",
        description="Turns a data set into the folders that the examples read, and checks such folders.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="command")
    for importer in IMPORTERS.values():
        command = commands.add_parser(
            importer.name,
            help=importer.summary,
            description=_description(importer),
            epilog=f"example:\n    python -m data_tools {importer.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument("source", help="folder or file; a zip or tar archive is unpacked first")
        command.add_argument("--out", required=True, help="new folder to write")
        command.add_argument(
            "--size",
            type=_SIZE,
            default=256,
            help="of images, in pixels; 0: as they are (default: %(default)s)",
        )
        command.add_argument(
            "--fit",
            choices=FITS,
            default="pad",
            help="of other proportions (default: %(default)s, with white)",
        )
        command.add_argument("--force", action="store_true", help="replace an earlier import in --out")
        command.add_argument(
            "--threads", type=positive, help="that decode and write (default: as there are cores)"
        )
        importer.add_options(command)
        command.set_defaults(run=_import)
    check.add_parser(commands)
    shards.add_parser(commands)
    return whole


def main(arguments=None):
    """Runs a command.

    Args:
        arguments: A list of texts; by default those of the command line.

    Returns:
        The exit code: 0, 1 where a check found faults, 2 for an error, 130 after Ctrl-C.
    """
    streams.prepare()
    options = parser().parse_args(arguments)
    out = getattr(options, "out", None) or getattr(options, "fix", None)
    try:
        return options.run(options)
    except DataError as error:
        streams.complain(f"error: {_shown(error)}")
    except OSError as error:
        streams.complain(f"error: {_shown(explain(error, out))}")
    except KeyboardInterrupt:
        streams.complain("\nstopped: the same command goes on" if out else "\nstopped")
        return 130
    except Exception:
        streams.complain(traceback.format_exc().rstrip())
    return 2


def _description(importer):
    licence = f"\n\nlicence of the set: {importer.licence}" if importer.licence else ""
    return f"{importer.summary}{licence}\n\nreads:\n{importer.layout}"


def _import(options):
    importer = IMPORTERS[options.command]
    own = {name: value for name, value in vars(options).items() if name not in COMMON}
    report = run_import(
        importer, options.source, options.out, own, options.size, options.fit, options.force, options.threads
    )
    lines = list(counted(report["left_out"]))
    lines += [f"warning: {line}" for line in counted(report.get("noted", {}))]  # an earlier version has none
    for split, classes in report["counts"].items():
        photos, sketches = (sum(each[side] for each in classes.values()) for side in ("photos", "sketches"))
        lines.append(f"{split}: {photos} photos, {sketches} sketches, {len(classes)} classes")
    lines.append(printable(f"made {options.out} (what was left out: {Path(options.out) / 'import.json'})"))
    streams.say(*lines)
    return 0


def _shown(message):
    """The lines of a message: names of files may hold what moves a terminal's cursor, or is no text."""
    return "\n".join(map(printable, str(message).split("\n")))
