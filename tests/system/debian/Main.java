// SPDX-License-Identifier: BSD-3-Clause
// Threads, locks, the garbage collector, hash order and clocks of a Java virtual machine.
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

public class Main {
	private static void threads() throws Exception {
		ConcurrentLinkedQueue<String> order = new ConcurrentLinkedQueue<>();
		ExecutorService pool = Executors.newFixedThreadPool(8);
		List<Future<Integer>> results = new ArrayList<>();
		for (int i = 0; i < 40; i++) {
			final int job = i;
			results.add(pool.submit(() -> {
				Thread.sleep(ThreadLocalRandom.current().nextInt(10));
				order.add(Integer.toString(job));
				return job * job;
			}));
		}
		int sum = 0;
		for (Future<Integer> result : results)
			sum += result.get();
		pool.shutdown();
		pool.awaitTermination(10, TimeUnit.SECONDS);
		System.out.println("threads " + sum + ": " + String.join(" ", order));
	}

	private static void garbage() {
		List<byte[]> kept = new ArrayList<>();
		for (int i = 0; i < 5000; i++) {
			kept.add(new byte[20000]);
			if (kept.size() > 500)
				kept.clear();
		}
		System.gc();
		System.out.println("sum " + IntStream.range(0, 1000000).parallel().mapToLong(i -> i % 7).sum());
	}

	private static void machine() throws Exception {
		Set<Object> objects = new HashSet<>();
		for (int i = 0; i < 5; i++)
			objects.add(new Object());
		System.out.println("objects " + objects);
		System.out.println("random " + UUID.randomUUID() + " " + new SecureRandom().nextLong());
		KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
		System.out.println("key " + generator.generateKeyPair().getPublic().hashCode());
		System.out.println("clocks " + System.nanoTime() + " " + System.currentTimeMillis());
	}

	public static void main(String[] arguments) throws Exception {
		System.out.println("processors " + Runtime.getRuntime().availableProcessors());
		threads();
		garbage();
		machine();
	}
}
