// SPDX-License-Identifier: BSD-3-Clause
/* Survives that a mapped file is shortened: zeros in place of SIGBUS. */
#include "kernel/host/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPINGS_MAX 4096

/* @end is 0 while the place is free; it is written last, and cleared before the mapping goes. */
struct mapping {
	uintptr_t begin, end;
	bool lost;
};

/*
 * A signal handler belongs to the process, and so does its data. The lock serialises changes of the
 * list; the handler only reads it, and only entries of mappings in use.
 */
static struct mapping mappings[MAPPINGS_MAX];
static size_t mapping_limit; /* unused from here on */
static bool any_lost;
static struct sigaction previous;
static uintptr_t page_mask;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct mapping *mapping_at(uintptr_t address)
{
	size_t limit = __atomic_load_n(&mapping_limit, __ATOMIC_ACQUIRE);

	for (size_t i = 0; i < limit; i++) {
		uintptr_t end = __atomic_load_n(&mappings[i].end, __ATOMIC_ACQUIRE);

		if (address < end && address >= mappings[i].begin)
			return &mappings[i];
	}
	return NULL;
}

static bool replace_page(struct mapping *mapping, uintptr_t address)
{
	void *page = (void *)(address & page_mask);

	if (mmap(page, (size_t)(-page_mask), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return false;
	__atomic_store_n(&mapping->lost, true, __ATOMIC_RELAXED);
	__atomic_store_n(&any_lost, true, __ATOMIC_RELAXED);
	return true;
}

/* Not a guarded mapping: behave as if this handler did not exist. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };

	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(number, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(number);
	} else if (previous.sa_handler == SIG_DFL || info->si_code > 0) {
		sigaction(number, &standard, NULL);
		raise(number);
	}
}

static void handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	struct mapping *mapping = NULL;

	if (info->si_code == BUS_ADRERR)
		mapping = mapping_at((uintptr_t)info->si_addr);
	if (!mapping || !replace_page(mapping, (uintptr_t)info->si_addr))
		pass_on(number, info, context);
	errno = saved;
}

/* Each time again: another handler may have been installed since. */
static int install(void)
{
	const struct sigaction ours = { .sa_sigaction = handle,
					.sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct sigaction present;

	page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	if (sigaction(SIGBUS, NULL, &present))
		return -errno;
	if (present.sa_flags & SA_SIGINFO && present.sa_sigaction == handle)
		return 0;
	previous = present;
	return sigaction(SIGBUS, &ours, NULL) ? -errno : 0;
}

static int add_locked(uintptr_t begin, uintptr_t end)
{
	size_t i = 0;
	int err = install();

	if (err)
		return err;
	while (i < mapping_limit && mappings[i].end)
		i++;
	if (i == MAPPINGS_MAX)
		return -ENOSPC;
	mappings[i].begin = begin;
	mappings[i].lost = false;
	__atomic_store_n(&mappings[i].end, end, __ATOMIC_RELEASE);
	if (i == mapping_limit)
		__atomic_store_n(&mapping_limit, i + 1, __ATOMIC_RELEASE);
	return 0;
}

int guard_add(void *data, size_t size)
{
	int err;

	pthread_mutex_lock(&lock);
	err = add_locked((uintptr_t)data, (uintptr_t)data + size);
	pthread_mutex_unlock(&lock);
	return err;
}

void guard_remove(const void *data)
{
	struct mapping *mapping;

	pthread_mutex_lock(&lock);
	mapping = mapping_at((uintptr_t)data);
	if (mapping)
		__atomic_store_n(&mapping->end, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
}

bool guard_is_lost(const void *data)
{
	struct mapping *mapping;
	bool lost;

	pthread_mutex_lock(&lock);
	mapping = mapping_at((uintptr_t)data);
	lost = mapping && __atomic_load_n(&mapping->lost, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	return lost;
}

bool guard_any_lost(void)
{
	return __atomic_load_n(&any_lost, __ATOMIC_RELAXED);
}
