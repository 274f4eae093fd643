"""Trains a generator that draws photos as sketches, and shows how well the class is drawn.

    python examples/train_sketches.py                    # the embedded set, in a few minutes
    python examples/train_sketches.py --data my_pairs    # your own pairs
    python examples/train_sketches.py --resume runs/classifier-1

Your pairs: my_pairs/{train,test}/{photo,sketch}/<class>/<name>.png. Without train and test
folders, a fifth of the photos is held out for the test.

`train` is the loop; the step itself is one page in keras_cgan/training/reference.py, and the same
in one compiled function, faster, in keras_cgan/training/conditional_gan.py.
"""

import json
import math
import shlex
import sys
from pathlib import Path

from keras_cgan.console import Progress, StopOnCtrlC
from keras_cgan.recipe_run import run_program
from keras_cgan.run_folder import RunFolder, write_json
from keras_cgan.sketch_settings import choose_settings, parse_arguments, settle
from keras_cgan.startup import start_tensorflow
from keras_cgan.strategies import TOWER_STEPS, tower_pairs

SAMPLE_EVERY = 20  # batches
ADVICE = "a new run with --precision float32 or other weights may help"  # where a loss is NaN
MOST_TEST_PHOTOS = 1000  # that the final measures are taken on
MOST_JUDGE_SKETCHES = 3000  # that the judge learns from


def is_finished(path, settings):
    """Whether a run has its measures, taken after all of its epochs."""
    file = Path(path) / "results.json"
    return file.exists() and json.loads(file.read_text(encoding="utf-8")).get("epochs") == settings["epochs"]


def open_run(options, settings):
    """The folder of the run, a new one or that of `--resume`."""
    if not options.resume:
        return RunFolder.new(options.out or RunFolder.next_free("runs", settings["strategy"]), settings)
    run = RunFolder.open(options.resume)
    run.change_settings(settings)
    return run


def make_towers(settings):
    """Two networks that are to learn which sketch is of which photo; `None` where a strategy has no need."""
    from keras_cgan.strategy_parts import strategy_towers

    size = (settings["image_size"], settings["image_size"], 3)
    weights = settings["photo_weights"]
    return strategy_towers(settings["strategy"], size, settings["aligned"], weights=weights)


def make_trainer(settings, n_classes, towers=None, n_photos=None):
    """The engine over the networks of the strategy: both answer `train_on_batch(x, y)` with the losses."""
    from keras_cgan import ReferenceTrainer, strategy_model, strategy_networks

    networks = strategy_networks(
        settings["strategy"],
        (settings["image_size"], settings["image_size"], 3),
        n_classes,
        label_input=settings["label_input"],
        filters=settings["filters"],
        upsampling=settings["upsampling"],
        g_filters=settings["g_filters"],
    )
    weights = {name: settings[name] for name in ("l1_weight", "adversarial_weight", "class_weight")}
    if settings["engine"] == "reference":
        return ReferenceTrainer(*networks, settings["strategy"], **weights)
    weights["average_decay"] = settings["average_decay"] or None
    weights["weights"] = settings["photo_weights"]
    return strategy_model(settings["strategy"], networks, settings["aligned"], towers, n_photos, **weights)


def make_pipeline(pairs, settings):
    from keras_cgan.data import PairPipeline

    size = (settings["image_size"],) * 2
    options = {"seed": settings["seed"], "warp": settings["warp"], "blur_rate": settings["blur_photos"]}
    return PairPipeline(pairs, size, settings["batch_size"], **options)


def teach(towers, pairs, settings):
    """Trains the towers on the true pairs."""
    from keras_cgan import train_towers

    photos, sketches = tower_pairs(pairs, (settings["image_size"],) * 2)
    print(f"training two networks to tell which of {len(photos)} sketches is of which photo ...", flush=True)
    train_towers(*towers, photos, sketches, steps=TOWER_STEPS)


def train(run, trainer, pipeline, samples, alarms, towers=None):
    """The training loop. Returns the number of steps done and of all: the same, unless it was stopped."""
    from keras_cgan.callbacks import RestoreSteps
    from keras_cgan.training.checkpoint import TrainerCheckpoint

    total = run.settings["epochs"] * pipeline.steps_per_epoch
    checkpoint = TrainerCheckpoint(trainer, run.path / "checkpoint")
    if towers and not checkpoint.exists():
        try:
            teach(towers, pipeline.pairs, run.settings)
        except KeyboardInterrupt:
            return 0, total
    restore = RestoreSteps(checkpoint, trainer, advice=ADVICE)
    step = restore.begin()
    run.keep_losses(step)
    progress = Progress(total, SAMPLE_EVERY)
    alarms.begin()

    with StopOnCtrlC() as stop:
        for x, y in pipeline.batches(step, total):
            losses = trainer.train_on_batch(x, y)
            step += 1
            run.add_losses(step, losses)
            draws, ends = step % SAMPLE_EVERY == 0, step % pipeline.steps_per_epoch == 0
            if warning := restore.look(step, losses, weights=draws or ends):
                progress.end()
                print(f"warning: {warning}", flush=True)
                continue
            progress.show(step, losses)
            alarms.add(losses)
            if draws:
                samples.write(run.path / "samples" / f"step-{step:06d}.png")
                run.save_weights(trainer.generator, trainer.discriminator)
            if ends or stop.asked:
                for warning in alarms.end_epoch(math.ceil(step / pipeline.steps_per_epoch)):
                    progress.end()
                    print(f"warning: {warning}", flush=True)
                restore.save(step)
            if stop.asked:
                break
    progress.end()
    return step, total


