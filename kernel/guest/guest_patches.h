/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the patches that build-uml.sh applies (kernel/uml/patches/) a guest's kernel has. */
#ifndef TTREC_GUEST_PATCHES_H
#define TTREC_GUEST_PATCHES_H

#include "kernel/image/image.h"

enum guest_patch {
	GUEST_PATCH_COUNTER = 1, /* the time stamp counter reads virtual time in user space */
	GUEST_PATCH_WORK = 2,	 /* system calls and page faults can be charged virtual time */
	GUEST_PATCH_CPUID =
		4, /* programs see the same processor on each host that can fault on CPUID */
};

/*
 * The patches of @kernel, found by the symbols that they add, or in a stripped kernel by the names
 * of their parameters.
 */
unsigned int guest_patches(const struct image_file *kernel);

/*
 * The virtual time that work costs a guest: SYSCALL,FAULT[,COUNTER[,STEP]] in ns, the value of the
 * kernel parameter GUEST_WORK_PARAMETER; or GUEST_WORK_OFF.
 *
 * The default is the rounded time of a system call (250 ns) and a minor page fault (500 ns) on a
 * current x86_64 machine: programs that poll make progress at a realistic rate, and the timing of a
 * guest that does little hardly changes. Reading the counter costs the same as reading the clock.
 * Work may reach 250 us ahead of virtual time: each time that virtual time follows is an exchange
 * of about eight messages, which at 50 us, the kernel's own default, cost a guest that does nothing
 * but system calls 7 % of its wall time.
 */
#define GUEST_WORK_PARAMETER "um_work_cost="
#define GUEST_WORK_DEFAULT   "250,500,256,250000"
#define GUEST_WORK_OFF	     "off"

/* With GUEST_PATCH_CPUID: GUEST_CPUID_PARAMETER "host" lets programs see the host's processor. */
#define GUEST_CPUID_PARAMETER "um_cpuid="

/* Check such a value. 0 or -EINVAL. */
int guest_work_check(const char *text);

/*
 * Write @text, which is such a value, to @whole with omitted parts set to their defaults, so that a
 * trace has all of it.
 */
#define GUEST_WORK_TEXT 48
void guest_work_complete(const char *text, char whole[GUEST_WORK_TEXT]);

#endif
