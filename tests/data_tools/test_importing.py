"""Images of all kinds through a whole import, and what stops one: full disks, rights, paths that lead out."""

import contextlib
import errno
import io
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

import data_tools
from data_tools import importing
from data_tools.command import main
from data_tools.importing import UNREADABLE, Findings
from keras_cgan.data import FolderPairs, write_image
from keras_cgan.data.images import decode_image

ROOT = os.path.dirname(os.path.dirname(data_tools.__file__))


@pytest.fixture
def source(tmp_path):
    """A folder for sketches, in class folders."""
    (tmp_path / "set" / "ant").mkdir(parents=True)
    return tmp_path / "set"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def run(source, out, *arguments, command="tu-berlin"):
    return main([command, str(source), "--out", str(out), "--size", "0", *map(str, arguments)])


def report(out):
    return json.loads((out / "import.json").read_text(encoding="utf-8"))


@pytest.fixture
def imported(source, out):
    """A function that imports the bytes of an image file, and gives its pixels."""

    def imported(data, name="1.png"):
        (source / "ant" / name).write_bytes(data)
        assert run(source, out, "--force") == 0
        return decode_image(out / "sketch" / "ant" / f"{name.rpartition('.')[0]}.png")

    return imported


@pytest.fixture
def left_out(source, out, encode, capsys):
    """A function that imports the bytes of an image file, beside a good one, and gives what is said of it."""

    def left_out(data, name="1.png"):
        (source / "ant" / name).write_bytes(data)
        (source / "ant" / "good.png").write_bytes(encode(np.zeros((8, 8), np.uint8)))
        assert run(source, out, "--force") == 0
        assert [path.name for path in out.rglob("*.png")] == ["good.png"]
        (said,) = report(out)["left_out"][UNREADABLE]
        assert f"'ant/{name}'" in said and f"1 {UNREADABLE}: {said}" in capsys.readouterr().out
        return said

    return left_out