class Samples:
    """The sample grid: photo | generated | true of some test pairs, and the same photos as every class."""

    def __init__(self, generator, photos, labels, sketches, class_names):
        self._content = generator, photos, labels, sketches, class_names

    def write(self, path):
        from keras_cgan.data import write_image
        from keras_cgan.pictures import sample_grid

        write_image(path, sample_grid(*self._content))


def measure(run, generator, train_pairs, test):
    """Trains the judge, measures the generator, writes results.json; returns the measures."""
    from keras_cgan.evaluate import evaluate
    from keras_cgan.judges import train_judge

    _, labels, sketches = train_pairs.as_arrays((run.settings["image_size"],) * 2, MOST_JUDGE_SKETCHES)
    print(f"training an independent classifier on {len(labels)} real sketches, as a judge ...", flush=True)
    judge = train_judge(sketches, labels, run.settings["judge_epochs"])
    results = evaluate(generator, judge, *test)
    write_json(run.path / "results.json", {"epochs": run.settings["epochs"], **results})
    return results


def summary(results, n_classes):
    """The measures in one line: none of the first three may stand alone."""
    text = {name: "n/a" if math.isnan(value) else f"{value:.2f}" for name, value in results.items()}
    parts = [f"class accuracy {text['class_accuracy']} (real sketches {text['class_accuracy_real']})"]
    if "swap_asked" in text:
        parts.append(f"asked for another class: drawn {text['swap_asked']} (chance {1 / n_classes:.2f})")
    ranks = f"{text['photo_rank_features']} and {text['photo_rank_chamfer']}"
    parts.append(
        f"true sketch's rank in its class, by the judge and by chamfer distance, {ranks} (chance .50)"
    )
    parts.append(f"within-class diversity {text['within_class_diversity']} (real sketches 1, all alike 0)")
    parts.append(f"L1 {results['l1']:.3f} (white paper {results['l1_white_paper']:.3f})")
    return "; ".join(parts)


def main(arguments=None):
    options = parse_arguments(arguments)
    settings = choose_settings(options)
    if options.resume and is_finished(options.resume, settings):
        print(f"{options.resume} is finished: {settings['epochs']} epochs. To go on, ask for more --epochs.")
        return
    start_tensorflow(settings["seed"], settings["precision"])
    from keras_cgan.precision import fastest_precision, to_float32

    if settings["precision"] == "auto":
        settings["precision"], reason = fastest_precision()
        print(f"precision: {settings['precision']} ({reason})")
    from keras_cgan.callbacks import EpochAlarms
    from keras_cgan.data import open_pairs

    train_pairs, test_pairs = open_pairs(settings["data"], settings["misalignment"], settings["fit"])
    if getattr(train_pairs, "split_note", None):
        print(train_pairs.split_note)
    names = train_pairs.class_names
    counts = f"{len(train_pairs)} training and {len(test_pairs)} test pairs"
    print(f"{counts} of {len(names)} classes: {', '.join(names)}")

    settle(settings, train_pairs)
    towers = make_towers(settings)
    trainer = make_trainer(settings, len(names), towers, train_pairs.n_photos)
    pipeline = make_pipeline(train_pairs, settings)
    test = test_pairs.as_arrays((settings["image_size"],) * 2, MOST_TEST_PHOTOS)
    samples = Samples(trainer.generator, *test, names)
    run = open_run(options, settings)  # only now: a run that cannot start leaves no folder behind
    step, total = train(run, trainer, pipeline, samples, EpochAlarms(trainer, *test, ADVICE), towers)
    if step < total:
        print(f"stopped and saved after step {step} of {total}. To go on:")
        print("  " + shlex.join([sys.executable, sys.argv[0], "--resume", str(run.path)]))
        return

    generator = to_float32(trainer.kept_generator())
    Samples(generator, *test, names).write(run.path / "samples.png")
    others = [network for network in (trainer.discriminator, trainer.classifier) if network is not None]
    for network in (generator, *map(to_float32, others)):
        network.save(run.path / f"{network.name}.keras")
    results = measure(run, generator, train_pairs, test)
    print(f"sketches:  {run.path / 'samples.png'}\nmodels:    {run.path}/*.keras")
    print(f"losses:    {run.path / 'losses.csv'}\nmeasures:  {run.path / 'results.json'}")
    print(summary(results, len(names)))


if __name__ == "__main__":
    run_program(main)
