#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A pipeline of threads, and a pool of them.

A producer makes texts, workers take them from a bounded queue and count words
and compress them, and a pool verifies what they made.  The main thread prints
one line for each text, in order; a heartbeat waits on a condition with a limit.
"""

import concurrent.futures
import hashlib
import queue
import threading
import zlib

TEXTS = 60
WORKERS = 4
WORDS = "it is a long way from the first word to the last of them".split()


def make_text(number):
    """Some text that no other number has."""
    state, words = number + 1, []
    for _ in range(6000):
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        words.append(WORDS[state >> 60 & 15 if state >> 60 < len(WORDS) else 0])
    return " ".join(words)


def work(tasks, done):
    """What a worker does."""
    while (task := tasks.get()) is not None:
        number, text = task
        counts = {}
        for word in text.split():
            counts[word] = counts.get(word, 0) + 1
        done.put((number, counts, zlib.compress(text.encode(), 9)))
        tasks.task_done()


def verify(number, counts, packed):
    """In the pool: what was compressed is what was counted."""
    text = zlib.decompress(packed).decode()
    assert sum(counts.values()) == len(text.split()), number
    return hashlib.sha256(text.encode() + repr(sorted(counts.items())).encode()).hexdigest()


class Heart(threading.Thread):
    """Beats until it is told to end."""

    def __init__(self):
        super().__init__(name="heart")
        self.condition = threading.Condition()
        self.ended = False
        self.beats = 0

    def run(self):
        with self.condition:
            while not self.condition.wait_for(lambda: self.ended, timeout=0.05):
                self.beats += 1

    def end(self):
        """End it; it must have been alive."""
        with self.condition:
            self.ended = True
            self.condition.notify_all()
        self.join()
        assert self.beats


def main():
    tasks, done = queue.Queue(8), queue.PriorityQueue()
    heart = Heart()
    heart.start()
    workers = [threading.Thread(target=work, args=(tasks, done)) for _ in range(WORKERS)]

    def produce():
        for number in range(TEXTS):
            tasks.put((number, make_text(number)))
        for _ in workers:
            tasks.put(None)

    producer = threading.Thread(target=produce)
    for thread in [producer, *workers]:
        thread.start()
    chain, waiting = hashlib.sha256(), {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number in range(TEXTS):
            while number not in waiting:
                got, counts, packed = done.get()
                waiting[got] = pool.submit(verify, got, counts, packed)
            chain.update(waiting.pop(number).result().encode())
            print(number, chain.hexdigest(), flush=True)
    for thread in [producer, *workers]:
        thread.join()
    heart.end()
    print("done", flush=True)


if __name__ == "__main__":
    main()
