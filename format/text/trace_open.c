// SPDX-License-Identifier: BSD-3-Clause
/* Open a trace, or say why not. */
#include "format/text/trace_open.h"

#include <errno.h>
#include <string.h>

int trace_open(const char *path, struct trace_reader **reader, struct diagnosis *why)
{
	int err = trace_reader_open(path, reader);

	if (err == -EBADMSG || err == -EPIPE)
		return diagnose(why, EXIT_DAMAGED, err,
				"`ttdump salvage` saves what is left of a trace", "%s is %s", path,
				err == -EPIPE ? "cut off in its first bytes"
					      : "no trace, or damaged in its head");
	if (err == -EPROTONOSUPPORT)
		return diagnose(why, EXIT_CANNOT, err, "use a newer version of ttrec",
				"%s needs a feature this version does not know", path);
	if (err)
		return diagnose(why, exit_status_of_file(err), err, "check the path",
				"cannot open %s: %s", path, strerror(-err));
	return 0;
}
