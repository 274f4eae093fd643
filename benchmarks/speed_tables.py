"""The figures of benchmarks/speed.py as Markdown."""

import statistics

from workloads import BASE, CONTESTANTS, Workload


def report(results):
    """All tables of the program's results, as text."""
    workloads = results["workloads"]
    parts = [machine_line(results), step_table(workloads), first_step_table(workloads)]
    if any(result["memory"] for result in workloads):
        parts.append(memory_table(workloads))
    parts += [flops_table(results), throughput_table(workloads)]
    parts += [
        f"{CONTESTANTS[name].title}: left out: {reason}." for name, reason in results["skipped"].items()
    ]
    return "\n\n".join(parts)


def table(heads, rows):
    """A Markdown table; the first column is text, the others are figures."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def titles(workloads):
    return [Workload.parse(result["workload"]).title for result in workloads]


def machine_line(results):
    at = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in at["versions"].items())
    peaks = ", ".join(f"{peak / 1e9:.0f} GFLOP/s in {name}" for name, peak in results["peaks"].items())
    where = f"{at['cpu']}, {at['cores']} cores, {at['threads']} threads"
    return f"{where}; {versions}; matrix multiplication {peaks}."


def medians(result):
    """Median milliseconds by name."""
    return {name: statistics.median(times) for name, times in result["times"].items()}


def by_contestant(workloads, key, cell):
    """One row a contestant that has figures under `key`, one column a workload."""
    names = [name for name in CONTESTANTS if any(name in result[key] for result in workloads)]
    return [[CONTESTANTS[name].title, *(cell(result, name) for result in workloads)] for name in names]


def step_table(workloads):
    base = CONTESTANTS[BASE].title

    def cell(result, name):
        ms = medians(result)
        speed = f" ({ms[BASE] / ms[name]:.2f})" if BASE in ms else ""
        return f"{ms[name]:.1f}{speed}"

    heads = [f"ms a step (speed as a multiple of the {base})", *titles(workloads)]
    rows = by_contestant(workloads, "times", cell)
    others = [name for name in workloads[0]["times"] if name not in CONTESTANTS]
    rows += [[name, *(f"{medians(result)[name]:.1f}" for result in workloads)] for name in others]
    return table(heads, rows)


def first_step_table(workloads):
    def cell(result, name):
        return f"{result['first_steps'][name]['seconds']:.1f}"

    return table(["s for the first step", *titles(workloads)], by_contestant(workloads, "first_steps", cell))


def memory_table(workloads):
    def cell(result, name):
        return f"{result['memory'][name] / 2**20:.0f}"

    return table(["peak memory, MiB", *titles(workloads)], by_contestant(workloads, "memory", cell))


def flops_table(results):
    """Operations of a step, and how near ConditionalGAN comes to the peak of matrix multiplication."""
    workloads = results["workloads"]
    rows = [
        [f"GFLOP a step, {update}", *(f"{result['flops'][update] / 1e9:.3g}" for result in workloads)]
        for update in ("sequential", "simultaneous")
    ]
    for name in ("cgan", "cgan-bfloat16"):
        contestant = CONTESTANTS[name]
        if name not in workloads[0]["times"]:
            continue
        cells = []
        for result in workloads:
            rate = result["flops"][contestant.update] / (medians(result)[name] / 1000)
            cells.append(f"{rate / 1e9:.0f} ({rate / results['peaks'][contestant.precision]:.2f})")
        rows.append([f"{contestant.title}: GFLOP/s (of the {contestant.precision} peak)", *cells])
    return table(["operations, by count", *titles(workloads)], rows)


def throughput_table(workloads):
    """Images a second of training, of the input pipeline and of inference."""

    def trained(result):
        return f"{1000 * Workload.parse(result['workload']).batch_size / medians(result)[name]:.0f}"

    rows = []
    for name in ("cgan", "cgan-bfloat16"):
        if name in workloads[0]["times"]:
            rows.append([f"{CONTESTANTS[name].title}: training", *(trained(result) for result in workloads)])
    for title in workloads[0]["input"]:
        rows.append([f"input, {title}", *(f"{result['input'][title]:.0f}" for result in workloads)])
    for title, by_batch in workloads[0]["inference"].items():
        for batch_size in by_batch:
            cells = (f"{result['inference'][title][batch_size]:.0f}" for result in workloads)
            rows.append([f"drawing, batch {batch_size}, {title}", *cells])
    return table(["images a second", *titles(workloads)], rows)
