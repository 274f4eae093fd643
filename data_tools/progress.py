"""What is shown while work is done: a bar on a terminal, a line now and then in a log, and nothing else."""

import contextlib
import io
import os
import sys
import time

_STANDARD_ERROR = 2


class Progress:
    """Shows how far something is, on standard error.

    Args:
        total: How many there are to be done.
        what: Their name, plural.
    """

    def __init__(self, total, what, stream=None):
        self._total, self._what, self._stream = total, what, stream or sys.stderr
        self._done, self._begin = 0, time.monotonic()
        self._shown = self._begin
        self._live = self._stream.isatty()

    def add(self, count=1):
        """So many more are done."""
        self._done += count
        now = time.monotonic()
        last = self._done >= self._total
        if not last and now - self._shown < (0.2 if self._live else 10.0):
            return
        self._shown = now
        rate = self._done / max(now - self._begin, 1e-6)
        text = f"{self._done}/{self._total} {self._what}, {rate:.0f} a second"
        if self._live:
            share = self._done / max(self._total, 1)
            bar = ("=" * round(30 * share)).ljust(30)
            text = f"\r[{bar}] {text} "
        with contextlib.suppress(OSError):  # it is full, or nobody reads it
            print(text, end="" if self._live and not last else "\n", file=self._stream, flush=True)


@contextlib.contextmanager
def quiet_decoders():
    """Without what OpenCV, libpng and libjpeg print about images: reports name what is damaged, they do not.

    They write to the process's standard error, which leads nowhere meanwhile. Python's own goes on.
    """
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # there is none, and so nothing is printed
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, kept)
        if _descriptor(sys.stderr) == _STANDARD_ERROR:
            sys.stderr.flush()
            form = {"encoding": sys.stderr.encoding, "errors": sys.stderr.errors}
            raw = io.FileIO(kept, "w", closefd=False)  # what cannot be written does not stay in a buffer
            python = stack.enter_context(io.TextIOWrapper(raw, write_through=True, **form))
            stack.enter_context(contextlib.redirect_stderr(python))
        stack.callback(os.dup2, kept, _STANDARD_ERROR)
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STANDARD_ERROR)
        yield


def _descriptor(stream):
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):  # none, or one in memory
        return None
