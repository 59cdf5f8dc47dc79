// SPDX-License-Identifier: BSD-3-Clause
/* The processor a guest runs on: its number, and what it reports about itself. */
#include "kernel/host/cpu.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

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

	if ((unsigned int)__get_cpuid_max(0x80000000, NULL) >= 0x80000004)
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
	for (unsigned int subleaf = 0; basic >= 0xd && subleaf < 64; subleaf++)
		hash_leaf(&hash, 0xd, subleaf);
	identity->state = XXH3_64bits_digest(&hash);
	XXH3_64bits_reset(&hash);
	for (unsigned int leaf = 0; leaf <= basic && leaf < 0x40; leaf++)
		for (unsigned int subleaf = 0; subleaf < 4; subleaf++)
			hash_leaf(&hash, leaf, subleaf);
	for (unsigned int leaf = 0x80000000; leaf <= extended && leaf < 0x80000040; leaf++)
		hash_leaf(&hash, leaf, 0);
	identity->cpuid = XXH3_64bits_digest(&hash);
	read_brand(identity->model);
	identity->is_virtual = false;
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
	/* The text is complete only after the stream is closed. */
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
	/*
	 * A sleep that only lets a guest continue should end when the guest sleeps, not 50 us
	 * later.
	 */
	prctl(PR_SET_TIMERSLACK, 1);
}

/* ---- CPUID that faults ---------------------------------------------------------------------- */

/* Let CPUID fault in the calling thread. 0 or -errno: -ENODEV if the CPU does not support it. */
static int set_faulting(bool faulting)
{
	return syscall(SYS_arch_prctl, ARCH_SET_CPUID, faulting ? 0UL : 1UL) ? -errno : 0;
}

bool cpu_can_be_virtual(void)
{
	/* What um_cpuid_emulate() announces in leaf 1 (kernel/uml/patches/, arch/x86/um/cpuid.c).
	 */
	const unsigned int wanted = bit_SSE3 | bit_PCLMUL | bit_SSSE3 | bit_CMPXCHG16B |
				    bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_AES;
	unsigned int a, b, c = 0, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || wanted & ~c || set_faulting(true))
		return false;
	set_faulting(false);
	return true;
}

/* Anything else that faults, does so again, and then ends the process. */
static void answer_cpuid(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const unsigned char *instruction = (const unsigned char *)registers[REG_RIP];
	unsigned int a = (unsigned int)registers[REG_RAX], b;
	unsigned int c = (unsigned int)registers[REG_RCX], d;

	/* A CPUID that faults is a general protection fault: it has no address. */
	if (info->si_code != SI_KERNEL || instruction[0] != 0x0f || instruction[1] != 0xa2) {
		signal(number, SIG_DFL);
		return;
	}
	set_faulting(false);
	__cpuid_count(a, c, a, b, c, d);
	set_faulting(true);
	registers[REG_RAX] = a;
	registers[REG_RBX] = b;
	registers[REG_RCX] = c;
	registers[REG_RDX] = d;
	registers[REG_RIP] += 2;
}

void cpu_fault_on_cpuid(void)
{
	struct sigaction action = { .sa_sigaction = answer_cpuid, .sa_flags = SA_SIGINFO };

	if (!sigaction(SIGSEGV, &action, NULL))
		set_faulting(true);
}
