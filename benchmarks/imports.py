"""Images a second of an import to 256 px, and of reading what it made, beside what training takes.

    python benchmarks/imports.py                  # 10,000 pairs: .7 GB in a temporary folder, ten minutes
    python benchmarks/imports.py --count 200      # in seconds

The import is held against a plain loop over the same files: read, resize, write, by OpenCV, one after
another, its own threads turned off. They take turns. Reading, from a folder, from shards and from memory, is
held against a training step on one thread. Read them as ratios: disk and processor are those of one machine.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
from side_by_side import N_CLASSES, positive, random_batch, say, start
from speed_tables import table

sys.path.append(str(Path(__file__).resolve().parents[1]))  # data_tools is used from a checkout

SIDE = 512  # px, of the images that are imported
DISTINCT = 64  # pairs are drawn; the others are copies of their files
CLASS_OF = "class {}".format
BATCH_SIZE = 8


def make_source(folder, count):
    """Writes pairs in two folders: photos as JPEG, sketches as PNG, both of `SIDE` pixels.

    Args:
        folder: A path.
        count: Pairs.

    Returns:
        The bytes of all files.
    """
    from keras_cgan.data import EmbeddedPairs

    pairs = EmbeddedPairs(min(count, DISTINCT))
    drawn = []
    for index in range(len(pairs)):
        photo, sketch = pairs.load(index, (SIDE, SIDE))
        bgr = cv2.cvtColor(photo, cv2.COLOR_RGB2BGR)
        encoded = cv2.imencode(".jpg", bgr)[1], cv2.imencode(".png", sketch)[1]
        drawn.append([each.tobytes() for each in encoded])
    for number in range(count):
        for side, ending, data in zip("AB", (".jpg", ".png"), drawn[number % len(drawn)]):
            path = folder / side / CLASS_OF(number % N_CLASSES) / f"{number:06d}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return sum(path.stat().st_size for path in folder.rglob("*.*"))


def plain_loop(source, out, size):
    """What one would write in ten lines: no threads, no checks, no way to go on."""
    for path in sorted(source.rglob("*.*")):
        sketch = path.suffix == ".png"
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if sketch else cv2.IMREAD_COLOR)
        target = out / ("sketch" if sketch else "photo") / path.parent.name / f"{path.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))


def imported(source, out, size, threads):
    """The same by `python -m data_tools folders`."""
    from data_tools.importers import IMPORTERS
    from data_tools.importing import run_import

    options = {"direction": "AtoB", "photos": None, "sketches": None, "class_name": "all"}
    run_import(IMPORTERS["folders"], source, out, options, size, threads=threads)


def import_rates(source, work, size, count, rounds):
    """Images a second of each way; the last round's import stays in `work / "imported"`."""
    ways = {
        "plain loop": lambda out: plain_loop(source, out, size),
        "import, 1 thread": lambda out: imported(source, out, size, 1),
        "import": lambda out: imported(source, out, size, None),
    }
    seconds = {name: [] for name in ways}
    for turn in range(rounds):
        for name in reversed(list(ways)) if turn % 2 else ways:
            out = work / ("imported" if name == "import" else "other")
            shutil.rmtree(out, ignore_errors=True)
            begin = time.perf_counter()
            ways[name](out)
            seconds[name].append(time.perf_counter() - begin)
            say(f"{name}: {seconds[name][-1]:.1f} s")
    return {name: 2 * count / statistics.median(each) for name, each in seconds.items()}


def reading_rates(folder, shards, size, seconds):
    """Pairs a second of the input pipeline: `{(where, warp): pairs a second}`."""
    from data_tools.shards import write_split
    from throughput import pipeline_rate

    from keras_cgan.data import FolderPairs, PairPipeline, ShardPairs

    files = FolderPairs(folder, "train", test_share=0)
    write_split(files, shards / "train", 2**28)
    rates = {}
    for warp in (0.0, 0.7):
        for where, pairs, memory in (
            ("files", files, 0),
            ("shards", ShardPairs(shards, "train"), 0),
            ("kept in memory", files, 2e9),
        ):
            pipeline = PairPipeline(pairs, (size, size), BATCH_SIZE, memory_limit=memory, warp=warp)
            rates[where, warp] = pipeline_rate(pipeline, seconds)
            say(f"{where}, warp {warp}: {rates[where, warp]:.0f} pairs a second")
    return rates


def training_rate(size, seconds):
    """Pairs a second that training takes: the networks and the engine of `train_sketches.py`, one thread."""
    from keras_cgan import strategy_model, strategy_networks

    networks = strategy_networks("classifier", (size, size, 3), N_CLASSES, filters=32)
    model = strategy_model("classifier", networks)
    batch = random_batch(size, BATCH_SIZE)
    model.train_on_batch(*batch)
    steps, begin = 0, time.perf_counter()
    while not steps or time.perf_counter() - begin < seconds:
        model.train_on_batch(*batch)
        steps += 1
    rate = steps * BATCH_SIZE / (time.perf_counter() - begin)
    say(f"training: {rate:.1f} pairs a second")
    return rate


def report(importing, reading, training):
    """The rates as two Markdown tables."""
    base = importing["plain loop"]
    rows = [[name, f"{rate:.0f}", f"{rate / base:.2f}"] for name, rate in importing.items()]
    tables = [table(["", "images a second", "times the plain loop"], rows)]
    places = list(dict.fromkeys(where for where, _ in reading))
    warps = list(dict.fromkeys(warp for _, warp in reading))
    heads = ["pairs a second of the pipeline", *("bent" if warp else "crop and flip alone" for warp in warps)]
    rows = [[where, *(f"{reading[where, warp]:.0f}" for warp in warps)] for where in places]
    rows.append(["what training takes", *(f"{training:.1f}" for _ in warps)])
    return "\n\n".join([*tables, table(heads, rows)])


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=positive, default=10_000, help="pairs (default: %(default)s)")
    parser.add_argument("--size", type=positive, default=256, help="in pixels (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=1, help="of turns (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of reading (default: %(default)s)")
    parser.add_argument("--folder", help="where the temporary folder is made (default: the system's)")
    return parser.parse_args()


def main():
    options = parse_arguments()
    start(threads=1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        work = Path(folder)
        size = make_source(work / "source", options.count)
        print(f"{options.count} pairs of {SIDE} px, {size / 2**20:.0f} MB, to {options.size} px\n")
        importing = import_rates(work / "source", work, options.size, options.count, options.rounds)
        shutil.copytree(work / "imported", work / "pairs" / "train", ignore=shutil.ignore_patterns("*.json"))
        reading = reading_rates(work / "pairs", work / "shards", options.size, options.seconds)
    print(report(importing, reading, training_rate(options.size, options.seconds)))


if __name__ == "__main__":
    main()
