// SPDX-License-Identifier: BSD-3-Clause
/* Writes the smallest archive a kernel boots from. */
#include "tests/system/conformance/conformance_archive.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"

static void pad(FILE *archive)
{
	while (ftell(archive) % 4)
		fputc(0, archive);
}

/* Format "newc": Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. */
static void write_header(FILE *archive, const char *name, uint32_t mode, uint32_t size)
{
	const uint32_t fields[13] = {
		[0] = 1, [1] = mode, [2] = 1, [6] = size, [11] = (uint32_t)strlen(name) + 1
	};

	fprintf(archive, "070701");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fprintf(archive, "%08x", fields[i]);
	fwrite(name, 1, strlen(name) + 1, archive);
	pad(archive);
}

static void copy(FILE *from, FILE *to)
{
	char buffer[65536];
	size_t size;

	while ((size = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, size, to);
}

int conformance_archive(const char *image, const char *init)
{
	auto_file *program = fopen(init, "re");
	auto_file *archive = NULL;
	struct stat status;

	if (!program || fstat(fileno(program), &status))
		return -errno;
	archive = fopen(image, "we");
	if (!archive)
		return -errno;
	write_header(archive, "init", S_IFREG | 0755, (uint32_t)status.st_size);
	copy(program, archive);
	pad(archive);
	write_header(archive, "TRAILER!!!", 0, 0);
	pad(archive);
	return fflush(archive) || ferror(archive) ? -EIO : 0;
}
