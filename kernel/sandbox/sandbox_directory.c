// SPDX-License-Identifier: BSD-3-Clause
/*
 * The location of a sandbox without its own root, and of the guest's memory file. A
 * container's /dev/shm is small and noexec: nothing in it can be executed, or mapped as a guest
 * maps its memory.
 */
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

/* Paths of the sockets below it are short (unix(7)). */
#define BASE_MAX 64

static const char *const bases[] = { NULL /* $TMPDIR */, "/dev/shm", "/tmp", "/var/tmp" };

static bool can_hold(const char *base, struct host_directory *about)
{
	return base && *base == '/' && strlen(base) < BASE_MAX &&
	       !host_read_directory(base, about) && about->exec && !access(base, W_OK | X_OK);
}

/* The first that has the space; else, as a guest may use less, that with the most. */
int sandbox_find_base(uint64_t memory, const char **base, struct host_directory *about)
{
	struct host_directory found;

	*base = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		const char *tried = bases[i] ? bases[i] : getenv("TMPDIR");

		if (!can_hold(tried, &found) || (*base && found.free_bytes <= about->free_bytes))
			continue;
		*base = tried;
		*about = found;
		if (found.free_bytes >= memory)
			break;
	}
	return *base ? 0 : -EACCES;
}

int sandbox_make_directory(const struct sandbox_limits *limits, char **directory)
{
	struct host_directory about;
	const char *base;
	int err = sandbox_find_base(limits->memory, &base, &about);

	if (err)
		return err;
	if (limits->disk && limits->memory > limits->disk)
		return -EFBIG;
	if (asprintf(directory, "%s/ttrec-XXXXXX", base) < 0) {
		*directory = NULL;
		return -ENOMEM;
	}
	if (mkdtemp(*directory))
		return 0;
	err = -errno;
	free(take_pointer(*directory));
	return err;
}
