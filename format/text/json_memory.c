// SPDX-License-Identifier: BSD-3-Clause
/* What jansson has no memory for. */
#include "format/text/json_memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "format/base/write_error.h"

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		output_incomplete(-ENOMEM);
	return memory;
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(allocate, free);
}
