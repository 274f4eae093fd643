"""Speed and memory of a training step, beside other ways of taking the same step.

    python benchmarks/speed.py                                    # all: half an hour or more on two cores
    python benchmarks/speed.py --workloads 64x8x32 --no-memory    # minutes

U-Net, PatchGAN and LeNet, as pix2pix has them but without dropout; Adam. All contestants start
from the same weights and take steps on the same batch in turn. Before any figure is printed,
the numbers of their parameters and the losses of their first steps are checked: against the
step written by hand. Progress goes to stderr; the tables, in Markdown, to stdout.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from side_by_side import positive, say, start, workloads
from workloads import CONTESTANTS, WORKLOADS


def parse_options(arguments=None):
    """The options of the command line; a wrong one ends the program with a line that names it."""
    entries = "\n".join(f"  {name:18} {contestant.title}" for name, contestant in CONTESTANTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"contestants:\n{entries}",
    )
    parser.add_argument(
        "--workloads",
        type=workloads,
        default=WORKLOADS,
        help="image size x batch size x filters, by commas (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=positive, default=8, help="turns of each (default: %(default)s)")
    parser.add_argument("--steps", type=positive, default=3, help="timed steps a turn (default: %(default)s)")
    parser.add_argument(
        "--threads",
        type=positive,
        default=_cores(),
        help="of TensorFlow and of PyTorch (default: %(default)s)",
    )
    parser.add_argument(
        "--only", type=_contestants, default=tuple(CONTESTANTS), help="contestants, by commas (default: all)"
    )
    parser.add_argument(
        "--no-memory",
        dest="memory",
        action="store_false",
        help="do not measure memory, which takes a process a contestant and workload",
    )
    parser.add_argument("--json", type=_new_file, metavar="FILE", help="where to write the raw figures")
    return parser.parse_args(arguments)


def _contestants(text):
    names = text.split(",")
    unknown = [name for name in names if name not in CONTESTANTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"must be among {', '.join(CONTESTANTS)}. Received: {', '.join(unknown)}"
        )
    return tuple(name for name in CONTESTANTS if name in names)


def _new_file(text):
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be a file in a folder that is there. Received: {text!r}")
    return path


def _cores():
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def main(arguments=None):
    options = parse_options(arguments)
    start(options.threads)
    # Only now, for these import TensorFlow.
    import speed_measure
    from speed_tables import report

    skipped = speed_measure.skipped(options.only)
    names = [name for name in options.only if name not in skipped]
    for name, reason in skipped.items():
        say(f"{CONTESTANTS[name].title}: left out: {reason}")
    if not names:
        sys.exit("speed.py: error: argument --only: none of these contestants can run here")
    results = {
        "machine": speed_measure.machine(options.threads),
        "peaks": {name: speed_measure.matmul_peak(name) for name in ("float32", "bfloat16")},
        "skipped": skipped,
        "workloads": [],
    }
    for workload in options.workloads:
        results["workloads"].append(speed_measure.measure(workload, names, options, say))
        if options.json:
            # After each, so that an hour of figures is not lost to the last one.
            options.json.write_text(json.dumps(results, indent=1))
    print(report(results))


if __name__ == "__main__":
    main()
