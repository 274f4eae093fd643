"""Archives: what is in them lands in the folder, and nothing of it anywhere else, whatever they say."""

import errno
import gzip
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

from data_tools import unpacking
from data_tools.groups import DataError
from data_tools.unpacking import MOST_DEPTH, is_archive, unpack

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
FORMATS = (".zip", *TARS)
CLEAN = {"a/1.txt": b"one", "a/b/2.txt": b"two" * 500, "bär 1.txt": b""}


def member(name, data=b"", kind=tarfile.REGTYPE, **fields):
    """An entry of a tar: its header, and what follows it."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def write_tar(path, *members):
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w:")
    with tarfile.open(path, mode) as opened:
        for info, data in members:
            opened.addfile(info, io.BytesIO(data))


def write_zip(path, *entries):
    """Writes entries `(ZipInfo or name, bytes)`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries:
            opened.writestr(name, data)


@pytest.fixture
def archive(tmp_path):
    """A function `(ending, files)` that writes an archive of a dict of name -> bytes."""

    def archive(ending, files=CLEAN, name="set"):
        path = tmp_path / f"{name}{ending}"
        if ending == ".zip":
            write_zip(path, *files.items())
        else:
            write_tar(path, *(member(name, data) for name, data in files.items()))
        return path

    return archive


@pytest.fixture
def refused(tmp_path, tree):
    """A function that unpacks an archive, which must be refused, and nothing be written outside."""

    def refused(path, message, **limits):
        (tmp_path / "victim.txt").write_text("mine")
        before = {name: data for name, data in tree(tmp_path).items()}
        with pytest.raises(DataError, match=message) as error:
            unpack(path, tmp_path / "new" / "folder", **limits)
        assert str(path) in str(error.value)
        after = {name: data for name, data in tree(tmp_path).items() if name.split("/")[0] != "new"}
        assert after == before
        return str(error.value)

    return refused


@pytest.mark.parametrize("ending", FORMATS)
def test_files_and_folders_are_unpacked(archive, tmp_path, tree, ending):
    unpack(archive(ending), tmp_path / "new")
    assert {name: data for name, data in tree(tmp_path / "new").items() if data is not None} == CLEAN


@pytest.mark.parametrize("ending", FORMATS)
def test_how_far_it_is_is_shown_of_large_archives(archive, tmp_path, capsys, ending):
    noise = {f"{seed}.txt": np.random.default_rng(seed).bytes(2**20) for seed in range(3)}
    unpack(archive(ending, noise), tmp_path / "large")
    assert re.fullmatch(rf"3/3 MB of set{ending} unpacked, \d+ a second\n", capsys.readouterr().err)
    unpack(archive(ending), tmp_path / "small")
    assert capsys.readouterr().err == ""


def test_what_is_an_archive(archive, tmp_path):
    for ending in FORMATS:
        assert is_archive(archive(ending.upper()))
    (tmp_path / "folder.zip").mkdir()
    for name in ("folder.zip", "gone.zip", "victim.txt"):
        assert not is_archive(tmp_path / name)


