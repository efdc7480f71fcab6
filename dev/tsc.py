# SPDX-License-Identifier: GPL-2.0
"""How fast the time stamp counter of this machine runs.

An emulated processor shows the counter of the host.  The kernel measures it at
boot against an emulated timer.  Where the host is busy that timer is late, the
frequency comes out too low, and the guest's time runs many times too fast.
"""

import ctypes
import mmap
import platform
import time

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
READ = bytes.fromhex("0f31 48c1e220 4809d0 c3")
# One measurement in seconds, and how many there are to choose from.
SPAN, ROUNDS = 0.02, 3
# How many looks at both clocks there are to choose from.
LOOKS = 50


class Counter:
    """Reads the counter; OSError where that cannot be done."""

    def __init__(self):
        if platform.machine() != "x86_64":
            raise OSError("only x86-64 has this counter")
        self.code = mmap.mmap(-1, mmap.PAGESIZE, prot=(
            mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
        self.code.write(READ)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.code))
        self.read = ctypes.CFUNCTYPE(ctypes.c_uint64)(start)

    def look(self):
        """(uncertainty, nanoseconds, ticks), of the look that was quickest."""
        looks = []
        for _ in range(LOOKS):
            before = time.monotonic_ns()
            ticks = self.read()
            after = time.monotonic_ns()
            looks.append((after - before, (before + after) // 2, ticks))
        return min(looks)


def khz():
    """The frequency, or None if nobody can tell."""
    try:
        counter = Counter()
    except OSError:
        return None
    rounds = []
    for _ in range(ROUNDS):
        doubt, start, first = counter.look()
        time.sleep(SPAN)
        more_doubt, end, last = counter.look()
        rounds.append((doubt + more_doubt,
                       (last - first) * 1000000 // (end - start)))
    return min(rounds)[1]
