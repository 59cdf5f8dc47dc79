// SPDX-License-Identifier: BSD-3-Clause
/* What verbs report of a trace, and print. */
#include "format/ttdump/base/ttdump.h"

#include <errno.h>
#include <string.h>

int dump_damaged(const char *path, const struct trace_reader *reader, int error,
		 struct diagnosis *diagnosis)
{
	bool damaged = diagnosis_trace_status(error) == EXIT_DAMAGED;
	bool stored = error == -ENODATA || error == -ESTALE;

	return diagnose(diagnosis, diagnosis_trace_status(error), error,
			damaged ? "\"ttdump salvage\" recovers what comes before"
				: diagnosis_shortage(error),
			"cannot read the rest of %s: %s", path,
			damaged || stored ? trace_reader_error(reader) : strerror(-error));
}

int dump_no_memory(struct diagnosis *diagnosis)
{
	return diagnose(diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
}

void dump_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}
