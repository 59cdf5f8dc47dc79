// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export html of a build without the page: an error. */
#include <errno.h>

#include "format/ttdump/export/export.h"

int export_html(const struct export_request *request, struct trace_reader *reader, FILE *out,
		struct diagnosis *diagnosis)
{
	(void)request;
	(void)reader;
	(void)out;
	return diagnose(diagnosis, EXIT_CANNOT, -ENOTSUP,
			"install nodejs, npm and zlib1g-dev, and rebuild",
			"this version was built without the html export");
}
