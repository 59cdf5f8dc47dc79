// SPDX-License-Identifier: BSD-3-Clause
/* Which processes of a guest have mapped code that reads properties of the processor. */
#include "kernel/instruction/guest_suspects.h"

#include <string.h>
#include <sys/uio.h>

#include "format/base/cleanup.h"
#include "kernel/host/mapping.h"

#define RUN_MAX	 (4u << 20)   /* bytes that are read at once */
#define CODE_MAX (256u << 20) /* bytes that are looked at altogether */

/* What is being looked through, and what was found in it. */
struct search {
	const struct guest_process *process;
	unsigned int wanted;
	uint8_t *code; /* of RUN_MAX bytes */
	uint64_t left; /* of CODE_MAX */
	uint64_t address[INSTRUCTIONS], count[INSTRUCTIONS];
};

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void note(void *context, enum instruction instruction, uint64_t address)
{
	struct search *search = context;
	uint64_t ip = search->process->ip;

	if (!search->count[instruction]++ ||
	    (ip && distance(address, ip) < distance(search->address[instruction], ip)))
		search->address[instruction] = address;
}

static void look_at(struct search *search, uint64_t begin, uint64_t end)
{
	while (begin < end && search->left) {
		uint64_t size = end - begin < RUN_MAX ? end - begin : RUN_MAX;
		struct iovec here = { search->code, (size_t)size },
			     there = { (void *)(uintptr_t)begin, (size_t)size };
		ssize_t got = process_vm_readv(search->process->host, &here, 1, &there, 1, 0);

		if (got <= 0)
			return;
		instruction_scan(search->code, (size_t)got, begin, search->wanted, note, search);
		search->left -= (uint64_t)got < search->left ? (uint64_t)got : search->left;
		begin += (uint64_t)got;
	}
}

/*
 * Pages of the guest's memory are mapped one by one, shared, from its file; what else is executable
 * there is the kernel's stub. Those that follow each other are one piece of code.
 */
static void look_through(struct search *search)
{
	uint64_t begin = 0, end = 0;
	char path[32], line[512];
	struct mapping mapping;
	auto_file *maps = NULL;

	snprintf(path, sizeof(path), "/proc/%d/maps", search->process->host);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (mapping_parse(line, &mapping) || mapping.permissions[0] != 'r' ||
		    mapping.permissions[2] != 'x' || mapping.permissions[3] != 's')
			continue;
		if (mapping.begin != end) {
			look_at(search, begin, end);
			begin = mapping.begin;
		}
		end = mapping.end;
	}
	look_at(search, begin, end);
}

static size_t take_found(const struct search *search, struct guest_suspect *suspects, size_t count)
{
	for (unsigned int i = 0; i < INSTRUCTIONS; i++)
		if (search->count[i])
			suspects[count++] = (struct guest_suspect){ .process = *search->process,
								    .instruction = i,
								    .address = search->address[i],
								    .count = search->count[i] };
	return count;
}

/* The current process before others; each kind of instruction before what is less likely. */
static int compare(const void *a, const void *b)
{
	const struct guest_suspect *left = a, *right = b;

	if (left->process.current != right->process.current)
		return left->process.current ? -1 : 1;
	if (left->instruction != right->instruction)
		return left->instruction < right->instruction ? -1 : 1;
	return left->process.pid < right->process.pid ? -1 : left->process.pid > right->process.pid;
}

size_t guest_suspects_find(const struct guest_process *process, size_t processes,
			   unsigned int wanted, struct guest_suspect suspects[GUEST_SUSPECTS_MAX])
{
	auto_free struct guest_suspect *all = calloc(processes + 1, INSTRUCTIONS * sizeof(*all));
	auto_free uint8_t *code = malloc(RUN_MAX);
	struct search search = { .wanted = wanted, .left = CODE_MAX, .code = code };
	size_t count = 0;

	if (!all || !code || !instruction_available())
		return 0;
	for (size_t i = 0; i < processes; i++) {
		memset(search.count, 0, sizeof(search.count));
		search.process = &process[i];
		if (process[i].host)
			look_through(&search);
		count = take_found(&search, all, count);
	}
	qsort(all, count, sizeof(*all), compare);
	count = count < GUEST_SUSPECTS_MAX ? count : GUEST_SUSPECTS_MAX;
	memcpy(suspects, all, count * sizeof(*all));
	return count;
}
