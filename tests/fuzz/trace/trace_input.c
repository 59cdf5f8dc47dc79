// SPDX-License-Identifier: BSD-3-Clause
/* Inputs that are traces, as files. */
#include "tests/fuzz/trace/trace_input.h"

#include <errno.h>
#include <stdio.h>

#include "format/base/cleanup.h"

bool trace_input_is_answer(int err)
{
	return err == 0 || err == -EBADMSG || err == -EPIPE || err == -EPROTONOSUPPORT;
}

size_t trace_input_load(const char *path, uint8_t *data, size_t max)
{
	auto_file *file = fopen(path, "re");
	size_t size;

	if (!file)
		return 0;
	size = fread(data, 1, max, file);
	return ferror(file) || fgetc(file) != EOF ? 0 : size;
}