def test_the_folder_must_be_new(archive, tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(FileExistsError):
        unpack(archive(".zip"), tmp_path / "new")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_folders_may_come_after_what_is_in_them_and_twice(tmp_path, tree):
    write_zip(
        tmp_path / "a.zip", ("a/1.txt", b"1"), ("a/", b""), ("a/", b""), ("./b/./2.txt", b"2"), ("c//", b"")
    )
    unpack(tmp_path / "a.zip", tmp_path / "new")
    assert tree(tmp_path / "new") == {"a": None, "a/1.txt": b"1", "b": None, "b/2.txt": b"2", "c": None}


# ---- outside

OUTSIDE = [
    "../victim.txt",
    "a/../../victim.txt",
    "..",
    "a/..",
    "/tmp/victim.txt",
    "//host/share/victim.txt",
    "\\victim.txt",
    "..\\victim.txt",
    "a\\..\\..\\victim.txt",
    "C:\\victim.txt",
    "c:victim.txt",
    "\\\\host\\share\\victim.txt",
    "./../victim.txt",
    "a/./../../victim.txt",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_nothing_outside(archive, refused, name, ending):
    path = archive(ending, {"first.txt": b"1", name: b"evil"})
    message = refused(path, "must hold nothing outside of itself. Received: ")
    assert message.endswith(repr(name))


@pytest.mark.parametrize("name", ["a\0b", "\0"])
def test_names_with_a_zero(refused, tmp_path, name):
    # tarfile cuts plain names at a zero, but not those of pax headers.
    info, data = member("x", b"1")
    info.pax_headers = {"path": name}
    write_tar(tmp_path / "a.tar", (info, data))
    refused(tmp_path / "a.tar", "must hold nothing outside of itself|is damaged")


def test_backslashes_are_folders(archive, tmp_path, tree):
    unpack(archive(".zip", {"a\\b\\1.txt": b"1"}), tmp_path / "new")
    assert tree(tmp_path / "new")["a/b/1.txt"] == b"1"


# ---- links and devices

KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"?"]


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_devices_in_a_tar(refused, tmp_path, kind):
    link = member("a", kind=kind, linkname="..", devmajor=1, devminor=3)
    write_tar(tmp_path / "a.tar", member("first.txt", b"1"), link, member("a/victim.txt", b"evil"))
    refused(tmp_path / "a.tar", "must hold files and folders alone, no links or devices. Received: 'a'")


def test_links_in_a_zip(refused, tmp_path):
    info = zipfile.ZipInfo("a")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    write_zip(tmp_path / "a.zip", ("first.txt", b"1"), (info, b".."), ("a/victim.txt", b"evil"))
    refused(tmp_path / "a.zip", "must hold no links. Received: 'a'")


def test_a_hard_link_to_a_file_outside(refused, tmp_path):
    link = member("a", kind=tarfile.LNKTYPE, linkname="../victim.txt")
    write_tar(tmp_path / "a.tar", link, member("a", b"evil"))
    refused(tmp_path / "a.tar", "no links or devices. Received: 'a'")


def test_modes_and_owners_are_not_taken_over(tmp_path):
    info = zipfile.ZipInfo("1.sh")
    info.external_attr = (stat.S_IFREG | 0o6777) << 16
    write_zip(tmp_path / "a.zip", (info, b"1"))
    write_tar(
        tmp_path / "a.tar",
        member("2.sh", b"2", mode=0o6777, uid=0, gid=0),
        member("d", kind=tarfile.DIRTYPE, mode=0),
    )
    umask = os.umask(0o022)
    try:
        unpack(tmp_path / "a.zip", tmp_path / "1")
        unpack(tmp_path / "a.tar", tmp_path / "2")
    finally:
        os.umask(umask)
    for path in (tmp_path / "1" / "1.sh", tmp_path / "2" / "2.sh"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "2" / "d").stat().st_mode) == 0o755


# ---- bombs


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_file_that_unpacks_to_much(archive, refused, tmp_path, monkeypatch, ending):
    monkeypatch.setattr(unpacking, "_FREE_BYTES", 2**20)
    path = archive(ending, {"a.txt": bytes(2**24)})
    assert path.stat().st_size < 2**16
    refused(path, "would unpack to more than [0-9]+ MB: it may be a bomb", most_ratio=20)
    assert sum(file.stat().st_size for file in (tmp_path / "new").rglob("*.txt")) <= 2**20 + 2**20


def test_many_files_that_unpack_to_much_together(archive, refused):
    path = archive(".zip", {f"{number}.txt": bytes(1000) for number in range(100)})
    refused(path, "would unpack to more than 0 MB", most_bytes=50_000)


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_too_many_entries(archive, refused, tmp_path, ending):
    path = archive(ending, {f"{number}.txt": b"" for number in range(101)})
    refused(path, "must hold at most 100 files and folders", most_files=100)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 100
    unpack(path, tmp_path / "all", most_files=101)


def test_folders_count_too(archive, refused, tmp_path):
    path = archive(".zip", {f"{number}/" + "d/" * 20 + "1.txt": b"" for number in range(6)})
    refused(path, "must hold at most 100 files and folders", most_files=100)
    assert len(list((tmp_path / "new").rglob("*"))) <= 101


