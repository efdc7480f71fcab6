// SPDX-License-Identifier: GPL-2.0

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The game of life on a torus, by a pool of threads that meet at a barrier; it
 * leaves much garbage behind, and prints what the cells are every now and then.
 */
public final class Life {
	private static final int SIZE = 192;
	private static final int THREADS = 4;
	private static final int GENERATIONS = 800;

	private final boolean[][][] cells = new boolean[2][SIZE][SIZE];

	private Life() {
		long state = 42;

		for (boolean[] row : cells[0]) {
			for (int x = 0; x < SIZE; x++) {
				state = state * 6364136223846793005L + 1442695040888963407L;
				row[x] = state < 0;
			}
		}
	}

	private int neighbours(boolean[][] now, int x, int y) {
		int n = 0;

		for (int dy = SIZE - 1; dy <= SIZE + 1; dy++) {
			for (int dx = SIZE - 1; dx <= SIZE + 1; dx++) {
				if (now[(y + dy) % SIZE][(x + dx) % SIZE])
					n++;
			}
		}
		return n - (now[y][x] ? 1 : 0);
	}

	private void advance(int generation, int first, int last) {
		boolean[][] now = cells[generation & 1];

		for (int y = first; y < last; y++) {
			boolean[] next = new boolean[SIZE];

			for (int x = 0; x < SIZE; x++) {
				int n = neighbours(now, x, y);

				next[x] = n == 3 || n == 2 && now[y][x];
			}
			cells[1 - (generation & 1)][y] = next;
		}
	}

	private static void print(int generation, boolean[][] now) {
		Map<Integer, List<String>> rows = new HashMap<>();

		for (int y = 0; y < SIZE; y++) {
			StringBuilder text = new StringBuilder();
			int alive = 0;

			for (boolean cell : now[y]) {
				text.append(cell ? '#' : ' ');
				alive += cell ? 1 : 0;
			}
			rows.computeIfAbsent(alive, key -> new ArrayList<>()).add(text.toString());
		}
		try {
			MessageDigest digest = MessageDigest.getInstance("SHA-256");

			rows.keySet().stream().sorted().forEach(
				alive -> digest.update(rows.get(alive).toString().getBytes()));
			System.out.println(generation + " " + HexFormat.of().formatHex(digest.digest()));
		} catch (java.security.NoSuchAlgorithmException e) {
			throw new IllegalStateException(e);
		}
	}

	private void run() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(THREADS);
		ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
		AtomicInteger ticks = new AtomicInteger();
		AtomicInteger generation = new AtomicInteger();
		CyclicBarrier barrier = new CyclicBarrier(THREADS, () -> {
			int g = generation.incrementAndGet();

			if (g % 20 == 0)
				print(g, cells[g & 1]);
		});
		List<Future<?>> workers = new ArrayList<>();

		clock.scheduleAtFixedRate(ticks::incrementAndGet, 50, 50, TimeUnit.MILLISECONDS);
		for (int i = 0; i < THREADS; i++) {
			int first = SIZE * i / THREADS;
			int last = SIZE * (i + 1) / THREADS;

			workers.add(pool.submit(() -> {
				for (int g = 0; g < GENERATIONS; g++) {
					advance(g, first, last);
					barrier.await();
				}
				return null;
			}));
		}
		for (Future<?> worker : workers)
			worker.get();
		pool.shutdown();
		clock.shutdown();
		if (ticks.get() == 0)
			throw new IllegalStateException("the clock did not tick");
		System.out.println("done");
	}

	public static void main(String[] args) throws Exception {
		new Life().run();
	}
}
