#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The same tree of processes that many Python programs are.

A pool of processes factors numbers; a process of its own, at the end of a pipe,
adds up what the pool found, under a lock and in shared memory that all have.
"""

import concurrent.futures
import hashlib
import multiprocessing

NUMBERS = 40
FIRST = 10_000_000_019 * 7


def factors(number):
    """By trial division."""
    found, divisor = [], 2
    while divisor * divisor <= number and divisor < 60_000:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found + [number]


def add_up(requests, answers, count, lock):
    """What the process at the pipe does."""
    chain = hashlib.sha256()
    while (found := requests.recv()) is not None:
        chain.update(repr(found).encode())
        with lock:
            count.value += len(found)
        answers.send(chain.hexdigest())


def main():
    context = multiprocessing.get_context("fork")
    lock = context.Lock()
    count = context.Value("i", 0, lock=False)
    from_main, to_child = context.Pipe(duplex=False)
    from_child, to_main = context.Pipe(duplex=False)
    child = context.Process(target=add_up, args=(from_main, to_main, count, lock))
    child.start()
    with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as pool:
        for found in pool.map(factors, range(FIRST, FIRST + NUMBERS)):
            to_child.send(found)
            print(found, from_child.recv(), flush=True)
    to_child.send(None)
    child.join()
    assert child.exitcode == 0
    with lock:
        print(count.value, flush=True)


if __name__ == "__main__":
    main()
