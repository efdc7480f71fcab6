# SPDX-License-Identifier: GPL-2.0
"""Write initramfs archives (cpio, "newc" format) without root privileges."""

import gzip
import os
import stat


class Archive:
    """Collects entries owned by root, whoever runs this."""

    def __init__(self):
        self._chunks = []
        self._dirs = set()
        self._ino = 0

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self._ino += 1
        raw = name.encode() + b"\0"
        head = "070701" + "".join(f"{v:08X}" for v in (
            self._ino, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(raw), 0))
        blob = head.encode() + raw
        blob += b"\0" * (-len(blob) % 4) + data
        self._chunks.append(blob + b"\0" * (-len(blob) % 4))

    def directory(self, name, mode=0o755):
        """Add a directory and its parents, once."""
        name = name.strip("/")
        if not name or name in self._dirs:
            return
        self.directory(os.path.dirname(name))
        self._dirs.add(name)
        self._entry(name, stat.S_IFDIR | mode)

    def data(self, name, content, mode=0o644):
        """Add a regular file with the given bytes."""
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, content)

    def file(self, name, path):
        """Add a file of the host, following symbolic links."""
        mode = 0o755 if os.access(path, os.X_OK) else 0o644
        with open(path, "rb") as src:
            self.data(name, src.read(), mode)

    def symlink(self, name, target):
        """Add a symbolic link."""
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, kind, major, minor, mode=0o600):
        """Add a device node; kind is 'c' or 'b'."""
        fmt = stat.S_IFCHR if kind == "c" else stat.S_IFBLK
        self._entry(name.strip("/"), fmt | mode, rdev=(major, minor))

    def tree(self, prefix, path, skip=()):
        """Add a directory of the host with everything below it.

        At its top, the names in skip are left out."""
        self.directory(prefix)
        for entry in sorted(os.scandir(path), key=lambda e: e.name):
            if entry.name in skip:
                continue
            name = f"{prefix}/{entry.name}"
            if entry.is_symlink() and not os.path.exists(entry.path):
                self.symlink(name, os.readlink(entry.path))
            elif entry.is_dir():
                self.tree(name, entry.path)
            else:
                self.file(name, entry.path)

    def bytes(self):
        """The finished archive; archives may simply be concatenated."""
        done = list(self._chunks)
        self._entry("TRAILER!!!", 0)
        done.append(self._chunks.pop())
        blob = b"".join(done)
        return blob + b"\0" * (-len(blob) % 512)

    def write(self, path, compress=False):
        """Write the archive to a file, replacing it in one step."""
        blob = self.bytes()
        if compress:
            blob = gzip.compress(blob, 1, mtime=0)
        with open(path + ".new", "wb") as out:
            out.write(blob)
        os.rename(path + ".new", path)
