// SPDX-License-Identifier: BSD-3-Clause
/* ttdump extract: extract the embedded files. The trace must not decide where they are written. */
#include "format/ttdump/base/ttdump.h"
#include "format/trace_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "format/base/command_line.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

struct extract {
	const char *trace;
	const char *name;
	const char *output;
	uint64_t max_disk; /* bytes; 0: what is free there */
	bool list;
	bool found;
};

static const struct option_row rows[] = {
	{ "output", 'o', "DIR|FILE",
	  "write below this directory (default: the current one), or one file to this name", 0,
	  OPTION_TEXT, OPTION_FIELD(struct extract, output) },
	{ "max-disk", 0, "SIZE",
	  "limit the disk space of the files together (default: the free space)", 0, OPTION_SIZE,
	  OPTION_FIELD(struct extract, max_disk) },
	{ "list", 'l', NULL, "only list the files: mode, size, SHA-256, path", 0, OPTION_FLAG,
	  OPTION_FIELD(struct extract, list) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE [NAME]",
	.doc = "Extract the files that a trace embeds: all of them, or the one whose path or file "
	       "name is NAME. Files are written below the directory and never outside it; an "
	       "existing file is not overwritten.",
	.table = { { rows, 0 } },
	.least = 1,
	.most = 2,
	.argument = { offsetof(struct extract, trace), offsetof(struct extract, name) },
	.excess = "more than one name given",
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool wanted(const struct extract *extract, const char *path)
{
	return !extract->name || !strcmp(extract->name, path) ||
	       !strcmp(extract->name, last_part(path));
}

static void list_artifact(const struct trace_artifact *artifact)
{
	char sha256[65];

	hex_text(artifact->sha256, sizeof(artifact->sha256), sha256);
	printf("%04" PRIo32 " %10" PRIu64 "  %s  ", artifact->mode & 07777, artifact->size, sha256);
	/* The path is the trace's to choose: nothing of it may reach the terminal as it is. */
	for (const char *c = artifact->path; *c; c++)
		printf(*c >= ' ' && *c <= '~' ? "%c" : "\\x%02x", (unsigned char)*c);
	putchar('\n');
}

/* Step into @part below @directory, made if it is not there; never through a symbolic link. */
static int duplicate(int directory)
{
	int fd = fcntl(directory, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int enter_directory(int directory, const char *part)
{
	int fd;

	if (mkdirat(directory, part, 0777) && errno != EEXIST)
		return -errno;
	fd = openat(directory, part, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Create @path below @directory: part by part, so that neither "..", nor an absolute path, nor a
 * symbolic link that is there already leads out of it. Returns a descriptor or -errno.
 */
static int create_below(int directory, const char *path, uint32_t mode)
{
	auto_fd at = duplicate(directory);
	auto_free char *copy = strdup(path);
	char *rest = copy, *part = NULL, *next;
	int fd;

	if (at < 0 || !copy)
		return at < 0 ? at : -ENOMEM;
	while ((next = strsep(&rest, "/"))) {
		if (!*next || !strcmp(next, "."))
			continue;
		if (!strcmp(next, ".."))
			return -EXDEV;
		fd = part ? enter_directory(at, part) : duplicate(at);
		if (fd < 0)
			return fd;
		close(at);
		at = fd;
		part = next;
	}
	if (!part)
		return -EISDIR;
	fd = openat(at, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
	return fd < 0 ? -errno : fd;
}

static int write_content(int fd, struct trace_reader *reader, const struct trace_artifact *artifact)
{
	int got = trace_reader_copy(reader, artifact->path, fd, UINT64_MAX);

	if (got != 1)
		return got ? got : -EPIPE;
	return fchmod(fd, artifact->mode & 0777) ? -errno : 0;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* One named file may go to a name of the user's; everything else goes below a directory. */
static int create_output(const struct extract *extract, const struct trace_artifact *artifact)
{
	const char *output = extract->output ? extract->output : ".";
	auto_fd directory = -1;
	int fd;

	if (extract->name && extract->output && !is_directory(output)) {
		fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, artifact->mode & 0777);
		return fd < 0 ? -errno : fd;
	}
	if (mkdir(output, 0777) && errno != EEXIST)
		return -errno;
	directory = open(output, O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	return create_below(directory, extract->name ? last_part(artifact->path) : artifact->path,
			    artifact->mode);
}

static int extract_artifact(const struct extract *extract, struct trace_reader *reader,
			    const struct trace_artifact *artifact, struct diagnosis *diagnosis)
{
	auto_fd fd = create_output(extract, artifact);
	int err = fd < 0 ? fd : write_content(fd, reader, artifact);
	char text[WRITE_ERROR_TEXT];

	if (err == -EXDEV)
		return diagnose(
			diagnosis, EXIT_DAMAGED, err,
			"give the file and its destination: ttdump extract TRACE NAME -o FILE",
			"the path %s leads out of the directory", artifact->path);
	if (err)
		return diagnose(diagnosis, exit_status_of_file(err), err,
				err == -EEXIST ? "give another directory with --output" : NULL,
				"cannot write %s: %s", artifact->path,
				write_error_text(extract->output ?: ".", err, text));
	return 0;
}

/* What is damaged is not written at all. */
static int extract_next(struct extract *extract, struct trace_reader *reader,
			const struct trace_artifact *artifact, struct diagnosis *diagnosis)
{
	int got;

	extract->found = true;
	if (extract->list) {
		list_artifact(artifact);
		return 0;
	}
	got = trace_reader_copy(reader, artifact->path, -1, 0);
	if (got < 0)
		return dump_damaged(extract->trace, reader, got, diagnosis);
	return extract_artifact(extract, reader, artifact, diagnosis);
}

/* ---- Disk space ---------------------------------------------------------------------------- */

/* What is free where they go; UINT64_MAX: not known. */
static uint64_t free_bytes(const struct extract *extract)
{
	auto_free char *directory = strdup(extract->output ?: ".");
	struct statvfs status;

	/* The directory, or what there is of the way to it. */
	while (directory && statvfs(directory, &status)) {
		char *slash = strrchr(directory, '/');

		if (!slash || slash == directory)
			return statvfs(slash ? "/" : ".", &status)
				       ? UINT64_MAX
				       : (uint64_t)status.f_bavail * status.f_frsize;
		*slash = '\0';
	}
	return directory ? (uint64_t)status.f_bavail * status.f_frsize : UINT64_MAX;
}

/* Before the first is written: the sizes of the files are the choice of the trace. */
static int check_space(struct extract *extract, struct trace_reader *reader,
		       struct diagnosis *diagnosis)
{
	char all[UNITS_TEXT], limit[UNITS_TEXT];
	uint64_t most = extract->max_disk ?: free_bytes(extract), bytes = 0, position = 0;
	struct trace_artifact artifact;

	/* Each is at most 1 TiB: for the sum to overflow there must be 16 million. Damage is found
	 * below. */
	while (trace_reader_artifact(reader, &position, false, &artifact) > 0) {
		bytes += wanted(extract, artifact.path) ? artifact.size : 0;
		trace_artifact_free(&artifact);
	}
	if (bytes <= most)
		return 0;
	return diagnose(diagnosis, EXIT_CANNOT, -EFBIG,
			"raise the limit with --max-disk; the default is the free disk space; or "
			"extract one file: ttdump extract TRACE NAME",
			"the files need %s of disk space; the limit is %s", size_text(bytes, all),
			size_text(most, limit));
}

int dump_extract(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct extract extract = { 0 };
	auto_trace *reader = NULL;
	struct trace_artifact artifact;
	uint64_t position = 0;
	int err, got = 0;

	command_line_parse(&command, argc, argv, &extract);
	err = trace_open(extract.trace, &reader, diagnosis);
	if (!err && !extract.list)
		err = check_space(&extract, reader, diagnosis);
	while (!err && (got = trace_reader_artifact(reader, &position, false, &artifact)) > 0) {
		if (wanted(&extract, artifact.path))
			err = extract_next(&extract, reader, &artifact, diagnosis);
		trace_artifact_free(&artifact);
	}
	if (!err && got < 0)
		return dump_damaged(extract.trace, reader, got, diagnosis);
	if (!err && extract.name && !extract.found)
		return diagnose(diagnosis, EXIT_USAGE, -ENOENT,
				"\"ttdump extract --list\" lists the files", "%s embeds no %s",
				extract.trace, extract.name);
	return err;
}
