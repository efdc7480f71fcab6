// SPDX-License-Identifier: GPL-2.0
//
// Worker threads look for the longest Collatz chains in ranges of numbers and
// post what they find; the main thread prints it in order, hashes it in the
// thread pool of libuv, and reads a file meanwhile.  An interval timer runs.

'use strict';

const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const fs = require('fs');

const WORKERS = 3;
const RANGES = 60;
const LENGTH = 8000;

// Shared by all: the next range that nobody has taken.
function work(shared) {
	const next = new Int32Array(shared);
	const seen = new Map();

	for (;;) {
		const range = Atomics.add(next, 0, 1);
		let best = [0, 0];

		if (range >= RANGES)
			break;
		for (let first = range * LENGTH + 1; first <= (range + 1) * LENGTH; first++) {
			let number = first;
			let steps = 0;

			while (number !== 1) {
				number = number % 2 ? 3 * number + 1 : number / 2;
				steps++;
			}
			if (steps > best[1])
				best = [first, steps];
		}
		seen.set(range, best);
		parentPort.postMessage({ range, best, seen: seen.size });
	}
}

function hash(text, salt) {
	return new Promise((resolve, reject) => {
		crypto.pbkdf2(text, salt, 100, 16, 'sha256', (error, key) => {
			if (error)
				reject(error);
			else
				resolve(key.toString('hex'));
		});
	});
}

async function main() {
	const shared = new SharedArrayBuffer(4);
	const found = new Map();
	let ticks = 0;
	let wake = () => {};
	let chain = '';

	const timer = setInterval(() => { ticks++; }, 20);
	const ends = [];
	for (let i = 0; i < WORKERS; i++) {
		const worker = new Worker(__filename, { workerData: shared });

		worker.on('message', (message) => {
			found.set(message.range, message.best);
			wake();
		});
		ends.push(new Promise((resolve, reject) => {
			worker.on('error', reject);
			worker.on('exit', resolve);
		}));
	}
	for (let range = 0; range < RANGES; range++) {
		while (!found.has(range))
			await new Promise((resolve) => { wake = resolve; });
		const source = await fs.promises.readFile(__filename);

		chain = await hash(`${chain} ${found.get(range)} ${source.length}`, 'salt');
		fs.writeSync(1, `${range} ${found.get(range)} ${chain}\n`);
		found.delete(range);
	}
	for (const code of await Promise.all(ends))
		if (code)
			throw new Error(`a worker ended with ${code}`);
	clearInterval(timer);
	if (!ticks)
		throw new Error('the timer did not run');
	fs.writeSync(1, 'done\n');
}

if (isMainThread)
	main();
else
	work(workerData);
