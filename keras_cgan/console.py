"""What a training program shows and hears: progress with time left, Ctrl-C."""

import math
import shutil
import signal
import sys
import time


class Progress:
    """A bar with losses and time left; in a log file, a line now and then.

    Args:
        total: Number of steps at the end.
        log_every: Steps between two lines of a log file.

    Example:

    >>> progress = Progress(total=1000)
    >>> progress.show(step, {"d_loss": 0.5})
    """

    def __init__(self, total, log_every=20):
        self._log_every = log_every
        self._total, self._first, self._start = total, None, None
        self._is_terminal = sys.stdout.isatty()

    def show(self, step, losses):
        """Shows that a step, counted from 1, is done, and its losses by name."""
        if self._start is None:
            # The first step also compiles: it says nothing about the time left.
            self._start, self._first = time.monotonic(), step
        if not self._is_terminal and step % self._log_every and step != self._total:
            return
        done = step - self._first
        left = (time.monotonic() - self._start) / done * (self._total - step) if done else math.nan
        clock = f"{int(left) // 60}:{int(left) % 60:02d}" if done else "-:--"
        filled = round(20 * step / self._total)
        text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        line = f"step {step}/{self._total} [{'=' * filled}{'.' * (20 - filled)}] {clock} left  {text}"
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns - 1  # a wrapped line cannot be drawn over
            print(f"\r{line[:columns]}\033[K", end="", flush=True)
        else:
            print(line, flush=True)

    def end(self):
        """Leaves the bar on a line of its own."""
        if self._is_terminal:
            print()


class StopOnCtrlC:
    """Lets the step under way end on the first Ctrl-C (or SIGTERM); a second one stops at once.

    Example:

    >>> with StopOnCtrlC() as stop:
    ...     while not stop.asked:
    ...         train_one_step()
    """

    def __enter__(self):
        self.asked = False
        signals = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._ask) for number in signals}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number, frame):
        self.asked = True
        for number in self._before:
            signal.signal(number, signal.SIG_DFL)
