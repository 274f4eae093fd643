"""Standard input, output and error: closed, full, or of an encoding that lacks letters of names."""

import contextlib
import io
import os
import sys

from data_tools.groups import DataError


def prepare():
    """Opens what of the three is closed to nowhere, and lets the outputs escape what they cannot encode.

    Python has `None` for a closed one, and the next file that is opened takes its descriptor.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(*lines):
    """Prints lines, the last that a command does.

    Raises:
        DataError: Standard output is full, or what reads it has ended.
    """
    try:
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        with open(os.devnull, "wb") as nowhere:  # or Python would fail again at its end
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise DataError(
            f"standard output cannot be written ({error.strerror}), but all else is done"
        ) from error


def complain(text):
    """Prints a text on standard error, if that can be written."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
