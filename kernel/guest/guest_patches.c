// SPDX-License-Identifier: BSD-3-Clause
/* Which of the patches that build-uml.sh applies (kernel/uml/patches/) a guest's kernel has. */
#include "kernel/guest/guest_patches.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

static const struct {
	enum guest_patch patch;
	const char *symbol;
} patch_table[] = {
	{ GUEST_PATCH_COUNTER, "um_tsc_emulate" },  /* arch/x86/um/tsc.c */
	{ GUEST_PATCH_WORK, "um_work_cost_setup" }, /* arch/um/kernel/time.c */
	{ GUEST_PATCH_CPUID, "um_cpuid_emulate" },  /* arch/x86/um/cpuid.c */
};

static bool has_parameter(const struct image_file *kernel, const char *name)
{
	return memmem(kernel->data, kernel->size, name, strlen(name));
}

unsigned int guest_patches(const struct image_file *kernel)
{
	unsigned int patches = 0;
	uint64_t address, size;

	for (size_t i = 0; i < ARRAY_SIZE(patch_table); i++)
		if (!image_symbol_find(kernel, patch_table[i].symbol, &address, &size))
			patches |= patch_table[i].patch;
	if (patches || !image_symbol_find(kernel, "start_kernel", &address, &size))
		return patches;
	if (has_parameter(kernel, GUEST_WORK_PARAMETER))
		patches |= GUEST_PATCH_COUNTER | GUEST_PATCH_WORK;
	if (has_parameter(kernel, GUEST_CPUID_PARAMETER))
		patches |= GUEST_PATCH_CPUID;
	return patches;
}

/* The kernel reads them with get_options(): an int each. COUNTER and STEP must move time. */
enum { WORK_SYSCALL, WORK_FAULT, WORK_COUNTER, WORK_STEP, WORK_NUMBERS };
#define WORK_NUMBERS_MIN WORK_COUNTER

/* Fill as many of @cost as @text has. */
static int parse_work(const char *text, uint64_t cost[WORK_NUMBERS])
{
	unsigned int count = 0;

	do {
		if (count == WORK_NUMBERS || number_take(&text, 10, INT32_MAX, &cost[count]) ||
		    (*text && *text != ',') || (!cost[count] && count >= WORK_NUMBERS_MIN))
			return -EINVAL;
		count++;
	} while (*text++);
	return count < WORK_NUMBERS_MIN ? -EINVAL : 0;
}

int guest_work_check(const char *text)
{
	uint64_t cost[WORK_NUMBERS];

	return strcmp(text, GUEST_WORK_OFF) ? parse_work(text, cost) : 0;
}

void guest_work_complete(const char *text, char whole[GUEST_WORK_TEXT])
{
	uint64_t cost[WORK_NUMBERS];

	snprintf(whole, GUEST_WORK_TEXT, "%s", GUEST_WORK_OFF);
	if (!strcmp(text, GUEST_WORK_OFF))
		return;
	parse_work(GUEST_WORK_DEFAULT, cost);
	parse_work(text, cost);
	snprintf(whole, GUEST_WORK_TEXT, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
		 cost[WORK_SYSCALL], cost[WORK_FAULT], cost[WORK_COUNTER], cost[WORK_STEP]);
}
