// SPDX-License-Identifier: BSD-3-Clause
/* A line of /proc/PID/maps (fs/proc/task_mmu.c, show_vma_header_prefix, Linux 6.18). */
#include "kernel/host/mapping.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "format/base/units.h"

static bool take_number(const char **line, unsigned int base, char end, uint64_t *number)
{
	return !number_take(line, base, UINT64_MAX, number) && *(*line)++ == end;
}

static bool take_permissions(const char **line, char permissions[5])
{
	size_t length = strcspn(*line, " ");

	if (length != 4 || !(*line)[length])
		return false;
	memcpy(permissions, *line, length);
	permissions[length] = '\0';
	*line += length + 1;
	return true;
}

int mapping_parse(const char *line, struct mapping *mapping)
{
	uint64_t device;
	bool whole = take_number(&line, 16, '-', &mapping->begin) &&
		     take_number(&line, 16, ' ', &mapping->end) &&
		     take_permissions(&line, mapping->permissions) &&
		     take_number(&line, 16, ' ', &mapping->offset) &&
		     take_number(&line, 16, ':', &device) && take_number(&line, 16, ' ', &device) &&
		     !number_take(&line, 10, UINT64_MAX, &mapping->inode);

	return whole ? 0 : -EBADMSG;
}
