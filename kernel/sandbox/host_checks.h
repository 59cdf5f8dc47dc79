/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host allows, by its settings and by trying system calls.
 *
 * The sandbox itself (sandbox.h) reports which parts of the isolation were achieved; this finds out
 * why one was not.
 */
#ifndef TTREC_HOST_CHECKS_H
#define TTREC_HOST_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/base/diagnosis.h"

/* The value of a setting this host does not have. */
#define HOST_UNKNOWN (-1L)

/*
 * HOST_SETTING(member, "path below the root")
 * Each file holds one number. Sources: kernel/ucount.c and kernel/fork.c (Debian's patch),
 * AppArmor's restriction of Ubuntu 23.10 and newer, security/yama/yama_lsm.c.
 */
#define HOST_SETTINGS(HOST_SETTING)                                                             \
	HOST_SETTING(userns_clone, "/proc/sys/kernel/unprivileged_userns_clone")                \
	HOST_SETTING(max_user_namespaces, "/proc/sys/user/max_user_namespaces")                 \
	HOST_SETTING(apparmor_userns, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") \
	HOST_SETTING(ptrace_scope, "/proc/sys/kernel/yama/ptrace_scope")

/* A Linux version as one number that compares. */
#define HOST_LINUX(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))

struct host_settings {
#define HOST_SETTING(member, path) long member;
	HOST_SETTINGS(HOST_SETTING)
#undef HOST_SETTING
	bool filtered;	       /* this process runs under a seccomp filter */
	bool bare_root;	       /* root without CAP_SETFCAP, who may not map himself (Linux 5.12) */
	const char *container; /* "Docker", "Podman", "a container"; NULL outside of one */
	char apparmor[64];     /* the AppArmor profile that confines this process; "" without one */
	char release[65];      /* "6.12.48-generic" */
	uint32_t version;      /* HOST_LINUX() of it, 0 if unknown */
};

/* HOST_LINUX() of a release such as "6.12.48-generic"; 0 when it is not one. */
uint32_t host_parse_version(const char *release);

/* Read the settings of the host whose file system begins at @root: "" for this one. */
void host_read_settings(const char *root, struct host_settings *settings);

/*
 * HOST_TRIAL(NAME, function of host_checks.c, "what is tried, as a user reads it") In the order of
 * use: the guest's namespaces, what its process does, what we do to it.
 */
#define HOST_TRIALS(HOST_TRIAL)                                                         \
	HOST_TRIAL(USERNS, try_userns, "clone(CLONE_NEWUSER)")                          \
	HOST_TRIAL(MAP, try_map, "writing /proc/self/uid_map")                          \
	HOST_TRIAL(MOUNT, try_mount, "mount(2) in its own namespaces")                  \
	HOST_TRIAL(SPACE, try_space, "mmap(2) of 17 TiB without memory")                \
	HOST_TRIAL(HEAP, try_heap, "prctl(PR_SET_MM_MAP)")                              \
	HOST_TRIAL(LISTENER, try_listener, "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)") \
	HOST_TRIAL(PTRACE, try_ptrace, "ptrace(2)")                                     \
	HOST_TRIAL(AFFINITY, try_affinity, "sched_setaffinity(2)")                      \
	HOST_TRIAL(MEMORY, try_memory, "process_vm_readv(2) and process_vm_writev(2)")

enum host_trial {
#define HOST_TRIAL(NAME, run, text) HOST_TRIAL_##NAME,
	HOST_TRIALS(HOST_TRIAL)
#undef HOST_TRIAL
		HOST_TRIAL_COUNT,
};

const char *host_trial_text(enum host_trial trial);

/* Try it in its own process. 0 if it is allowed, else the -errno of the refusal. */
int host_try(enum host_trial trial);

/*
 * Check the devices of this machine that sandboxes use: if /dev/null is not the null device, guests
 * read and print other data than when recorded. Returns 0 or -ENODEV with the reason.
 */
int host_check_devices(struct diagnosis *why);

/* A directory that a guest without a root of its own could keep its memory in. */
struct host_directory {
	uint64_t free_bytes;
	bool exec; /* programs and PROT_EXEC mappings are allowed */
};

/*
 * Available memory in bytes: as reported by the host, or what is left in the control groups of this
 * process, if that is less. UINT64_MAX: unknown.
 */
uint64_t host_memory_available(void);

/* -errno without such a directory. */
int host_read_directory(const char *path, struct host_directory *directory);

/* Write @text to a file of /proc or /sys, all at once; @path as of openat(2). 0 or -errno. */
int host_write_setting(int directory, const char *path, const char *text);

/*
 * Read such a file to @text, of which @size - 1 bytes count. 0, or -errno and an empty text where
 * it cannot be read.
 */
int host_read_setting(int directory, const char *path, char *text, size_t size);

#endif
