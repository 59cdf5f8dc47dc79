// SPDX-License-Identifier: BSD-3-Clause
/* Writes the files of a guest below a directory. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "kernel/image/image.h"

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, data + done, size - done);

		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

/* Paths may come from a trace: whatever they contain, they stay below the root. */
static int place_file(const struct image_file *file, const char *root, char path[PATH_MAX])
{
	if (strstr(file->path, ".."))
		return -EINVAL;
	snprintf(path, PATH_MAX, "%s/%s", root, file->path);
	return make_parents(path);
}

static bool is_program(const struct image_file *file)
{
	return file->mode & 0111;
}

int image_file_write(const struct image_file *file, const char *root)
{
	const mode_t mode = is_program(file) ? 0555 : 0444;
	char path[PATH_MAX];
	auto_fd fd = -1;
	int err = place_file(file, root, path);

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd < 0 ? -errno : write_all(fd, file->data, file->size);
}

/* ---- Names of one content ------------------------------------------------------------------ */

static int compare_files(const void *one, const void *other)
{
	const struct image_file *first = *(const struct image_file *const *)one;
	const struct image_file *second = *(const struct image_file *const *)other;

	if (first->content != second->content)
		return first->content < second->content ? -1 : 1;
	if (is_program(first) != is_program(second))
		return is_program(first) ? 1 : -1;
	return (first > second) - (first < second);
}

static bool is_one_file(const struct image_file *one, const struct image_file *other)
{
	return one->content && one->content == other->content &&
	       is_program(one) == is_program(other);
}

/* For each file, the first one with the same content. */
static int find_first(const struct image_files *files, const struct image_file **first)
{
	auto_free const struct image_file **sorted = calloc(files->count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < files->count; i++)
		sorted[i] = &files->file[i];
	qsort(sorted, files->count, sizeof(*sorted), compare_files);
	for (size_t i = 0; i < files->count; i++) {
		size_t place = (size_t)(sorted[i] - files->file);
		bool again = i && is_one_file(sorted[i - 1], sorted[i]);

		first[place] = again ? first[sorted[i - 1] - files->file] : sorted[i];
	}
	return 0;
}

uint64_t image_files_bytes(const struct image_files *files)
{
	auto_free const struct image_file **first = calloc(files->count + 1, sizeof(*first));
	bool known = first && !find_first(files, first);
	uint64_t bytes = 0;

	for (size_t i = 0; i < files->count; i++)
		if (!known || first[i] == &files->file[i])
			bytes += files->file[i].size;
	return bytes;
}

static int link_file(const struct image_file *file, const struct image_file *first,
		     const char *root)
{
	char path[PATH_MAX], first_path[PATH_MAX];
	int err = place_file(file, root, path);

	if (err)
		return err;
	snprintf(first_path, sizeof(first_path), "%s/%s", root, first->path);
	return link(first_path, path) ? -errno : 0;
}

int image_files_write(const struct image_files *files, const char *root)
{
	auto_free const struct image_file **first = calloc(files->count + 1, sizeof(*first));
	int err = first ? find_first(files, first) : -ENOMEM;

	for (size_t i = 0; !err && i < files->count; i++)
		err = first[i] == &files->file[i] ? image_file_write(&files->file[i], root)
						  : link_file(&files->file[i], first[i], root);
	return err;
}
