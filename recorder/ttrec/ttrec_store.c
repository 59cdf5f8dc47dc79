// SPDX-License-Identifier: BSD-3-Clause
/* ttrec store: lists what the store holds, and removes what was not used for long. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "format/base/cleanup.h"
#include "format/base/command_line.h"
#include "format/base/diagnosis.h"
#include "format/base/units.h"
#include "format/store/store.h"
#include "recorder/ttrec/ttrec.h"

#define DAY_S	86400
#define PART_S	DAY_S /* what no recorder still writes */
#define DAY_MAX 36500

struct store_options {
	const char *directory;
	uint64_t unused; /* days; UINT64_MAX: nothing is removed */
};

static const struct option_row rows[] = {
	{ "store", 0, "DIR", "this store instead of the user's", 0, OPTION_TEXT,
	  OPTION_FIELD(struct store_options, directory) },
	{ "remove-unused", 0, "DAYS", "remove what no recording used for so many days", 0,
	  OPTION_NUMBER, OPTION_FIELD(struct store_options, unused), .most = DAY_MAX },
	{ 0 },
};

static const struct command_line command = {
	.usage = "",
	.doc = "List the store, where large files of traces are kept: size, days since a recording "
	       "used it, SHA-256.\v" EXIT_STATUS_HELP,
	.table = { { rows, 0 } },
};

struct listing {
	int directory;
	uint64_t unused, count, bytes, removed;
};

/* Of a content that is complete, or that is being written. Nothing else is touched. */
static bool is_content(const char *name, bool *part)
{
	size_t digits = strspn(name, "0123456789abcdef");

	if (digits != 2 * STORE_HASH_SIZE || strncmp(name + digits, ".zst", 4) != 0)
		return false;
	*part = name[digits + 4] == '.';
	return *part || !name[digits + 4];
}

static int visit(struct listing *listing, const char *name)
{
	char size[UNITS_TEXT];
	struct stat status;
	bool part, old;
	int64_t age;

	if (!is_content(name, &part) ||
	    fstatat(listing->directory, name, &status, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(status.st_mode))
		return 0;
	age = (int64_t)time(NULL) - (int64_t)status.st_mtim.tv_sec;
	old = listing->unused != UINT64_MAX &&
	      age >= (part ? PART_S : (int64_t)listing->unused * DAY_S);
	if (old && unlinkat(listing->directory, name, 0))
		return -errno;
	listing->removed += old ? (uint64_t)status.st_size : 0;
	if (old || part)
		return 0;
	listing->count++;
	listing->bytes += (uint64_t)status.st_size;
	printf("%10s  %4lld  %.64s\n", size_text((uint64_t)status.st_size, size),
	       (long long)(age / DAY_S), name);
	return 0;
}

static int list(const char *path, struct listing *listing)
{
	struct dirent **entries;
	int count, err = 0;

	listing->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Nothing was kept yet. */
	if (listing->directory < 0)
		return errno == ENOENT ? 0 : -errno;
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		err = err ? err : visit(listing, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

int ttrec_store(int argc, char **argv)
{
	struct store_options options = { .unused = UINT64_MAX };
	struct listing listing = { .directory = -1 };
	char bytes[UNITS_TEXT], removed[UNITS_TEXT];
	struct diagnosis why = { 0 };
	auto_free char *path = NULL;
	int err;

	command_line_parse(&command, argc, argv, &options);
	err = options.directory ? 0 : store_path(&path);
	listing.unused = options.unused;
	if (!err)
		err = list(options.directory ?: path, &listing);
	close_fd(&listing.directory);
	if (err) {
		diagnose(&why, exit_status_of_file(err), err, "name one: --store DIR",
			 "cannot read the store %s: %s", options.directory ?: path ?: "",
			 err == -ENOENT ? "there is no home directory" : strerror(-err));
		return diagnosis_print(&why, "ttrec");
	}
	printf("%llu files, %s in %s", (unsigned long long)listing.count,
	       size_text(listing.bytes, bytes), options.directory ?: path);
	if (options.unused != UINT64_MAX)
		printf("; removed %s", size_text(listing.removed, removed));
	putchar('\n');
	return 0;
}
