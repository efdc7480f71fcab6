#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An event loop that talks to processes through pairs of sockets.

asyncio wakes its loop up through a pair of sockets. Workers are processes at
the ends of multiprocessing.Pipe(), which is a pair of sockets, too; threads of
the loop wait for their answers. The numbers go through a pair of streams within
the loop, which hold as many as the limits allow.
"""

import asyncio
import hashlib
import multiprocessing
import socket

NUMBERS = 60
WORKERS = 3


def work(connection):
    """What each process does with a number: something that takes time."""
    while (number := connection.recv()) is not None:
        digest = str(number).encode()
        for _ in range(30_000):
            digest = hashlib.sha256(digest).digest()
        connection.send((number, digest.hex()))


async def produce(writer):
    """Numbers with much around them, so that the stream is full."""
    for number in range(NUMBERS):
        writer.write(f"{number} {'x' * 20_000}\n".encode())
        await writer.drain()
    writer.close()


async def ask(connection, number):
    """The answer of a worker."""
    connection.send(number)
    return await asyncio.to_thread(connection.recv)


async def main(connections):
    left, right = socket.socketpair()
    reader, _ = await asyncio.open_connection(sock=left, limit=1 << 16)
    _, writer = await asyncio.open_connection(sock=right)
    producer = asyncio.create_task(produce(writer))
    chain = hashlib.sha256()
    while line := await reader.readline():
        first = int(line.split()[0])
        asked = [ask(c, first * WORKERS + i) for i, c in enumerate(connections)]
        for number, digest in await asyncio.gather(*asked):
            chain.update(digest.encode())
            print(number, digest[:16], chain.hexdigest()[:16], flush=True)
    await producer


def start():
    context = multiprocessing.get_context("fork")
    pairs = [context.Pipe() for _ in range(WORKERS)]
    workers = [context.Process(target=work, args=(theirs,)) for _, theirs in pairs]
    for worker in workers:
        worker.start()
    asyncio.run(main([ours for ours, _ in pairs]))
    for ours, _ in pairs:
        ours.send(None)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


if __name__ == "__main__":
    start()
