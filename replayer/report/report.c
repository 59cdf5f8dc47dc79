// SPDX-License-Identifier: BSD-3-Clause
/* The files of a replay's report. */
#include "replayer/report/report.h"

#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"

typedef int report_writer(const struct verdict_lab *all, FILE *out);

static const struct {
	const char *ending;
	report_writer *write;
} formats[] = {
	{ ".json", report_json },
	{ ".md", report_markdown },
};

static bool ends_with(const char *path, const char *ending)
{
	size_t length = strlen(path), wanted = strlen(ending);

	return length > wanted && !strcmp(path + length - wanted, ending);
}

static int write_file(const struct verdict_lab *all, const char *path, report_writer *write,
		      struct diagnosis *why)
{
	FILE *out = fopen(path, "we");
	char text[WRITE_ERROR_TEXT];
	int err;

	if (!out)
		return diagnose(why, exit_status_of_file(-errno), -errno,
				"check the path given to --report", "cannot write %s: %s", path,
				strerror(errno));
	err = write(all, out);
	if (!err && ferror(out))
		err = -EIO;
	if (fclose(out) && !err)
		err = -errno;
	return err ? diagnose(why, exit_status_of_file(err), err, NULL,
			      "cannot write all of %s: %s", path, write_error_text(path, err, text))
		   : 0;
}

static int write_both(const struct verdict_lab *all, const char *path, struct diagnosis *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(formats); i++) {
		auto_free char *named = NULL;

		if (asprintf(&named, "%s%s", path, formats[i].ending) < 0) {
			named = NULL;
			return -ENOMEM;
		}
		err = write_file(all, named, formats[i].write, why);
	}
	return err;
}

int report_write(const struct verdict_lab *all, const char *path, struct diagnosis *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (ends_with(path, formats[i].ending))
			return write_file(all, path, formats[i].write, why);
	return write_both(all, path, why);
}