def png(width, height, colour_type, rows, *chunks, depth=8):
    """The bytes of a PNG file: `rows` is what is in IDAT before it is compressed."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(*each) for each in chunks), chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


# ---- images that are read


@pytest.mark.parametrize("extension", [".jpg", ".bmp", ".webp", ".tif", ".ppm"])
def test_an_extension_of_another_format_does_not_matter(imported, encode, extension):
    image = imported(encode(np.full((8, 9, 3), (0, 0, 255), np.uint8), extension), "1.png")
    assert image.shape == (8, 9, 3)
    np.testing.assert_allclose(image[4, 4], (255, 0, 0), atol=6)


def test_sixteen_bits_become_eight(imported, encode):
    image = imported(encode(np.array([[0, 257 * 100, 65535]], np.uint16)))
    np.testing.assert_array_equal(image, [[0, 100, 255]])
    colour = np.full((4, 4, 3), (65535, 0, 257 * 7), np.uint16)
    np.testing.assert_array_equal(imported(encode(colour), "2.png")[0, 0], (7, 0, 255))


def test_alpha_is_flattened_on_white(imported, encode):
    bgra = np.zeros((2, 3, 4), np.uint8)
    bgra[:, 1] = (0, 0, 0, 255)
    bgra[:, 2] = (0, 0, 0, 128)
    image = imported(encode(bgra))
    assert image[0, 0].tolist() == [255] * 3 and image[0, 1].tolist() == [0] * 3
    np.testing.assert_allclose(image[0, 2], 127, atol=1)


def test_a_palette_with_one_transparent_colour(imported):
    palette = (b"PLTE", bytes([255, 0, 0, 0, 0, 255])), (b"tRNS", b"\x00\xff")
    image = imported(png(2, 1, 3, b"\0\0\1", *palette))
    assert image.tolist() == [[[255, 255, 255], [0, 0, 255]]]


def test_a_palette_without_one(imported):
    image = imported(png(2, 1, 3, b"\0\0\1", (b"PLTE", bytes([255, 0, 0, 0, 0, 255]))))
    assert image.tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_one_bit(imported):
    image = imported(png(8, 1, 0, b"\0\xf0", depth=1))
    assert image.tolist() == [[255] * 4 + [0] * 4]


def test_a_photo_is_turned_as_its_exif_tag_says(imported, encode):
    upper_half_black = np.full((32, 48), 255, np.uint8)
    upper_half_black[:16] = 0
    plain = encode(upper_half_black, ".jpg")
    turned_right = struct.pack("<HHII", 0x0112, 3, 1, 6)
    tag = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + turned_right + struct.pack("<I", 0)
    image = imported(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + plain[2:], "1.jpg")
    assert image.shape[:2] == (48, 32)
    assert image[:, -8:].max() < 60 and image[:, :8].min() > 200


def test_a_jpeg_in_cmyk(imported):
    pillow = pytest.importorskip("PIL.Image", reason="OpenCV writes no CMYK")
    file = io.BytesIO()
    pillow.new("CMYK", (16, 16), (0, 255, 255, 0)).save(file, "JPEG", quality=95)
    image = imported(file.getvalue(), "1.jpg")
    assert image.shape == (16, 16, 3) and image[8, 8, 0] > 180 and image[8, 8, 1:].max() < 90


def test_of_an_animation_the_first_picture_is_taken(imported):
    colours = bytes([255, 0, 0, 0, 255, 0])
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02%s\x01\x00"
    first, second = frame % b"\x44", frame % b"\x4c"  # colours 0 and 1
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + colours
    image = imported(screen + first + second + b"\x3b", "1.gif")
    assert image.tolist() == [[[255, 0, 0]]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 11, 3)])
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_proportions_of_all_kinds(source, out, encode, shape, fit):
    (source / "ant" / "1.png").write_bytes(encode(np.zeros(shape, np.uint8)))
    assert run(source, out, "--size", 32, "--fit", fit) == 0
    assert decode_image(out / "sketch" / "ant" / "1.png").shape[:2] == (32, 32)


def test_names_in_unicode_and_with_spaces(tmp_path, out, paint, capsys):
    for side in "AB":
        paint(tmp_path / "my ⚙ set" / side / "bär groß" / "東京 1.png")
    paint(tmp_path / "my ⚙ set" / "A" / "bär groß" / "ohne.png")
    assert run(tmp_path / "my ⚙ set", out, command="folders") == 0
    assert FolderPairs(out, test_share=0).names == ("bär groß/東京 1",)
    assert "bär groß/ohne.png" in capsys.readouterr().out
    assert "bär groß" in (out / "import.json").read_text(encoding="utf-8")


def test_names_that_are_no_text_or_move_the_cursor(source, out, paint, encode):
    """In another process, for what it prints: a terminal takes text alone, and what moves its cursor too."""
    paint(source / "ant" / "good.png")
    names = [b"b\xe4r.png", b"\x1b[2J.png", b"new\nline.png"]
    for name in names:
        path = os.fsencode(source / "ant") + b"/" + name
        try:
            with open(path, "wb") as file:
                file.write(b"no image")
        except OSError:
            pytest.skip("this file system takes text alone")
    paint(source / os.fsdecode(b"b\xe4r") / os.fsdecode(b"\xff.png"))
    done = subprocess.run(
        [sys.executable, "-m", "data_tools", "tu-berlin", source, "--out", out],
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout and b"\\x1b[2J.png" in done.stdout and b"new\\nline" in done.stdout
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.png")} == {
        "sketch/ant/good.png",
        "sketch/b_r/_.png",
    }
    assert len(report(out)["left_out"][UNREADABLE]) == len(names)


# ---- images that are not


@pytest.mark.parametrize("extension", [".png", ".jpg", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_truncated_images_are_left_out(left_out, encode, extension, share):
    noise = np.random.randint(0, 256, (64, 64, 3), np.uint8)
    data = encode(noise, extension)
    left_out(data[: max(int(share * len(data)), 10)], f"1{extension}")


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"text, no image", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(5000)]
)
def test_files_that_are_no_images_are_left_out(left_out, data):
    said = left_out(data)
    assert f"({len(data)} bytes)" in said


def test_floats_are_left_out(left_out, encode):
    said = left_out(encode(np.zeros((4, 4, 3), np.float32), ".tiff"), "1.tif")
    assert "must hold 8-bit or 16-bit pixels" in said


def test_a_photo_with_a_damaged_sketch_is_left_out_with_it(tmp_path, out, paint, capsys):
    for name in "123":
        paint(tmp_path / "set" / "A" / f"{name}.png")
        paint(tmp_path / "set" / "B" / f"{name}.png")
    (tmp_path / "set" / "A" / "1.png").write_bytes(b"")
    (tmp_path / "set" / "B" / "2.png").write_bytes(b"")
    for class_name in ("x", "y"):  # one side of the only pair of a class
        paint(tmp_path / "set" / "A" / class_name / "1.png")
        paint(tmp_path / "set" / "B" / class_name / "1.png")
    (tmp_path / "set" / "A" / "x" / "1.png").write_bytes(b"")
    (tmp_path / "set" / "B" / "y" / "1.png").write_bytes(b"")
    assert run(tmp_path / "set", out, command="folders") == 0
    assert {path.relative_to(out).as_posix() for path in out.rglob("*")} == {
        *("import.json", "photo", "photo/all", "photo/all/3.png", "sketch", "sketch/all", "sketch/all/3.png"),
    }
    assert report(out)["counts"] == {"all": {"all": {"photos": 1, "sketches": 1}}}
    assert len(report(out)["left_out"][UNREADABLE]) == 4


def test_all_images_damaged_is_an_error_that_names_them(source, out, capsys):
    (source / "ant" / "1.png").write_bytes(b"")
    assert run(source, out) == 2
    said = capsys.readouterr().err
    assert "error: there are no images for tu-berlin" in said and "'ant/1.png' is no image" in said
    assert not out.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
@pytest.mark.parametrize("side", [30_000, 60_000])
def test_an_image_that_unpacks_to_gigabytes_takes_no_memory(source, out, paint, side):
    rows = zlib.compress(bytes(2**20))
    data = png(side, side, 2, b"")
    cut = data.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(rows)) + b"IDAT" + rows + struct.pack(">I", zlib.crc32(b"IDAT" + rows))
    (source / "ant" / "bomb.png").write_bytes(data[:cut] + chunk + data[cut + 12 + len(zlib.compress(b"")) :])
    paint(source / "ant" / "good.png")
    code = (
        "import resource, sys\n"
        "from data_tools.command import main\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "code = main(['tu-berlin', sys.argv[1], '--out', sys.argv[2], '--threads', '1'])\n"
        "print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OPENCV_IO_MAX_IMAGE_PIXELS"}
    done = subprocess.run(
        [sys.executable, "-c", code, source, out],
        env={**environment, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    code, kilobytes = done.stdout.splitlines()[-1].split()
    assert code == "0" and int(kilobytes) < 100_000
    (said,) = report(out)["left_out"][UNREADABLE]
    assert "ant/bomb.png" in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything may be read by root")
def test_files_and_folders_that_may_not_be_read(source, out, paint, capsys):
    paint(source / "ant" / "good.png")
    paint(source / "ant" / "closed.png").chmod(0)
    assert run(source, out) == 0
    (said,) = report(out)["left_out"][UNREADABLE]
    assert "ant/closed.png" in said and "Permission denied" in said
    (source / "ant").chmod(0)
    try:
        assert run(source, out, "--force") == 2
        assert f"error: cannot read or write {source / 'ant'}: Permission denied" in capsys.readouterr().err
    finally:
        (source / "ant").chmod(stat.S_IRWXU)


def test_what_cannot_be_read_later_is_left_out(source, out, paint, monkeypatch):
    """As above, also for root: the file is there, and its bytes are refused."""
    for name in ("good", "closed"):
        paint(source / "ant" / f"{name}.png")
    read_bytes = type(source).read_bytes

    def refusing(path):
        if path.name == "closed.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(type(source), "read_bytes", refusing)
    assert run(source, out) == 0
    (said,) = report(out)["left_out"][UNREADABLE]
    assert "ant/closed.png" in said and "Permission denied" in said


def test_links_to_themselves_are_left_out(source, out, paint):
    paint(source / "ant" / "good.png")
    for name in ("ant/loop.png", "ant/loop", "loop"):
        (source / name).symlink_to(source / name)
    assert run(source, out) == 0
    assert [path.name for path in out.rglob("*.png")] == ["good.png"]
    (said,) = report(out)["left_out"].pop(UNREADABLE)
    assert "ant/loop.png" in said
    assert report(out)["left_out"]["files that are no images by their extension (not read)"] == [
        "loop",
        "ant/loop",
    ]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_an_error_before_the_first_image_leaves_nothing(
    source, out, tmp_path, paint, monkeypatch, capsys, number
):
    """So that another source may be read into the same folder."""
    paint(source / "ant" / "1.png")
    paint(tmp_path / "other" / "ant" / "2.png")

    def closed(folder):
        raise OSError(number, os.strerror(number), str(folder))

    with monkeypatch.context() as patches:
        patches.setattr(os, "scandir", closed)
        assert run(source, out) == 2
    assert f"cannot read or write {source}" in capsys.readouterr().err
    assert not out.exists()
    assert run(tmp_path / "other", out) == 0


def test_an_error_after_the_first_image_leaves_it(pairs, out, monkeypatch):
    write_image, written = importing.write_image, []

    def write(path, image):
        if written:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        written.append(path)
        write_image(path, image)

    with monkeypatch.context() as patches:
        patches.setattr(importing, "write_image", write)
        assert run(pairs, out, "--threads", 1, command="folders") == 2
    assert len(list(out.rglob("*.png"))) == 1
    assert run(pairs, out, command="folders") == 0
    assert_all_pairs(out)


def test_of_damaged_images_nothing_is_printed_but_what_the_report_says(source, out, encode):
    """Neither by OpenCV nor by libpng and libjpeg, which name no file; and TensorFlow is not started."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for extension in (".png", ".jpg", ".bmp", ".webp", ".tif"):
        data = bytearray(encode(noise, extension))
        (source / "ant" / f"whole{extension}").write_bytes(data)
        (source / "ant" / f"cut{extension}").write_bytes(data[: len(data) // 2])
        data[len(data) // 2 :: 97] = bytes(len(data[len(data) // 2 :: 97]))
        (source / "ant" / f"other{extension}").write_bytes(data)
    code = (
        "import sys\n"
        "from data_tools.command import main\n"
        "code = main(['tu-berlin', sys.argv[1], '--out', sys.argv[2]])\n"
        "sys.exit(code or 'tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source, out],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"15/15 sketches, [0-9]+ a second\n", done.stderr)
    assert done.stdout.startswith(f"{len(report(out)['left_out'][UNREADABLE])} {UNREADABLE}: ")


def test_a_folder_to_write_whose_name_is_no_text_or_moves_the_cursor(source, tmp_path, paint):
    paint(source / "ant" / "1.png")
    out = os.fsencode(tmp_path) + b"/b\xe4r\x1b[2J"
    try:
        os.mkdir(out)
    except OSError:
        pytest.skip("this file system takes text alone")
    done = subprocess.run(
        [sys.executable, "-m", "data_tools", "tu-berlin", source, "--out", out],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"made " in done.stdout and b"b\\udce4r\\x1b[2J" in done.stdout and b"\x1b" not in done.stdout


# ---- stopped, and gone on with


def stop(*args):
    """As Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.fixture
def pairs(tmp_path, paint):
    """Nine pairs of two classes."""
    for number in range(9):
        for side, grey in (("A", number), ("B", 100 + number)):
            paint(tmp_path / "set" / side / "ab"[number % 2] / f"{number}.png", grey)
    return tmp_path / "set"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("after", [0, 1, 7, 17])
def test_a_full_disk_is_said_and_the_same_command_goes_on(pairs, out, monkeypatch, capsys, number, after):
    write_image, written = importing.write_image, []

    def full(path, image):
        if len(written) == after:
            raise OSError(number, os.strerror(number), str(path))
        written.append(path)
        write_image(path, image)

    with monkeypatch.context() as patches:
        patches.setattr(importing, "write_image", full)
        assert run(pairs, out, "--threads", 1, command="folders") == 2
    said = capsys.readouterr().err
    assert f"error: no space is left for {out}: free some, and the same command goes on" in said
    assert [path.name for path in out.iterdir()] == [".partial"]
    assert len(list(out.rglob("*.png"))) == after
    again = []
    monkeypatch.setattr(
        importing, "write_image", lambda path, image: (again.append(path), write_image(path, image))
    )
    assert run(pairs, out, "--threads", 1, command="folders") == 0
    assert len(again) == 18 - after
    assert_all_pairs(out)


def assert_all_pairs(out):
    assert {path.name for path in out.iterdir()} == {"photo", "sketch", "import.json"}
    read = FolderPairs(out, test_share=0)
    assert len(read) == 9 and len(list(out.rglob("*"))) == 18 + 4 + 3
    for name, photo, sketch in zip(read.names, read.photo_paths, read.sketch_paths):
        assert decode_image(photo).max() == int(name[2:]) and decode_image(sketch).max() == 100 + int(
            name[2:]
        )


@pytest.mark.parametrize("force", [False, True])
def test_killed_anywhere_the_same_command_goes_on(pairs, tmp_path, process, tree, force):
    arguments = ["--threads", 1, *(["--force"] if force else [])]

    def begin(name):
        if force:
            run(pairs, tmp_path / name, "--direction", "BtoA", command="folders")
        return tmp_path / name

    whole_out = begin("whole")
    with process() as whole:
        run(pairs, whole_out, *arguments, command="folders")
    assert whole.changes > 50
    before = tree(pairs)
    for n in range(1, whole.changes + 1, 1 if whole.changes < 60 else 3):
        out = begin(f"killed {n}")
        with process(n):
            run(pairs, out, *arguments, command="folders")
        if run(pairs, out, *arguments, command="folders"):
            assert n == whole.changes and not force
        assert_all_pairs(out)
    assert tree(pairs) == before


def test_ctrl_c_stops_at_once_and_the_same_command_goes_on(pairs, out, monkeypatch, capsys):
    write_image, written = importing.write_image, []

    def stopped(path, image):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(path)
        write_image(path, image)

    with monkeypatch.context() as patches:
        patches.setattr(importing, "write_image", stopped)
        assert run(pairs, out, "--threads", 1, command="folders") == 130
    assert "stopped: the same command goes on" in capsys.readouterr().err
    assert run(pairs, out, "--threads", 1, command="folders") == 0
    assert_all_pairs(out)


def test_what_is_gone_from_the_source_is_not_kept(pairs, out, paint, monkeypatch):
    paint(pairs / "A" / "c" / "x.png")
    paint(pairs / "B" / "c" / "x.png")
    with monkeypatch.context() as patches:
        patches.setattr(importing, "_counts", stop)
        assert run(pairs, out, command="folders") == 130
    assert (out / ".partial" / "photo" / "c" / "x.png").exists()
    (out / ".partial" / "photo" / "c" / ".y.png.123").write_bytes(b"of a process that was killed")
    for side in "AB":
        (pairs / side / "c" / "x.png").unlink()
    assert run(pairs, out, command="folders") == 0
    assert_all_pairs(out)


@contextlib.contextmanager
def stop_after(monkeypatch, images):
    """Imports are stopped, as Ctrl-C does, when they have written so many images."""
    write_image, left = importing.write_image, [None] * images

    def stopped(path, image):
        if not left:
            stop()
        left.pop()
        write_image(path, image)

    with monkeypatch.context() as patches:
        patches.setattr(importing, "write_image", stopped)
        yield


def change(path, paint, grey):
    """Paints an image anew, at a time that differs on any file system."""
    paint(path, grey)
    os.utime(path, (1e9, 1e9))


def test_what_changed_in_the_source_is_made_anew(pairs, out, paint, monkeypatch):
    """A photo, a sketch, one that is damaged meanwhile, and one that is mended."""
    (pairs / "A" / "a" / "4.png").write_bytes(b"damaged")
    with monkeypatch.context() as patches:
        patches.setattr(importing, "_counts", stop)
        assert run(pairs, out, command="folders") == 130
    for path in (out / ".partial").rglob("*.png"):
        os.utime(path, (2e9, 2e9))
    change(pairs / "A" / "a" / "0.png", paint, 200)
    change(pairs / "B" / "a" / "2.png", paint, 202)
    change(pairs / "A" / "a" / "4.png", paint, 204)
    (pairs / "A" / "a" / "6.png").write_bytes(b"damaged")
    assert run(pairs, out, command="folders") == 0
    read = FolderPairs(out, test_share=0)
    greys = {
        name: (decode_image(photo).max(), decode_image(sketch).max())
        for name, photo, sketch in zip(read.names, read.photo_paths, read.sketch_paths)
    }
    assert greys == {
        **{"a/0": (200, 100), "a/2": (2, 202), "a/4": (204, 104), "a/8": (8, 108)},
        **{f"b/{number}": (number, 100 + number) for number in (1, 3, 5, 7)},
    }
    assert len(list(out.rglob("*.png"))) == 16
    anew = {path.relative_to(out).as_posix() for path in out.rglob("*.png") if path.stat().st_mtime != 2e9}
    assert anew == {"photo/a/0.png", "sketch/a/2.png", "photo/a/4.png", "sketch/a/4.png"}


def test_a_row_gone_from_a_table_makes_no_false_pair(tmp_path, out, paint, monkeypatch):
    """All photos are called `photo`, and so the names that are given move up."""
    for number in range(4):
        for side, grey in (("photo", number), ("sketch", 100 + number)):
            paint(tmp_path / "set" / str(number) / f"{side}.png", grey)
    file = tmp_path / "set" / "pairs.csv"
    rows = [f"{number}/photo.png,{number}/sketch.png,a\n" for number in range(4)]
    file.write_text("photo,sketch,label\n" + "".join(rows))
    with stop_after(monkeypatch, 5):
        assert run(file, out, "--threads", 1, command="csv") == 130
    file.write_text("photo,sketch,label\n" + "".join(rows[1:]))
    assert run(file, out, command="csv") == 0
    greys = {path.name: decode_image(path).max() for path in (out / "photo" / "a").iterdir()}
    assert greys == {"photo.png": 1, "photo_2.png": 2, "photo_3.png": 3}
    for name, grey in greys.items():
        assert decode_image(out / "sketch" / "a" / name).max() == 100 + grey


def test_sketches_that_a_later_list_names_are_not_kept(tmp_path, out, paint, monkeypatch):
    source, scale = tmp_path / "set", "tx_000000000000"
    for photo in "12":
        paint(source / "photo" / scale / "cat" / f"{photo}.jpg", 10)
        for number in (1, 2, 3):
            paint(source / "sketch" / scale / "cat" / f"{photo}-{number}.png", 100 + number)
    with stop_after(monkeypatch, 5):
        assert run(source, out, "--threads", 1, command="sketchy") == 130
    (source / "info").mkdir()
    (source / "info" / "invalid-error.txt").write_text("cat/1-2\n")
    assert run(source, out, command="sketchy") == 0
    greys = {path.name: decode_image(path).max() for path in out.rglob("sketch/cat/1-*.png")}
    assert greys == {"1-1.png": 101, "1-2.png": 103}


@pytest.mark.parametrize("images", [0, 5])
def test_an_archive_that_is_replaced_is_unpacked_anew(pairs, out, tmp_path, paint, monkeypatch, images):
    old = shutil.make_archive(str(tmp_path / "old" / "a"), "zip", pairs)
    for side in "AB":
        for number in range(9):
            paint(pairs / side / "ab"[number % 2] / f"{number}.png", 50)
    (pairs / "A" / "a" / "0.png").unlink()
    new = shutil.make_archive(str(tmp_path / "new" / "a"), "zip", pairs)
    archive = tmp_path / "a.zip"
    shutil.copy(old, archive)
    with stop_after(monkeypatch, images):
        assert run(archive, out, "--threads", 1, command="folders") == 130
    shutil.copy(new, archive)
    os.utime(archive, (1e9, 1e9))
    assert run(archive, out, command="folders") == 0
    assert len(list(out.rglob("*.png"))) == 16
    assert {decode_image(path).max() for path in out.rglob("*.png")} == {50}


def test_a_cleaned_copy_that_is_gone_on_with_has_what_changed(tmp_path, out, monkeypatch):
    rng, source = np.random.default_rng(0), tmp_path / "pairs"

    def draw(path):
        write_image(path, 255 * (rng.random((16, 16)) > 0.2).astype(np.uint8))
        os.utime(path, (1e9 + rng.integers(1e6), 1e9))

    for number in range(4):
        for side in ("photo", "sketch"):
            draw(source / side / "a" / f"{number}.png")
    command = ["check", str(source), "--no-alignment", "--threads", "1", "--fix", str(out)]
    with stop_after(monkeypatch, 5):
        assert main(command) == 130
    draw(source / "photo" / "a" / "0.png")
    draw(source / "sketch" / "a" / "1.png")
    assert main(command) != 2
    for path in source.rglob("*.png"):
        np.testing.assert_array_equal(decode_image(path), decode_image(out / path.relative_to(source)))


def test_killed_anywhere_what_changed_meanwhile_is_made_anew(pairs, tmp_path, paint, process):
    """Killed once before the change, and anywhere after it."""
    outs = [tmp_path / f"killed {n}" for n in range(1, 40, 3)]
    for out in outs:
        with process(40):
            run(pairs, out, "--threads", 1, command="folders")
    for number in range(0, 9, 2):
        change(pairs / "A" / "a" / f"{number}.png", paint, 50 + number)
        change(pairs / "B" / "a" / f"{number}.png", paint, 150 + number)
    for n, out in enumerate(outs):
        with process(3 * n + 1):
            run(pairs, out, "--threads", 1, command="folders")
        assert run(pairs, out, command="folders") == 0
        for path in out.rglob("*.png"):
            grey = int(path.stem) + 100 * (path.parts[-3] == "sketch") + 50 * (path.parts[-2] == "a")
            assert decode_image(path).max() == grey
        assert len(list(out.rglob("*.png"))) == 18


@pytest.mark.parametrize("after", [0, 1, 7, 17])
def test_what_a_killed_process_wrote_is_not_written_again(pairs, out, after):
    """Killed for good, in another process: what it wrote keeps its times."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(after), "folders", pairs, "--out", out, "--size", "0"],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    written = [path.relative_to(out / ".partial") for path in out.rglob("[!.]*.png")]
    assert len(written) == after
    for path in written:
        os.utime(out / ".partial" / path, (1e9, 1e9))
    assert run(pairs, out, command="folders") == 0
    assert_all_pairs(out)
    old = {path.relative_to(out) for path in out.rglob("*.png") if path.stat().st_mtime == 1e9}
    assert old == set(written)


KILLED = """
import os, signal, sys
from data_tools import importing
from data_tools.command import main

write_image, left = importing.write_image, [None] * int(sys.argv[1])

def killed(path, image):
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left.pop()
    write_image(path, image)

importing.write_image = killed
main([*sys.argv[2:], "--threads", "1"])
"""


@pytest.mark.parametrize("linked", ["photo", "photo/a", "photo/a/0.png", "sketch"])
@pytest.mark.parametrize("target", ["elsewhere", "nowhere", "itself"])
def test_what_is_linked_into_the_folder_in_the_making_is_left_alone(
    pairs, out, tmp_path, paint, tree, monkeypatch, linked, target
):
    """Nothing is removed or written where a link leads to."""
    with stop_after(monkeypatch, 5):
        assert run(pairs, out, "--threads", "1", command="folders") == 130
    elsewhere, path = tmp_path / "elsewhere", out / ".partial" / linked
    for name in ("0.png", "9.png", "a/0.png", "a/9.png"):
        paint(elsewhere / name, 250)
    before = tree(elsewhere)
    path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    inner = elsewhere / "0.png" if path.suffix else elsewhere
    path.symlink_to({"elsewhere": inner, "nowhere": tmp_path / "nowhere", "itself": path}[target])
    assert run(pairs, out, command="folders") == 0
    assert tree(elsewhere) == before
    assert not any(path.is_symlink() for path in out.rglob("*"))
    assert_all_pairs(out)


@pytest.mark.parametrize("threads", [2, 16])
def test_the_result_does_not_depend_on_threads(pairs, tmp_path, tree, threads):
    for name in ("1", "4", "5"):
        (pairs / "B" / "ab"[int(name) % 2] / f"{name}.png").write_bytes(b"damaged")
    outs = [tmp_path / f"{number} threads" for number in (1, threads)]
    for folder, number in zip(outs, (1, threads)):
        assert run(pairs, folder, "--threads", number, command="folders") == 0
    one, several = map(tree, outs)
    assert one == several and b"b/5.png" in one["import.json"]


@pytest.mark.parametrize("asked", [None, 3])
def test_there_are_as_many_threads_as_cores_or_as_asked(pairs, out, monkeypatch, asked):
    pools = []

    class Pool(importing.ThreadPoolExecutor):
        def __init__(self, threads):
            pools.append(threads)
            super().__init__(threads)

    monkeypatch.setattr(importing, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 4, 5, 6}, raising=False)
    assert run(pairs, out, *(["--threads", asked] if asked else []), command="folders") == 0
    assert pools == [asked or 5]


def test_archives_are_unpacked_once_and_removed(pairs, out, tmp_path, monkeypatch):
    archive = shutil.make_archive(str(tmp_path / "a"), "gztar", pairs)
    unpack, calls = importing.unpacking.unpack, []
    monkeypatch.setattr(importing.unpacking, "unpack", lambda *args: (calls.append(args), unpack(*args)))
    with monkeypatch.context() as patches:
        patches.setattr(importing, "_write", stop)
        assert run(archive, out, command="folders") == 130
    assert run(archive, out, command="folders") == 0
    assert len(calls) == 1
    assert_all_pairs(out)


def test_killed_anywhere_an_archive_is_gone_on_with(pairs, tmp_path, process):
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", pairs)
    with process() as whole:
        run(archive, tmp_path / "whole", "--threads", 1, command="folders")
    for n in range(1, whole.changes, 3):
        out = tmp_path / f"killed {n}"
        with process(n):
            run(archive, out, "--threads", 1, command="folders")
        assert run(archive, out, command="folders") == 0
        assert_all_pairs(out)


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_damaged_archives_leave_nothing(tmp_path, out, ending, capsys):
    (tmp_path / f"set{ending}").write_bytes(b"no archive")
    assert run(tmp_path / f"set{ending}", out) == 2
    assert f"set{ending} is damaged, or not an archive" in capsys.readouterr().err
    assert not out.exists()


def test_errors_name_what_is_in_an_archive(tmp_path, out, capsys):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "pairs.csv").write_text("photo,sketch\n")
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path / "set")
    assert run(archive, out, command="csv") == 2
    assert f"error: {archive}{os.sep}pairs.csv must begin with a row" in capsys.readouterr().err
    assert not out.exists()


# ---- tables


@pytest.fixture
def table(tmp_path, paint):
    """A function that writes a table of one good row and another, and gives its path."""
    for name in ("p.png", "s.png"):
        paint(tmp_path / "set" / name)
    paint(tmp_path / "outside.png")

    def table(photo, label="a"):
        file = tmp_path / "set" / "pairs.csv"
        file.write_text(f'photo,sketch,label\np.png,s.png,a\n"{photo}",s.png,"{label}"\n', encoding="utf-8")
        return file

    return table


@pytest.mark.parametrize("label", ["=cmd()", "=HYPERLINK(A1)", "+1", "@x", "-x", "\t=cmd()", "  =cmd()"])
def test_labels_that_a_spreadsheet_would_run(table, out, label, capsys, tree):
    assert run(table("p.png", label), out, command="csv") == 2
    said = capsys.readouterr().err
    assert "row 3, label, must be the name of a class" in said and repr(label.strip()) in said
    assert not out.exists()


@pytest.mark.parametrize(
    "photo",
    [
        "../outside.png",
        "/etc/passwd",
        "C:/x.png",
        "\\\\host\\x.png",
        "x/../../outside.png",
        "link.png",
        "here/outside.png",
    ],
)
def test_paths_that_lead_out_of_the_table_s_folder(table, tmp_path, out, photo, capsys):
    file = table(photo)
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "set" / "here").symlink_to(tmp_path)
    assert run(file, out, command="csv") == 2
    said = capsys.readouterr().err
    assert "row 3, photo, must be a path below the folder of the table. Received: " in said
    assert not out.exists()


@pytest.mark.parametrize(
    "photo", ["~/p.png", "~root/p.png", "http://host/p.png", "file:///etc/passwd", "$HOME/p.png", "|cat"]
)
def test_paths_are_taken_as_they_are(table, out, photo):
    """Neither home folders nor addresses: files of that name, which are not there."""
    assert run(table(photo), out, command="csv") == 0
    (said,) = report(out)["left_out"]["rows whose files are not there (left out)"]
    assert said == f"pairs.csv, row 3: {photo}"


# ---- what is found


def test_findings_are_shown_from_the_source_on(tmp_path):
    findings = Findings(tmp_path)
    findings.add("kind", tmp_path / "a" / "1.png")
    findings.add("kind", f"Cannot read '{tmp_path}/b.png': why")
    for number in range(5):
        findings.add("other\nkind", number)
        findings.add("kind", f"bell\a {number}")
    assert findings.names["kind"][:3] == ["a/1.png", "Cannot read 'b.png': why", "bell\\x07 0"]
    assert list(findings.lines(shown=2)) == [
        "7 kind: a/1.png, Cannot read 'b.png': why, ...",
        "5 other\nkind: 0, 1, ...",
    ]


def test_there_is_no_such_source(tmp_path, out, capsys):
    assert run(tmp_path / "nowhere", out) == 2
    assert capsys.readouterr().err == f"error: there is no file or folder {tmp_path / 'nowhere'}\n"


def test_images_are_what_opencv_makes_of_them_at_the_size_asked(pairs, out):
    assert main(["folders", str(pairs), "--out", str(out), "--size", "32"]) == 0
    image = cv2.imread(str(out / "photo" / "b" / "7.png"))
    assert image.shape == (32, 32, 3) and (image == 7).all()
