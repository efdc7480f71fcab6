# SPDX-License-Identifier: GPL-2.0
"""Find reports of the kernel in a console log."""

import re

SPLATS = re.compile(
    r"Kernel panic|Oops|BUG:|kernel BUG at|\bWARNING: |possible circular|"
    r"INFO: possible|INFO: suspicious|suspicious RCU|sleeping function|"
    r"INFO: trying to register|inconsistent lock state|bad unlock balance|"
    r"held lock freed|lock held when returning|KASAN:|UBSAN:|kmemleak: \d+ new|"
    r"Call Trace:|INFO: task .* blocked|hung task|self-detected stall|"
    r"rcu_.*detected stalls|soft lockup|scheduling while atomic|ODEBUG:|"
    r"general protection fault|Bad page state|Bad rss-counter|"
    r"list_(add|del) corruption|refcount_t: |DEBUG_LOCKS_WARN|"
    r"usercopy: Kernel memory|Objects remaining in|Out of memory:")
# Lines that may quote such words before anything happened.
HARMLESS = re.compile(r"[Cc]ommand line:|ckpt: test ")
MARK = re.compile(r"ckpt: test (\S+)")
# After a report, lines this near belong to it.
NEAR = 60


def lines_of(path):
    """The lines of a log, without line ends, whatever bytes are in it."""
    with open(path, encoding="utf-8", errors="replace") as src:
        return [line.rstrip() for line in src]


def splats(path):
    """Yield (test, excerpt) for each report; test is None outside of tests."""
    lines = lines_of(path)
    test, last = None, -NEAR
    for i, line in enumerate(lines):
        mark = MARK.search(line)
        if mark:
            test, last = mark.group(1), -NEAR
        if HARMLESS.search(line) or not SPLATS.search(line):
            continue
        if i - last >= NEAR:
            yield test, lines[max(0, i - 3):i + 40]
        last = i
