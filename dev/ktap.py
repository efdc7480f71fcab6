# SPDX-License-Identifier: GPL-2.0
"""Read the Kernel Test Anything Protocol."""

import re

RESULT = re.compile(r"^(\s*)(not ok|ok)\s+\d+\s*-?\s*(.*?)\s*(?:#\s*(\w+)\s*(.*))?$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)")


class Outcome:
    """What one program said, leaf by leaf."""

    def __init__(self):
        self.passed = self.skipped = 0
        self.failed = []
        self.complaints = []

    @property
    def total(self):
        """How many results there were."""
        return self.passed + self.skipped + len(self.failed)

    def fail(self, why):
        """Add a failure that the program did not report itself."""
        self.failed.append(why)


def telling(lines):
    """What was said before each result that is not ok, and after the last one."""
    shown, since = [], []
    for line in filter(str.strip, lines):
        since.append(line)
        result = RESULT.match(line)
        if result:
            if result.group(2) == "not ok":
                shown += since[-12:]
            since = []
    return shown[:36] + since[-12:]


def parse(lines):
    """Count the leaves of a KTAP stream; check every plan."""
    out = Outcome()
    below = 0           # deepest indentation since the last result
    plans = {}          # indentation -> [planned, seen]

    def close(indent):
        for depth in [d for d in plans if d >= indent]:
            planned, seen = plans.pop(depth)
            if planned != seen:
                out.fail(f"{planned} tests were planned, {seen} reported")

    for line in lines:
        plan = PLAN.match(line)
        if plan:
            close(len(plan.group(1)))
            plans[len(plan.group(1))] = [int(plan.group(2)), 0]
            continue
        if re.match(r"^\s*(Bail out!|.*# Totals:)", line):
            if "Bail out!" in line:
                out.fail(line.strip())
            continue
        got = RESULT.match(line)
        if not got:
            if line.lstrip().startswith("#"):
                out.complaints.append(line)
            continue
        indent = len(got.group(1))
        close(indent + 1)
        if indent in plans:
            plans[indent][1] += 1
        if below > indent:
            below = indent
            continue
        below = indent
        directive = (got.group(4) or "").upper()
        name = got.group(3) or "(no name)"
        if directive == "SKIP":
            out.skipped += 1
        elif got.group(2) == "ok" or directive in ("TODO", "XFAIL"):
            out.passed += 1
        else:
            out.fail(name + (f" ({got.group(5)})" if got.group(5) else ""))
    close(0)
    return out
