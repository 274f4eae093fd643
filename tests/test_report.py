"""One call: every measure in a file, and a page beside its pictures."""

import json
from html.parser import HTMLParser

import cv2
import keras
import numpy as np
import pytest

from keras_cgan import report, unet_generator, vgg_classifier
from keras_cgan.data import EmbeddedPairs
from keras_cgan.report import count_used, evaluate_pairs, page

SIZE = (16, 16)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "new" / "report"
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    sets = EmbeddedPairs(30, seed=0), EmbeddedPairs(18, seed=1)
    return folder, evaluate_pairs(generator, *sets, folder, judge_epochs=2)


class Page(HTMLParser):
    """The texts and pictures of a page, and whether each tag that must be closed is."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.pictures, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])
        if tag in ("table", "h1", "h2", "style", "title"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.mark.slow
def test_what_is_written(written):
    folder, results = written
    assert json.loads((folder / "results.json").read_text()) == results
    assert {path.name for path in folder.iterdir()} == {
        "results.json",
        "index.html",
        "samples.png",
        "best.png",
        "worst.png",
    }
    # Twelve rows of three, each 96 px and a gap.
    assert cv2.imread(str(folder / "best.png")).shape[0] == 18 + 12 * 100


@pytest.mark.slow
def test_the_page_shows_every_measure_and_picture(written):
    folder, results = written
    shown = Page((folder / "index.html").read_text())
    assert not shown.open
    assert shown.pictures == ["samples.png", "best.png", "worst.png"]
    text = "\n".join(shown.texts)
    for name in results:
        compared = name.endswith(("_real", "_white_paper", "_train")) and name != "gan_train"
        assert name in shown.texts or compared or name in ("confusion", "judges", "ranges"), name
    assert "judges" not in text and results["judges"] == 1 and results["ranges"] == {}
    assert f"{results['class_accuracy']:.3f}" in text and "chance 0.17" in text
    assert f"true sketches 1, white paper {results['copying_ratio_white_paper']:.2f}" in text


def test_the_confusion_counts_every_test_photo(written):
    _, results = written
    counts = results["confusion"]
    assert [sum(row) for row in counts] == [3] * 6
    assert sum(counts[c][c] for c in range(6)) / 18 == pytest.approx(results["class_accuracy"])


def test_several_judges_give_means_and_from_which_to_which_they_range(tmp_path, monkeypatch):
    seeds, said = [], []

    def judge_of(sketches, labels, epochs, seed=1000):
        seeds.append(seed)
        keras.utils.set_random_seed(seed)
        return vgg_classifier((*SIZE, 1), 6, filters=2, blocks=2)

    monkeypatch.setattr(report, "train_judge", judge_of)
    monkeypatch.setattr(report, "train_pair_judge", lambda *_: None)
    monkeypatch.setattr(report, "gan_train", lambda *_, **__: 0.5)
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    sets = EmbeddedPairs(12, seed=0), EmbeddedPairs(12, seed=1)
    one, three = (
        evaluate_pairs(generator, *sets, tmp_path / str(n), judges=n, say=said.append) for n in (1, 3)
    )
    assert seeds == [1000, 1000, 1001, 1002]
    assert [line.split(",")[0] for line in said if line.startswith("judge of the class")] == [
        "judge of the class 1 of 1",
        "judge of the class 1 of 3",
        "judge of the class 2 of 3",
        "judge of the class 3 of 3",
    ]
    least, greatest = three["ranges"]["fid_phi"]
    assert least <= one["fid_phi"] <= greatest and least < three["fid_phi"] < greatest
    assert three["judges"] == 3 and "l1" not in three["ranges"] and three["l1"] == one["l1"]
    assert three["confusion"] == one["confusion"]  # by the first
    kept = json.loads((tmp_path / "3" / "results.json").read_text())
    assert kept["ranges"]["fid_phi"] == [least, greatest] and kept["judges"] == 3
    shown = Page((tmp_path / "3" / "index.html").read_text())
    assert f"{three['fid_phi']:.3f} ({least:.3f} to {greatest:.3f})" in shown.texts and not shown.open
    text = " ".join("\n".join(shown.texts).split())
    assert "Means of 3 judges, with from which to which they range" in text and "by the first judge" in text
    lines = report.summary(three, 6).splitlines()
    assert lines[0].startswith("Means of 3 judges")
    assert any(f"{three['fid_phi']:7.3f}  ({least:.3f} to {greatest:.3f})" in line for line in lines)
    assert "judges" not in report.summary(one, 6)


def test_no_judge_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`judges` must be at least 1. Received: judges=0"):
        evaluate_pairs(None, None, None, tmp_path / "out", judges=0)


def test_names_of_classes_cannot_break_the_page():
    shown = page(
        {"confusion": [[1, 0], [0, 2]], "class_accuracy": 1.0, "class_accuracy_real": 1.0}, ["<b>", "&"]
    )
    assert {"<b>", "&"} <= set(Page(shown).texts)


def test_one_pair_a_photo_is_used_and_no_more_than_there_is_time_for(monkeypatch):
    train, test = EmbeddedPairs(24), EmbeddedPairs(12)
    assert count_used(train, test, (64, 64)) == (24, 12)
    train.photo_ids = np.arange(24) // 2
    monkeypatch.setattr(report, "MOST_TEST", 7)
    assert count_used(train, test, (64, 64)) == (12, 7)
    assert (len(train.as_arrays(SIZE, 3000)[0]), len(test.as_arrays(SIZE, 7)[0])) == (12, 7)


def test_judges_learn_from_no_more_than_memory_holds(monkeypatch):
    train = test = EmbeddedPairs(6000)
    used = [count_used(train, test, (side, side))[0] for side in (64, 149, 256, 512, 4096)]
    assert used == [3000, 3000, 1024, 256, 24]  # four a class at least


def test_the_folder_is_taken_before_judges_learn(tmp_path, monkeypatch):
    folder = tmp_path / "report"

    def judge_of(*_, **__):
        with pytest.raises(FileExistsError, match="report"):
            evaluate_pairs(generator, *sets, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "train_judge", judge_of)
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    sets = EmbeddedPairs(12, seed=0), EmbeddedPairs(12, seed=1)
    with pytest.raises(KeyboardInterrupt):
        evaluate_pairs(generator, *sets, folder)
    assert not folder.exists()


def test_earlier_results_are_kept(written):
    folder, _ = written
    generator = unet_generator((*SIZE, 3), filters=2)
    before = (folder / "results.json").read_bytes()
    with pytest.raises(FileExistsError, match="report"):
        evaluate_pairs(generator, EmbeddedPairs(12), EmbeddedPairs(12), folder)
    assert (folder / "results.json").read_bytes() == before


def test_a_generator_of_other_classes_is_refused_before_anything_is_written(tmp_path):
    generator = unet_generator((*SIZE, 3), n_classes=4, filters=2)
    with pytest.raises(ValueError, match="labels of 6 classes. Received: a generator of 4"):
        evaluate_pairs(generator, EmbeddedPairs(12), EmbeddedPairs(12), tmp_path / "out")
    few = EmbeddedPairs(12)
    few.class_names = few.class_names[:5]
    with pytest.raises(ValueError, match="`test` must be of the classes"):
        evaluate_pairs(keras.Sequential(), EmbeddedPairs(12), few, tmp_path / "out")
    assert not (tmp_path / "out").exists()
