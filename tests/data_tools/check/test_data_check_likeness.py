"""Which images are called nearly the same, how fast, and what the bytes of a file say."""

import time

import cv2
import numpy as np
import pytest
from planted_faults import cmyk_jpeg, draw_pair

from data_tools.check import likeness
from data_tools.check.duplicates import class_key
from data_tools.check.features import HASH_WORDS, THUMBNAIL, look_at, mirrored_hash
from data_tools.check.formats import fits_extension, image_facts, image_format
from keras_cgan.data.images import decode_bytes


def near(images, side):
    looks = [look_at(image, side) for image in images]
    bits, thumbnails = np.stack([look.bits for look in looks]), np.stack([look.thumbnail for look in looks])
    return likeness.near_pairs(bits, thumbnails).tolist()


def larger(image, side=128):
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)


COPIES = {
    "jpeg": lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [1, 60])[1], cv2.IMREAD_UNCHANGED),
    "half the size": lambda image: cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA),
    "twice the size": lambda image: larger(image, 256),
    "darker": lambda image: (image * 0.9).astype(np.uint8),
    "a little blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 0.7),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("side", ["photo", "sketch"])
def test_copies_are_found_and_others_are_not(copy, side):
    images = [larger(draw_pair(number)[side == "sketch"]) for number in range(40)]
    assert near(images + [COPIES[copy](images[7])], side) == [[7, 40]]


def test_drawings_with_much_in_common_are_not_alike():
    """Faces that differ by their mouths, as a hash of few bits would call the same."""
    faces = []
    for bend in (-8, 0, 8):
        face = np.full((96, 96), 255, np.uint8)
        for centre, radius in (((48, 48), 40), ((34, 36), 5), ((62, 36), 5)):
            cv2.circle(face, centre, radius, 0, 2, cv2.LINE_AA)
        mouth = np.array([[30, 64], [48, 64 + bend], [66, 64]], np.int32)
        faces.append(cv2.polylines(face, [mouth], False, 0, 3, cv2.LINE_AA))
    assert near(faces, "sketch") == []


def test_symmetrical_drawings_keep_their_hash():
    """They lack half of all frequencies, which may not be decided by chance."""
    ring = cv2.circle(np.full((96, 96), 255, np.uint8), (48, 48), 30, 0, 3, cv2.LINE_AA)
    first, copy = (look_at(image, "sketch").bits for image in (ring, COPIES["jpeg"](ring)))
    assert likeness.hamming(first, copy) <= likeness.MOST_BITS / 2


@pytest.mark.parametrize("side", ["photo", "sketch"])
def test_mirrored_copies_are_found_between_parts_alone(side):
    images = [larger(draw_pair(number)[side == "sketch"]) for number in range(9)]
    looks = [look_at(image, side) for image in [*images, COPIES["jpeg"](images[4][:, ::-1].copy())]]
    bits, thumbnails = np.stack([look.bits for look in looks]), np.stack([look.thumbnail for look in looks])
    parts = [0] * 5 + [2] * 2 + [1] * 3
    assert likeness.near_mirrored(bits, thumbnails, parts).tolist() == [[4, 9]]
    assert likeness.near_mirrored(bits, thumbnails, [0] * 10).tolist() == []
    assert likeness.near_pairs(bits, thumbnails).tolist() == []
    whole = look_at(images[0][:, ::-1].copy(), side).bits[None]
    assert likeness.hamming(mirrored_hash(bits[:1]), whole) <= 2  # that are chance, just at the limit


def test_a_copy_in_grey_is_found_and_other_colours_are_not_alike():
    photo = larger(draw_pair(1)[0])
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    assert near([photo, draw_pair(2)[0], grey], "photo") == [[0, 2]]
    tinted = np.stack([grey, grey // 2, 255 - grey], axis=-1)
    assert near([photo, tinted], "photo") == []


GREY_COPIES = {
    "the same": lambda grey: grey,
    "jpeg": lambda grey: cv2.imdecode(cv2.imencode(".jpg", grey, [1, 75])[1], cv2.IMREAD_UNCHANGED),
    "half the size": lambda grey: cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA),
    "inverted": lambda grey: 255 - grey,
}


@pytest.mark.parametrize("copy", GREY_COPIES)
def test_a_photo_made_grey_is_the_same_in_grey(copy):
    photos = [larger(draw_pair(number)[0]) for number in range(9)]
    sketches = [GREY_COPIES[copy](cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)) for photo in photos]
    looks = [
        [look_at(*each).thumbnail for each in zip(pair, ("photo", "sketch"))]
        for pair in zip(photos, sketches)
    ]
    assert all(likeness.same_in_grey(*pair) for pair in looks)
    assert not any(likeness.same_in_grey(photo, looks[n - 1][1]) for n, (photo, _) in enumerate(looks))


