"""A bar on a terminal, a line now and then in a log."""

import sys
import time


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
            print(f"\r[{bar}] {text} ", end="\n" if last else "", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)