@pytest.mark.parametrize("ending", [".zip", ".tar"])
@pytest.mark.parametrize("depth", [MOST_DEPTH + 1, 1900, 10_000])
def test_folders_in_folders_without_end(archive, refused, depth, ending):
    path = archive(ending, {"d/" * depth + "1.txt": b""})
    refused(path, f"must hold at most {MOST_DEPTH} folders in folders. Received: {depth + 1}")


def test_folders_in_folders_up_to_the_limit(archive, tmp_path):
    unpack(archive(".tar", {"d/" * (MOST_DEPTH - 1) + "1.txt": b"1"}), tmp_path / "new")
    assert len(list((tmp_path / "new").rglob("*"))) == MOST_DEPTH
    shutil.rmtree(tmp_path / "new", ignore_errors=True)
    assert not (tmp_path / "new").exists()


def test_an_archive_in_an_archive_stays_one(archive, tmp_path):
    inner = archive(".zip", {"1.txt": b"1"}, name="inner")
    unpack(archive(".zip", {"inner.zip": inner.read_bytes()}), tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["inner.zip"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_whose_header_is_gigabytes(refused, tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 2**33 - 512
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        file.write(info.tobuf())
        file.write(bytes(2**22))
    refused(tmp_path / "a.tar.gz", "has a header of [0-9]+ MB: it may be a bomb")


def test_a_tar_that_skips_gigabytes(refused, tmp_path):
    """What is of no known kind may say that it is large: tarfile would decompress it to skip it."""
    info = tarfile.TarInfo("d")
    info.type, info.size = b"Z", 2**33 - 512
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(info.tobuf())
        file.write(bytes(2**20))
    refused(tmp_path / "a.tar.gz", "must hold files and folders alone")


def test_a_sparse_file_counts_as_what_it_is_read_as(refused, tmp_path):
    if subprocess.run(["tar", "--version"], capture_output=True).returncode:
        pytest.skip("no tar on this system")
    with open(tmp_path / "hole.bin", "wb") as file:
        file.truncate(2**24)
    subprocess.run(["tar", "-cSf", "a.tar", "hole.bin"], cwd=tmp_path, check=True)
    assert (tmp_path / "a.tar").stat().st_size < 2**16
    refused(tmp_path / "a.tar", "would unpack to more than 1 MB", most_bytes=2**20)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
def test_a_bomb_takes_no_memory(tmp_path):
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=9) as file:
        info = tarfile.TarInfo("x")
        info.size = 2**31
        file.write(info.tobuf())
        for _ in range(200):
            file.write(bytes(2**20))
    code = (
        "import resource, sys; from data_tools.unpacking import unpack\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: unpack(sys.argv[1], sys.argv[2])\n"
        "except ValueError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    root = os.path.dirname(os.path.dirname(unpacking.__file__))
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.tar.gz", tmp_path / "new"],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    said, kilobytes = done.stdout.splitlines()
    assert "it may be a bomb" in said and int(kilobytes) < 40_000


# ---- damaged, encrypted, doubled


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.7])  # of a tar's, the rest is zeros
def test_truncated(archive, refused, ending, share):
    path = archive(ending, {f"{number}.txt": os.urandom(3000) for number in range(9)})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(path, "is damaged")


def test_a_tar_that_ends_where_an_entry_does(archive, refused):
    path = archive(".tar", {"1.txt": b"1", "2.txt": b"2"})
    path.write_bytes(path.read_bytes()[:1024])
    refused(path, "is damaged: it ends too early")


@pytest.mark.parametrize("ending", FORMATS)
def test_bytes_that_are_others(archive, tmp_path, tree, ending):
    """Damaged anywhere: it is an error, or what is unpacked is in the folder; never a traceback."""
    whole = archive(ending, {"a/1.txt": b"hello" * 50, "b.txt": os.urandom(300)}).read_bytes()
    path = tmp_path / f"damaged{ending}"
    step = max(1, len(whole) // 100)
    failed = 0
    for place in range(0, len(whole), step):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xA5]) + whole[place + 1 :])
        try:
            unpack(path, tmp_path / "sandbox" / "new")
        except DataError as error:
            failed += 1
            assert str(path) in str(error)
        assert [each.name for each in (tmp_path / "sandbox").iterdir()] == ["new"]
        shutil.rmtree(tmp_path / "sandbox" / "new", ignore_errors=True)
    assert failed > (3 if ending == ".tar" else 20)  # a tar has checksums of its headers alone


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x05\x06", b"\x1f\x8b\x08", bytes(100)])
def test_files_that_are_none(refused, tmp_path, ending, content):
    if ending != ".zip" and content == bytes(100):
        content = bytes(511)
    (tmp_path / f"a{ending}").write_bytes(content)
    refused(tmp_path / f"a{ending}", "is damaged, or not an archive of this kind: ")


