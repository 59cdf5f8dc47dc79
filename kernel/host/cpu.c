// SPDX-License-Identifier: BSD-3-Clause
/* The processor a guest runs on: its number, and what it reports about itself. */
#include "kernel/host/cpu.h"

#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/base/cleanup.h"

struct cpuid_answer {
	unsigned int leaf, subleaf, eax, ebx, ecx, edx;
};

static void hash_leaf(XXH3_state_t *hash, unsigned int leaf, unsigned int subleaf)
{
	struct cpuid_answer answer = { .leaf = leaf, .subleaf = subleaf };

	__cpuid_count(leaf, subleaf, answer.eax, answer.ebx, answer.ecx, answer.edx);
	/*
	 * OSXSAVE and the enabled XSAVE size are the operating system's, the same for every
	 * process.
	 */
	XXH3_64bits_update(hash, &answer, sizeof(answer));
}

static void read_brand(char model[CPU_MODEL_TEXT])
{
	unsigned int words[12] = { 0 };
	const char *text = (const char *)words;
	size_t length = 0;

	if (__get_cpuid_max(0x80000000, NULL) >= 0x80000004)
		for (unsigned int i = 0; i < 3; i++)
			__cpuid(0x80000002 + i, words[4 * i], words[4 * i + 1], words[4 * i + 2],
				words[4 * i + 3]);
	while (length < sizeof(words) && text[length])
		length++;
	while (length && text[length - 1] == ' ')
		length--;
	memcpy(model, text, length);
	model[length] = '\0';
}

static void identify(struct cpu_identity *identity)
{
	XXH3_state_t hash;
	unsigned int basic = __get_cpuid_max(0, NULL);
	unsigned int extended = __get_cpuid_max(0x80000000, NULL);

	XXH3_64bits_reset(&hash);
	for (unsigned int leaf = 0; leaf <= basic && leaf < 0x40; leaf++)
		for (unsigned int subleaf = 0; subleaf < 4; subleaf++)
			hash_leaf(&hash, leaf, subleaf);
	for (unsigned int leaf = 0x80000000; leaf <= extended && leaf < 0x80000040; leaf++)
		hash_leaf(&hash, leaf, 0);
	identity->cpuid = XXH3_64bits_digest(&hash);
	read_brand(identity->model);
}

int cpu_pin(unsigned int number, struct cpu_identity *identity)
{
	cpu_set_t set;

	if (number >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(number, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	if (identity) {
		identity->number = number;
		identify(identity);
	}
	return 0;
}

int cpu_check(unsigned int number)
{
	cpu_set_t allowed;
	int err = cpu_allowed(&allowed);

	if (!err)
		err = cpu_pin(number, NULL);
	if (!err && sched_setaffinity(0, sizeof(allowed), &allowed))
		err = -errno;
	return err;
}

unsigned int cpu_here(void)
{
	int number = sched_getcpu();

	return number < 0 ? 0 : (unsigned int)number;
}

static void copy_first_processor(FILE *info, FILE *out)
{
	static const char *const moving[] = { "cpu MHz",	"bogomips", "processor",  "apicid",
					      "initial apicid", "core id",  "physical id" };
	char line[8192];

	while (fgets(line, sizeof(line), info) && *line != '\n') {
		bool skip = false;

		for (size_t i = 0; i < ARRAY_SIZE(moving); i++)
			skip |= !strncmp(line, moving[i], strlen(moving[i]));
		if (!skip)
			fputs(line, out);
	}
}

int cpu_info_text(char **text)
{
	auto_file *info = fopen("/proc/cpuinfo", "re");
	size_t length = 0;
	FILE *out;

	*text = NULL;
	if (!info)
		return errno == ENOENT ? 0 : -errno;
	out = open_memstream(text, &length);
	if (!out)
		return -ENOMEM;
	copy_first_processor(info, out);
	/* Only closing the stream makes the text ours. */
	if (!fclose(out) && !ferror(info))
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}

int cpu_allowed(cpu_set_t *allowed)
{
	return sched_getaffinity(0, sizeof(*allowed), allowed) ? -errno : 0;
}

int cpu_avoid(const cpu_set_t *allowed, unsigned int number)
{
	cpu_set_t set = *allowed;

	if (CPU_COUNT(&set) > 1 && number < CPU_SETSIZE)
		CPU_CLR(number, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

void cpu_wait_politely(void)
{
	/*
	 * Batch tasks do not preempt (kernel/sched/fair.c, wakeup preemption); refused, it is only
	 * slower.
	 */
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	/* A sleep that only lets a guest continue ends when the guest sleeps, not 50 us later. */
	prctl(PR_SET_TIMERSLACK, 1);
}