def test_a_drawing_with_a_spot_of_colour_is_another_in_grey():
    """As some photos of line drawings are, and as nothing is, of which all pairs would be alike."""
    drawn = larger(draw_pair(1)[1])
    photo = np.repeat(drawn[..., None], 3, axis=-1)
    photo[40:56, 40:56] = (255, 190, 60)
    sketch = look_at(drawn, "sketch").thumbnail
    assert not likeness.same_in_grey(look_at(photo, "photo").thumbnail, sketch)
    pale = look_at(photo * 0 + 250, "photo").thumbnail
    assert not likeness.same_in_grey(pale, pale[..., :1])


def test_hamming_counts_bits(monkeypatch):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2**63, (2, 5, HASH_WORDS), np.uint64)
    wanted = [sum((int(a) ^ int(b)).bit_count() for a, b in zip(*pair)) for pair in zip(first, second)]
    assert likeness.hamming(first, second).tolist() == wanted
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert likeness.hamming(first, second).tolist() == wanted


def test_blocks_do_not_matter(monkeypatch):
    images = [larger(draw_pair(number % 7)[0]) for number in range(30)]
    whole = near(images, "photo")
    assert len(whole) == sum((29 - n) // 7 for n in range(30))
    for name, size in (("_HASHES", 100), ("_THUMBNAILS", 3)):
        monkeypatch.setattr(likeness, name, size)
    assert near(images, "photo") == whole


def test_images_that_are_all_alike_do_not_make_all_pairs(monkeypatch):
    monkeypatch.setattr(likeness, "_MOST_NEIGHBOURS", 3)
    images = [larger(draw_pair(1)[0])] * 20
    pairs = near(images, "photo")
    assert len(pairs) <= 3 * 20 and likeness.groups(pairs) == [list(range(20))]


def test_flat_images_are_not_near_each_other():
    assert near([np.full((40, 40, 3), level, np.uint8) for level in (10, 90, 170)], "photo") == []


def test_groups_join_what_pairs_join():
    assert likeness.groups([(0, 2), (4, 5), (2, 3), (7, 5)]) == [[0, 2, 3], [4, 5, 7]]
    assert likeness.groups([]) == []


@pytest.mark.slow
def test_ten_thousand_images_are_compared_in_seconds():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**63, (10_000, HASH_WORDS), np.uint64)
    thumbnails = rng.integers(0, 256, (10_000, THUMBNAIL, THUMBNAIL, 3), np.uint8)
    bits[9_999], thumbnails[9_999] = bits[17], thumbnails[17]
    begin = time.process_time()
    assert likeness.near_pairs(bits, thumbnails).tolist() == [[17, 9_999]]
    assert time.process_time() - begin < 30


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Hot Air_Balloon", "hotairballoon ", True), ("cat", "cats", False), ("bär", "bär", True)],
)
def test_names_of_classes(one, other, same):
    assert (class_key(one) == class_key(other)) is same


def encoded(extension, image=None):
    image = draw_pair(1)[0] if image is None else image
    return cv2.imencode(extension, image)[1].tobytes()


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp", ".gif", ".bmp", ".tif", ".jp2", ".ppm"])
def test_formats_are_told_by_their_bytes(extension):
    data = encoded(extension)
    facts = image_facts(data)
    assert fits_extension(facts.format, extension) and not fits_extension(facts.format, ".xyz")
    assert facts.damage is None and facts.bits == 8 and not facts.alpha and not facts.cmyk
    assert image_format(b"no image at all") is None


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_files_that_end_too_early(extension, share):
    data = encoded(extension)
    assert image_facts(data[: round(share * len(data))]).damage


def test_a_jpeg_is_whole_with_anything_after_its_end_or_between_its_parts():
    data = encoded(".jpg")
    assert image_facts(data + bytes(100)).damage is None
    at = data.index(b"\xff\xdb")
    padded = data[:at] + b"\0\xff\0\xff" + data[at:]
    assert decode_bytes(padded, "padded").shape == (32, 32, 3)
    assert image_facts(padded).damage is None


def test_only_what_pixels_need_must_be_whole_in_a_png():
    data = encoded(".png")

    def with_chunk(kind, content, checksum):
        chunk = len(content).to_bytes(4) + kind + content + checksum.to_bytes(4)
        return data[:33] + chunk + data[33:]  # after the header

    assert image_facts(with_chunk(b"tEXt", b"a\0b", 7)).damage is None
    assert "PLTE" in image_facts(with_chunk(b"PLTE", b"abc", 7)).damage
    assert image_facts(with_chunk(b"tRNS", bytes(6), 7)).alpha


@pytest.mark.parametrize("extension", [".png", ".webp", ".tif"])
def test_transparency_and_depth(extension):
    bgra = np.dstack([draw_pair(1)[0], np.full((32, 32), 100, np.uint8)])
    assert image_facts(encoded(extension, bgra)).alpha
    if extension != ".webp":
        assert image_facts(encoded(extension, bgra[..., :3].astype(np.uint16) * 257)).bits == 16


def test_inks_of_a_printer():
    assert image_facts(cmyk_jpeg()).cmyk and not image_facts(encoded(".jpg")).cmyk
