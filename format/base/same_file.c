// SPDX-License-Identifier: BSD-3-Clause
/* Whether two names are the same file, so that a mistake does not destroy a trace. */
#include "format/base/same_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	if (stat(one, &a) || stat(other, &b))
		return !strcmp(one, other);
	return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int refuse_overwriting(const char *input, const char *output, const char *option,
		       struct diagnosis *why)
{
	if (!output || !is_same_file(input, output))
		return 0;
	return diagnose(why, EXIT_USAGE, -EEXIST, "give another file",
			"%s: cannot overwrite %s, the trace being read", option, output);
}
