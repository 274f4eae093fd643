"""The peak memory of one contestant of benchmarks/speed.py, alone in a process.

    python benchmarks/peak_memory.py cgan 64x8x32 2

Prints the most bytes that building it and three steps have taken, beyond those of the
process once it has imported everything and run a first operation.
"""

import argparse
import contextlib
import resource
import subprocess
import sys

from side_by_side import random_batch, start
from workloads import CONTESTANTS, Workload

STEPS = 3  # the optimizers' slots are there from the second


def measure_in_child(name, workload, threads):
    """The peak memory of a contestant, in bytes, by this program in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, name, str(workload), str(threads)], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{CONTESTANTS[name].title}: no memory was measured:\n{done.stderr.strip()}")
    return int(done.stdout.split()[-1])


def measure(name, workload, threads):
    """The peak memory of a contestant, in bytes, in this process."""
    batch = random_batch(workload.image_size, workload.batch_size)
    if CONTESTANTS[name].torch:
        import torch
        import torch_pix2pix

        torch.set_num_threads(threads)
        torch.zeros(1) + 1

        def build():
            return torch_pix2pix.build(workload, batch, CONTESTANTS[name].precision)
    else:
        start(threads)
        import contestants

        def build():
            return contestants.build(name, workload, batch)

    forget_peak()
    before = memory("VmRSS")
    built = build()
    for _ in range(STEPS):
        built.step()
    return memory("VmHWM") - before


def memory(field):
    """`VmRSS`, what is in memory now, or `VmHWM`, its peak, in bytes."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith(f"{field}:"):
                return 1024 * int(line.split()[1])
    # Only where there is no /proc: on Linux the child of a large process inherits its peak here. It
    # is in bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak():
    """Sets the peak to what is in memory now, where the system can: imports may have had a higher one."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")


def workload_of(text):
    try:
        return Workload.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONTESTANTS, help="of a contestant")
    parser.add_argument("workload", type=workload_of, help="image size x batch size x filters, as 64x8x32")
    parser.add_argument("threads", type=int, help="of TensorFlow or PyTorch")
    options = parser.parse_args()
    print(measure(options.name, options.workload, options.threads))


if __name__ == "__main__":
    main()
