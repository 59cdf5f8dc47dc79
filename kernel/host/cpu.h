/* SPDX-License-Identifier: BSD-3-Clause */
/* The processor a guest runs on: its number, and what it reports about itself. */
#ifndef TTREC_CPU_H
#define TTREC_CPU_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MODEL_TEXT 64

/*
 * A guest's libc keeps the results of CPUID, including the APIC id, so guest memory depends on the
 * CPU's model and number; messages do not.
 */
struct cpu_identity {
	unsigned int number; /* logical CPU, as in sched_setaffinity(2) */
	uint64_t cpuid;	     /* hash over the CPUID leaves as that CPU answers them */
	uint64_t state;	     /* hash over leaf 0xD: how the registers of a process are saved */
	char model[CPU_MODEL_TEXT]; /* brand string */
	/*
	 * The programs of the guest do not see this CPU, but the one of the guest patches
	 * (kernel/uml/patches/): only @state can reach their memory.
	 */
	bool is_virtual;
};

/* The CPUs the calling thread may use. */
int cpu_allowed(cpu_set_t *allowed);

/*
 * Pin the calling thread to @number and describe it (@identity may be NULL). -EINVAL when it may
 * not be used.
 */
int cpu_pin(unsigned int number, struct cpu_identity *identity);

/* Whether the calling thread may be pinned to @number: 0 or -errno. Its affinity stays as it is. */
int cpu_check(unsigned int number);

/* A CPU this process may use: the one it runs on now. */
unsigned int cpu_here(void);

/*
 * The first processor's part of /proc/cpuinfo without values that change over time (MHz, bogomips):
 * UML reads the flags from it (arch/um/os-Linux/start_up.c). *@text is malloc'ed; NULL without one.
 * Returns 0 or -errno.
 */
int cpu_info_text(char **text);

/*
 * Whether a guest kernel with the patch can show its programs the virtual CPU: CPUID must be able
 * to fault here (arch_prctl(2), ARCH_SET_CPUID), and this CPU must have all features of the virtual
 * one.
 */
bool cpu_can_be_virtual(void);

/*
 * Let CPUID fault in the calling thread, too, and emulate it with the real result. If only the
 * guest's processes had this setting, the host would write a model-specific register at each switch
 * between them and the calling thread: 6 us for each message exchange in a virtual machine. Has no
 * effect on a host without support.
 */
void cpu_fault_on_cpuid(void);

/*
 * Let the calling thread run on every CPU of @allowed but @number; on all of them if there is no
 * other.
 */
int cpu_avoid(const cpu_set_t *allowed, unsigned int number);

/*
 * Wake the calling thread only once the process that runs on its CPU blocks: a scheduler that is
 * woken by half of an exchange (a RUN's ACK) would take the CPU from the guest just to wait for the
 * other half.
 */
void cpu_wait_politely(void);

#endif
