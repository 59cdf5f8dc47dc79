// SPDX-License-Identifier: BSD-3-Clause
/* What every verb does with a trace: open it, and say why it cannot be read on. */
#include "format/ttdump/base/ttdump.h"

#include <errno.h>
#include <string.h>

int dump_open(const char *path, struct trace_reader **reader, struct diagnosis *diagnosis)
{
	int err = trace_reader_open(path, reader);

	if (!err)
		return 0;
	if (!*reader)
		return diagnose(diagnosis, exit_status_of_file(err), err,
				diagnosis_shortage(err) ?: "check the path", "cannot open %s: %s",
				path, strerror(-err));
	if (err == -EPROTONOSUPPORT)
		return diagnose(diagnosis, EXIT_CANNOT, err, "use a newer version of ttdump",
				"cannot read %s: %s", path, trace_reader_error(*reader));
	if (err != -EBADMSG && err != -EPIPE)
		return diagnose(diagnosis, exit_status_of_file(err), err, NULL,
				"cannot read %s: %s", path, trace_reader_error(*reader));
	return diagnose(diagnosis, EXIT_DAMAGED, err, "check that this is a trace of ttrec",
			"cannot read %s: %s", path, trace_reader_error(*reader));
}

int dump_damaged(const char *path, const struct trace_reader *reader, int error,
		 struct diagnosis *diagnosis)
{
	bool damaged = diagnosis_trace_status(error) == EXIT_DAMAGED;

	return diagnose(diagnosis, diagnosis_trace_status(error), error,
			damaged ? "\"ttdump salvage\" recovers what comes before"
				: diagnosis_shortage(error),
			"cannot read the rest of %s: %s", path,
			damaged ? trace_reader_error(reader) : strerror(-error));
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
