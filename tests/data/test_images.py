"""Decoding, fitting and writing of images."""

import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from keras_cgan.data import ImageError, images, read_image, to_uint8, to_unit, write_image
from keras_cgan.data.images import decode_image, fit_image

SHAPE = (16, 24)
COLOUR = (200, 40, 90)  # RGB, its channels apart so that BGR would be noticed


def colour_image(shape=SHAPE):
    return np.full((*shape, 3), COLOUR, np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(colour_type, width, rows, depth=8, more=b""):
    """The bytes of a PNG file, with more chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("extension", ["png", "jpg", "JPEG", "bmp", "webp", "tiff", "ppm"])
def test_every_format_is_read_as_rgb(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(cv2.imencode(f".{extension.lower()}", colour_image()[..., ::-1])[1].tobytes())
    image = read_image(path, 3)
    assert image.shape == (*SHAPE, 3) and image.dtype == np.uint8
    np.testing.assert_allclose(image, colour_image(), atol=6)


def test_channels_are_made_as_asked(tmp_path):
    grey, colour = tmp_path / "grey.png", tmp_path / "colour.png"
    write_image(grey, np.full(SHAPE, 77, np.uint8))
    write_image(colour, colour_image())
    assert decode_image(grey).shape == SHAPE
    assert read_image(grey, 1).shape == (*SHAPE, 1)
    np.testing.assert_array_equal(read_image(grey, 3), np.full((*SHAPE, 3), 77))
    luma = 0.299 * COLOUR[0] + 0.587 * COLOUR[1] + 0.114 * COLOUR[2]
    np.testing.assert_allclose(read_image(colour, 1), np.full((*SHAPE, 1), luma), atol=1)
    with pytest.raises(ValueError, match=r"`channels` must be 1 \(grey\) or 3 .*Received: channels=2"):
        read_image(grey, 2)


def test_alpha_is_flattened_on_white(tmp_path):
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[:, 0] = (10, 20, 30, 255)
    rgba[:, 1] = (10, 20, 30, 0)
    rgba[:, 2] = (0, 100, 200, 128)
    path = tmp_path / "rgba.png"
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1].tobytes())
    image = read_image(path, 3)
    np.testing.assert_array_equal(image[0, 0], (10, 20, 30))
    np.testing.assert_array_equal(image[0, 1], (255, 255, 255))
    np.testing.assert_allclose(image[0, 2], (127, 177, 227), atol=1)

    path.write_bytes(png(4, 2, [[10, 0, 20, 255]] * 2))  # grey with alpha: nothing there, then 20
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], [[255, 20]] * 2)


@pytest.mark.parametrize(
    ("depth", "row", "key", "wanted"),
    [
        (1, [0b01010000], 0, [255, 255, 255, 255]),
        (2, [0b00011011], 1, [0, 255, 170, 255]),
        (4, [0x01, 0x23], 2, [0, 17, 255, 51]),
        (8, [0, 1, 2, 3], 0, [255, 1, 2, 3]),
        (8, [0, 1, 2, 3], 0x0103, [0, 1, 2, 255]),  # of which the lowest bits count
        (16, [0, 0, 10, 10, 10, 11, 255, 255], 0x0A0A, [0, 255, 10, 255]),
    ],
)
def test_a_transparent_grey_is_white(tmp_path, depth, row, key, wanted):
    """A key colour, as programs write that draw black on nothing."""
    path = tmp_path / "keyed.png"
    path.write_bytes(png(0, 4, [row], depth))
    without = decode_image(path)
    path.write_bytes(
        png(0, 4, [row], depth, chunk(b"tEXt", b"a\0b") + chunk(b"tRNS", struct.pack(">H", key)))
    )
    np.testing.assert_array_equal(decode_image(path), [wanted])
    path.write_bytes(png(0, 4, [row], depth, chunk(b"tRNS", b"")))  # that is none, as decoders take it
    np.testing.assert_array_equal(decode_image(path), without)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_and_depth_are_rounded_to_the_nearest_level(tmp_path, monkeypatch, extension, bits):
    monkeypatch.setattr(images, "_BAND", 1000)  # a few rows
    levels = np.arange(2**16, dtype=np.uint32)
    bgra = np.stack([levels, levels[::-1], levels * 7 % 2**16, levels * 40503 % 2**16], axis=-1)
    bgra = (bgra.reshape(256, 256, 4) >> 16 - bits).astype(np.uint16 if bits == 16 else np.uint8)
    cv2.imwrite(str(tmp_path / f"a{extension}"), bgra)
    eight = (bgra.astype(np.uint32) + 128) // 257 if bits == 16 else bgra.astype(np.uint32)
    alpha = eight[..., 3:]
    flat = (eight[..., 2::-1] * alpha + 255 * (255 - alpha) + 127) // 255
    np.testing.assert_array_equal(decode_image(tmp_path / f"a{extension}"), flat)


def tiff(pixels, extra_samples):
    """The bytes of a TIFF that says what its channel beyond grey or RGB is; `None`: it does not say."""
    height, width, channels = pixels.shape
    bits = 8 * pixels.itemsize
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 2 if channels > 2 else 1, 277: channels}
    tags |= {278: height, 279: pixels.nbytes, 338: extra_samples}
    tags = {tag: value for tag, value in sorted(tags.items()) if value is not None}
    begin = 8 + 2 + 12 * (len(tags) + 1) + 4
    depths = struct.pack(f"<{channels}H", *[bits] * channels)
    entries = [struct.pack("<HHIHxx", tag, 3, 1, value) for tag, value in tags.items()]
    if channels > 2:  # bits of each channel, for which the entry has no room
        entries[2] = struct.pack("<HHII", 258, 3, channels, begin)
    else:
        entries[2] = struct.pack("<HHIHH", 258, 3, channels, bits, bits)
    entries.insert(5, struct.pack("<HHII", 273, 4, 1, begin + len(depths)))  # where the pixels are
    header = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return (
        header
        + b"".join(entries)
        + bytes(4)
        + depths
        + pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    )


@pytest.mark.parametrize("extra_samples", [1, 2, None])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_of_a_tiff_is_laid_on_white_once(tmp_path, extra_samples, dtype):
    """Whether its colours are multiplied by alpha already (1), are not (2), or it does not say."""
    scale = np.iinfo(dtype).max // 255
    straight = np.array([200, 100, 50, 128], dtype) * dtype(scale)
    stored = np.array([100, 50, 25, 128], dtype) * dtype(scale) if extra_samples == 1 else straight
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(np.tile(stored, (4, 4, 1)), extra_samples))
    np.testing.assert_allclose(decode_image(path)[0, 0], (227, 177, 152), atol=1)


def test_of_a_grey_tiff_with_alpha_the_grey_is_read(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(np.tile(np.array([200, 128], np.uint8), (4, 4, 1)), 2))
    np.testing.assert_array_equal(decode_image(tmp_path / "a.tif"), np.full((4, 4), 200))


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(cv2.imencode(".png", np.array([[0, 257 * 100, 65535]], np.uint16))[1].tobytes())
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], [[0, 100, 255]])


def test_a_photo_is_turned_as_its_exif_tag_says(tmp_path):
    upper_half_black = np.full((32, 48), 255, np.uint8)
    upper_half_black[:16] = 0
    plain = cv2.imencode(".jpg", upper_half_black)[1].tobytes()
    turned_right = struct.pack("<HHII", 0x0112, 3, 1, 6)
    tag = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + turned_right + struct.pack("<I", 0)
    path = tmp_path / "phone.jpg"
    path.write_bytes(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + plain[2:])
    image = read_image(path, 1)
    assert image.shape == (48, 32, 1)
    assert image[:, 20:].max() < 30 and image[:, :12].min() > 225  # what was above is now to the right


def test_paths_may_hold_spaces_and_any_letters(tmp_path):
    path = tmp_path / "ein Bär (тест) 椅子" / "ä b.png"
    write_image(path, colour_image())
    np.testing.assert_array_equal(read_image(str(path), 3), colour_image())


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "missing", "folder", "float"])
def test_a_file_that_is_no_image_is_named(tmp_path, damage):
    path = tmp_path / "broken.tiff"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    contents = {
        "empty": b"",
        "text": b"not an image",
        "truncated": cv2.imencode(".jpg", noise)[1].tobytes()[:2000],
        "float": cv2.imencode(".tiff", noise.astype(np.float32))[1].tobytes(),
    }
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(contents[damage])
    with pytest.raises(ImageError, match=r"broken.tiff.*\(0 bytes\)" if damage == "empty" else "broken.tiff"):
        read_image(path, 3)


def test_pad_keeps_proportions_and_centres_on_white():
    image = fit_image(np.zeros((10, 20, 1), np.uint8), (32, 32), "pad")
    assert image.shape == (32, 32, 1)
    assert image[8:24].max() == 0
    assert image[:8].min() == 255 and image[24:].min() == 255


def test_stretch_fills_the_frame():
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 10:] = 200
    fitted = fit_image(image, (40, 20), "stretch")
    assert fitted.shape == (40, 20, 3)
    assert fitted[:, :8].max() == 0 and fitted[:, 12:].min() == 200


def test_crop_takes_the_middle():
    image = np.zeros((16, 48, 1), np.uint8)
    image[:, 16:32] = 90
    np.testing.assert_array_equal(fit_image(image, (8, 8), "crop"), np.full((8, 8, 1), 90))
    tall = image.transpose(1, 0, 2)
    np.testing.assert_array_equal(fit_image(tall, (16, 16), "crop"), np.full((16, 16, 1), 90))


def test_an_image_of_the_right_size_is_left_alone():
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    for fit in ("pad", "stretch", "crop"):
        np.testing.assert_array_equal(fit_image(image, (16, 24), fit), image)


def test_shrinking_averages_so_that_thin_strokes_stay():
    image = np.full((64, 64, 1), 255, np.uint8)
    image[:, 5::8] = 0  # one column in eight: sampling every eighth would lose or blacken all
    np.testing.assert_allclose(fit_image(image, (8, 8)), np.full((8, 8, 1), 255 * 7 / 8), atol=1)


@pytest.mark.parametrize("image_size", [64, (64,), (64, 0), (64, -1), (64.5, 64), ("a", "b"), None])
def test_image_size_is_checked(image_size):
    with pytest.raises(ValueError, match=r"`image_size` must be \(height, width\).*Received: image_size="):
        fit_image(colour_image(), image_size)


def test_fit_is_checked():
    with pytest.raises(ValueError, match=r"`fit` must be one of .*Received: fit='zoom'"):
        fit_image(colour_image(), (8, 8), "zoom")


def test_unit_range_and_back():
    levels = np.arange(256, dtype=np.uint8)
    unit = to_unit(levels)
    assert unit.dtype == np.float32 and unit[0] == -1 and unit[-1] == 1
    np.testing.assert_array_equal(to_uint8(unit), levels)
    np.testing.assert_array_equal(to_uint8([-1.5, 0.0, 1.5]), [0, 128, 255])
    with pytest.raises(ValueError, match="must be finite"):
        to_uint8([0.0, np.nan])


@pytest.mark.parametrize("channels", [1, 3])
def test_written_images_are_read_back(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (*SHAPE, channels), dtype=np.uint8)
    path = tmp_path / "new folder" / "a.png"
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path, channels), image)
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_image(path, colour_image())
    before = path.read_bytes()

    def disk_full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", disk_full)
    with pytest.raises(OSError, match="disk full"):
        write_image(path, np.zeros((*SHAPE, 3), np.uint8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`image` must be a uint8 array.*Received: dtype=float32"):
        write_image(tmp_path / "a.png", np.zeros(SHAPE, np.float32))
    with pytest.raises(ValueError, match=r"Received: dtype=uint8, shape=\(16, 24, 2\)"):
        write_image(tmp_path / "a.png", np.zeros((*SHAPE, 2), np.uint8))
    with pytest.raises(ImageError, match=r"'.unknown' files"):
        write_image(tmp_path / "a.unknown", colour_image())
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names on this system")
def test_a_pipe_or_a_device_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "endless.png", "folder.png"):
        with pytest.raises(ImageError, match="must be a file. Received: a folder, a pipe or a device"):
            decode_image(tmp_path / name)


def test_a_file_of_too_many_bytes_is_not_read(tmp_path):
    with open(tmp_path / "sparse.png", "wb") as file:
        file.truncate(2**33)
    with pytest.raises(
        ImageError, match=f"sparse.png' is too large. Received: {2**33} bytes, more than {2**30}"
    ):
        decode_image(tmp_path / "sparse.png")


SAY_WHY = """if True:
    import sys
    from keras_cgan.data.images import ImageError, decode_image
    try:
        decode_image(sys.argv[1])
    except ImageError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("large.jpg", (40, 30), "too large for OpenCV. Received: more than 1000 pixels, as {}PIXELS says"),
        (
            "large.jpg",
            (1, 600),
            "too large for OpenCV. Received: more than 500 pixels of width, as {}WIDTH says",
        ),
        (
            "large.png",
            (40, 30),
            "too large. Received: 30 x 40 px, more than 1000 pixels; {}PIXELS may set another limit",
        ),
    ],
)
def test_an_image_of_too_many_pixels_is_said_to_be_one(tmp_path, run_child, name, shape, message):
    write_image(tmp_path / name, np.zeros(shape, np.uint8))
    limits = {"OPENCV_IO_MAX_IMAGE_PIXELS": "1000", "OPENCV_IO_MAX_IMAGE_WIDTH": "500"}
    said = run_child(SAY_WHY, tmp_path / name, **limits).splitlines()
    assert said == [f"{str(tmp_path / name)!r} is {message.format('OPENCV_IO_MAX_IMAGE_')}"]