def test_the_ending_of_a_tar_does_not_matter_but_its_content(archive, tmp_path):
    os.replace(archive(".tar.bz2"), tmp_path / "a.tar.gz")
    unpack(tmp_path / "a.tar.gz", tmp_path / "new")
    assert (tmp_path / "new" / "a" / "1.txt").read_bytes() == b"one"


def test_encrypted(refused, tmp_path):
    write_zip(tmp_path / "a.zip", ("1.txt", b"secret"))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "must not be encrypted. Received: '1.txt'")


def test_a_compression_of_another_kind(refused, tmp_path):
    write_zip(tmp_path / "a.zip", ("1.txt", b"1"))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(signature) + offset] = 9  # Deflate64, which Windows writes
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "is damaged, or not an archive of this kind: .*compression")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_of_zip(tmp_path, refused, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as opened:
        opened.writestr("1.txt", b"hello" * 1000)
    unpack(tmp_path / "a.zip", tmp_path / "whole")
    assert (tmp_path / "whole" / "1.txt").read_bytes() == b"hello" * 1000
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[50] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "is damaged")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names", [("a.txt", "a.txt"), ("a", "a/b"), ("a/b", "a"), ("a/b", "a/./b"), ("a", "a\\b")]
)
@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_two_entries_of_one_name(refused, tmp_path, names, ending):
    path = tmp_path / f"x{ending}"
    if ending == ".zip":
        write_zip(path, *((name, b"1") for name in names))
    else:
        write_tar(path, *(member(name, b"1") for name in names))
    refused(path, "has two entries of one name: [ab]")


@pytest.mark.parametrize("name", ["", ".", "./"])
def test_a_file_that_is_the_folder_itself(refused, tmp_path, name):
    write_tar(tmp_path / "x.tar", member(name, b"1"))
    try:
        unpack(tmp_path / "x.tar", tmp_path / "new")
    except DataError as error:
        assert str(tmp_path / "x.tar") in str(error)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".tar"]


# ---- names


def test_names_that_are_no_utf8(tmp_path):
    info, data = member(os.fsdecode(b"b\xe4r.txt"), b"1")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as opened:
        opened.addfile(info, io.BytesIO(data))
    try:
        unpack(tmp_path / "a.tar", tmp_path / "new")
    except DataError as error:  # of a file system that takes text alone
        assert "a.tar has a name that" in str(error)
    else:
        assert os.listdir(os.fsencode(tmp_path / "new")) == [b"b\xe4r.txt"]


def test_a_zip_whose_names_are_no_text(refused, tmp_path):
    write_zip(tmp_path / "a.zip", ("bär.txt", b"1"))  # marked as UTF-8
    data = (tmp_path / "a.zip").read_bytes().replace("bär".encode(), b"b\xff\xffr")
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", "is damaged, or not an archive of this kind: ")


def test_names_that_are_too_long(refused, tmp_path):
    for ending in (".zip", ".tar"):
        path = tmp_path / f"a{ending}"
        if ending == ".zip":
            write_zip(path, ("x" * 300, b"1"))
        else:
            write_tar(path, member("y" * 300, b"1"))
        refused(path, "has a name that this system does not take: .*too long")
        shutil.rmtree(tmp_path / "new", ignore_errors=True)


def test_a_full_disk_is_no_damage(archive, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device", "1.txt")

    monkeypatch.setattr(unpacking, "_copy", full)
    with pytest.raises(OSError) as error:
        unpack(archive(".zip"), tmp_path / "new")
    assert error.value.errno == errno.ENOSPC
