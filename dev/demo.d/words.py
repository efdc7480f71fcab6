#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Word statistics of the sources of Python's own library.

usage: words.py DIRECTORY RESULT LOG

A long computation like many: it reads much, keeps a growing heap of tables
and objects, tells in a log how far it is, and writes a result at the end.
"""

import collections
import hashlib
import json
import os
import re
import sys

WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
PASSES = 1


def sources(top):
    """All Python files below a directory, in a fixed order."""
    found = []
    for where, dirs, names in os.walk(top):
        dirs.sort()
        found += [os.path.join(where, name) for name in sorted(names)
                  if name.endswith(".py")]
    return found


class Statistics:
    """What is counted; all of it depends on every file read so far."""

    def __init__(self):
        self.words = collections.Counter()
        self.pairs = collections.defaultdict(collections.Counter)
        self.chain = hashlib.sha256()
        self.files = 0

    def add(self, path):
        """Count one file."""
        with open(path, encoding="utf-8", errors="replace") as src:
            words = WORD.findall(src.read())
        self.words.update(words)
        last = ""
        for word in words:
            self.pairs[last][word] += 1
            last = word
        self.files += 1
        self.chain.update(f"{path} {len(words)} {len(self.words)} {last}\n".encode())

    def result(self):
        """The tables as something JSON can hold."""
        followers = {word: sorted(self.pairs[word].items(), key=lambda i: (-i[1], i[0]))[:3]
                     for word, _ in self.words.most_common(200)}
        return {"files": self.files, "words": sum(self.words.values()),
                "different": len(self.words), "common": followers,
                "all": sorted(self.words.items()), "chain": self.chain.hexdigest()}


def main():
    top, result, log_name = sys.argv[1:]
    statistics = Statistics()
    with open(log_name, "a", encoding="utf-8") as log:
        files = sources(top)
        for number in range(PASSES):
            for path in files:
                statistics.add(path)
                if statistics.files % 10 == 0:
                    log.write(f"pass {number + 1}: {statistics.files} files,"
                              f" {len(statistics.words)} words,"
                              f" {statistics.chain.hexdigest()[:16]}\n")
                    log.flush()
        log.write("done\n")
    with open(result, "w", encoding="utf-8") as out:
        json.dump(statistics.result(), out, indent=1, sort_keys=True)
        out.write("\n")


if __name__ == "__main__":
    main()