def test_no_limit_of_the_user_is_one_of_a_hundred_million(tmp_path, run_child):
    """Of other formats than PNG by OpenCV, which reads it when it is imported."""
    write_image(tmp_path / "bomb.jpg", colour_image())
    data = (tmp_path / "bomb.jpg").read_bytes()
    size = data.index(b"\xff\xc0") + 5  # of the frame: height and width
    (tmp_path / "bomb.jpg").write_bytes(data[:size] + struct.pack(">HH", 20_000, 20_000) + data[size + 4 :])
    said = run_child(SAY_WHY, tmp_path / "bomb.jpg", OPENCV_IO_MAX_IMAGE_PIXELS="")
    assert "bomb.jpg' is too large for OpenCV. Received: more than 100000000 pixels" in said


def test_a_limit_of_pixels_that_is_no_number(run_child):
    said = run_child(
        "try: import keras_cgan\nexcept ValueError as error: print(error)", OPENCV_IO_MAX_IMAGE_PIXELS="1e8"
    )
    assert said == "OPENCV_IO_MAX_IMAGE_PIXELS must be a number of pixels, in digits. Received: '1e8'\n"


def test_a_png_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    """Its file is small, and OpenCV, which is imported already, may have another limit than the user's."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    monkeypatch.delenv("OPENCV_IO_MAX_IMAGE_PIXELS", raising=False)
    with pytest.raises(
        ImageError, match="bomb.png' is too large. Received: 20000 x 20000 px, more than 10{8}"
    ):
        decode_image(tmp_path / "bomb.png")
    write_image(tmp_path / "small.png", colour_image())
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "100")
    with pytest.raises(ImageError, match="small.png' is too large"):
        decode_image(tmp_path / "small.png")
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "1000000")
    assert decode_image(tmp_path / "small.png").shape == (*SHAPE, 3)
