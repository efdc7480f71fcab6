# SPDX-License-Identifier: GPL-2.0
"""Start children that do not outlive us, however we end."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For preexec_fn: be killed when the parent is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
