# SPDX-License-Identifier: GPL-2.0
"""What the benchmark measures, and what was hoped for: for report and page."""

import json
import os

COUNTS = ("stop_insns", "checkpoint_insns", "restart_insns", "image_bytes")
TIMES = ("stop_ms", "checkpoint_ms", "restart_ms")
ENGINES = ("ckpt", "criu", "criu-predump")
# Of each figure: what nobody can do without.
FLOORS = {"stop": ("fork", "memcpy", "bgsave"), "checkpoint": ("write", "bgsave"),
          "restart": ("pread", "fork+exit+wait", "create+join"),
          "image": ("unique", "bgsave")}
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads.list")
LEFT_OUT = {
    ("cow-100x64M", "criu"): "its image has the memory 101 times: 6.7 GB, more than the guest has",
}
PREDUMP = ("measured where there is private memory that it can take early; of its two stops the"
           " longer one, and nothing was written in between")


def read_workloads():
    """{name: engines}, in the order of the list."""
    found = {}
    with open(LIST, encoding="utf-8") as src:
        for line in src:
            words = line.partition("#")[0].split()
            if words:
                found[words[0]] = words[3].split(",")
    return found


WORKLOADS = read_workloads()


class Figures(dict):
    """{(workload, engine, metric): value}"""

    @classmethod
    def of_rows(cls, rows):
        """From the rows of the JSON file."""
        return cls({(r["workload"], r["engine"], r["metric"]): r["value"] for r in rows})

    @classmethod
    def of_file(cls, path):
        """From the JSON file."""
        with open(path, encoding="utf-8") as src:
            return cls.of_rows(json.load(src))

    def ratio(self, first, second):
        """Of two keys; None if one is not there."""
        if first in self and self.get(second):
            return self[first] / self[second]
        return None

    def against(self, metric, workload, engine):
        """What of ours is so many times that of the other engine."""
        return self.ratio((workload, "ckpt", metric), (workload, engine, metric))

    def floors(self, workload, metric):
        """[(name, value)] of what bounds this; a fork() does nothing about shared memory."""
        what = metric.partition("_")[0]
        return [(name, self[workload, name, metric]) for name in FLOORS[what]
                if (workload, name, metric) in self and
                not (name == "fork" and workload.startswith("shared"))]


def objects(workload):
    """How many objects a workload holds; 0 if it is about memory."""
    name, _, count = workload.rpartition("-")
    return int(count) if name and count.isdigit() else 0


def same_as(figures, workload, metric, other):
    """Ours in units of another row: (engine, metric)."""
    return figures.ratio((workload, "ckpt", metric), (workload, *other))


def fewer(figures, workload, metric, engine):
    """How many times fewer ours are."""
    return figures.ratio((workload, engine, metric), (workload, "ckpt", metric))


def worst(figures, metric):
    """The workload in which we are worst beside CRIU's dump: (name, ratio)."""
    found = [(figures.against(metric, w, "criu"), w) for w in WORKLOADS]
    found = [item for item in found if item[0] is not None]
    return max(found) if found else (None, "")


def goals(figures):
    """[(text, measured or None, "<=" or ">=", bound)]"""
    rows = []

    def at_most(text, bound, workload, metric, engine, other=None):
        rows.append((text, same_as(figures, workload, metric, (engine, other or metric)),
                     "<=", bound))

    def times_fewer(text, bound, workload, metric, engine="criu"):
        rows.append((text, fewer(figures, workload, metric, engine), ">=", bound))

    for workload in ("anon-64M", "anon-256M", "anon-1G", "thp-1G"):
        at_most(f"stop, {workload}, in forks of it", 1.5, workload, "stop_insns", "fork")
    at_most("stop, redis-256M, in forks of its own snapshot", 1.5, "redis-256M",
            "stop_insns", "bgsave")
    at_most("stop, cow-100x64M, in forks of all", 1.5, "cow-100x64M", "stop_insns", "fork")
    at_most("stop, tasks-1000, in fork+exit+wait of all", 0.5, "tasks-1000", "stop_insns",
            "fork+exit+wait", "restart_insns")
    for engine, mode in (("criu", "CRIU's dump"), ("criu-predump", "CRIU after a pre-dump")):
        for workload, bound in (("anon-64M", 20), ("anon-1G", 50), ("thp-1G", 300)):
            times_fewer(f"stop, {workload}, times fewer than {mode}", bound, workload,
                        "stop_insns", engine)
    times_fewer("stop, tasks-1000, times fewer than CRIU's dump", 20, "tasks-1000", "stop_insns")
    times_fewer("stop, threads-1000, times fewer than CRIU's dump", 20, "threads-1000",
                "stop_insns")
    for workload in ("anon-1G", "thp-1G"):
        at_most(f"checkpoint, {workload}, in write() of it", 1.1, workload,
                "checkpoint_insns", "write")
    times_fewer("checkpoint, tasks-1000, times fewer than CRIU", 8, "tasks-1000",
                "checkpoint_insns")
    for workload in ("anon-1G", "thp-1G"):
        at_most(f"restart, {workload}, in pread() of it", 1.2, workload, "restart_insns", "pread")
    times_fewer("restart, tasks-1000, times fewer than CRIU", 10, "tasks-1000", "restart_insns")
    at_most("restart, tasks-1000, in fork+exit+wait of all", 2, "tasks-1000", "restart_insns",
            "fork+exit+wait")
    at_most("image, cow-100x64M, in bytes that exist once", 1.05, "cow-100x64M",
            "image_bytes", "unique")
    for metric in COUNTS:
        ratio, workload = worst(figures, metric)
        rows.append((f"{metric.partition('_')[0]}, never more than CRIU; worst: {workload}",
                     ratio, "<=", 1))
    return rows


def reached(measured, sense, bound):
    """Whether a goal is."""
    return measured <= bound if sense == "<=" else measured >= bound
