// SPDX-License-Identifier: BSD-3-Clause
/* The hashes of a lab's disk images, computed beside the recording. */
#include "recorder/run/run_disks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/trace/meta.h"
#include "format/trace_files.h"

/* An image; disks that have the same one are in one list. */
struct image {
	const char *path;
	int fd;
	struct stat status; /* before it was read */
	int err;
	char *embedded; /* what it is in the trace; NULL: only its hash is */
	uint8_t hash[DISK_HASH_SIZE];
};

struct disk {
	uint32_t guest;
	size_t device, image; /* index */
	bool embed;
};

struct run_disks {
	struct image *image;
	size_t image_count;
	struct disk *disk;
	size_t disk_count;
	pthread_t thread;
	bool running;
	atomic_bool stop;
	bool embed; /* all of them */
	char *text; /* of the hashes, embedded */
};

/* ---- Which ---------------------------------------------------------------------------------- */

static bool is_unchanged(const struct stat *one, const struct stat *other)
{
	return one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static int add_image(struct run_disks *disks, const char *path, size_t *index)
{
	struct image image = { .path = path };

	image.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (image.fd < 0 || fstat(image.fd, &image.status)) {
		image.err = -errno;
		image.status = (struct stat){ 0 };
	}
	for (*index = 0; *index < disks->image_count; ++*index) {
		const struct image *known = &disks->image[*index];

		if (image.err || known->status.st_dev != image.status.st_dev ||
		    known->status.st_ino != image.status.st_ino)
			continue;
		close_fd(&image.fd);
		return 0;
	}
	if (!array_push(disks->image, disks->image_count, image))
		return 0;
	close_fd(&image.fd);
	return -ENOMEM;
}

static int add_disk(struct run_disks *disks, const struct lab *lab, size_t guest, size_t device)
{
	const struct lab_device *disk = &lab->guest[guest].device[device];
	struct disk added = { .guest = (uint32_t)guest,
			      .device = device,
			      .embed = disks->embed || disk->embed };
	int err;

	if (disk->kind != LAB_DISK || !disk->disk.image)
		return 0;
	err = add_image(disks, disk->disk.content ?: disk->disk.image, &added.image);
	return err ? err : array_push(disks->disk, disks->disk_count, added);
}

static int list_disks(struct run_disks *disks, const struct lab *lab)
{
	int err = 0;

	for (size_t i = 0; i < lab->guest_count; i++)
		for (size_t j = 0; !err && j < lab->guest[i].device_count; j++)
			err = add_disk(disks, lab, i, j);
	return err;
}

/* ---- Into the trace ------------------------------------------------------------------------- */

/* An image is there once, under the name of the first disk that has it. */
static int embed_image(struct image *image, const struct disk *disk, struct trace_writer *writer)
{
	off_t size = image->err ? 0 : lseek(image->fd, 0, SEEK_END);

	if (image->err || size < 0)
		return image->err ?: -errno;
	if (asprintf(&image->embedded, "/ttrec/disk/%" PRIu32 ".%zu", disk->guest, disk->device) <
	    0) {
		image->embedded = NULL;
		return -ENOMEM;
	}
	return trace_writer_embed_file(writer, image->embedded, 0444, image->fd, 0, (uint64_t)size);
}

static int embed_images(struct run_disks *disks, struct trace_writer *writer)
{
	int err = 0;

	for (size_t i = 0; !err && i < disks->disk_count; i++) {
		const struct disk *disk = &disks->disk[i];
		struct image *image = &disks->image[disk->image];

		if (!disk->embed)
			continue;
		if (!image->embedded)
			err = embed_image(image, disk, writer);
		if (!err)
			err = meta_write(writer, disk->guest, META_DISK_FILE, "%zu %s",
					 disk->device, image->embedded);
	}
	return err;
}

/* ---- The thread ----------------------------------------------------------------------------- */

static void *hash_images(void *argument)
{
	struct run_disks *disks = argument;

	for (size_t i = 0; i < disks->image_count; i++) {
		struct image *image = &disks->image[i];

		if (!image->err && !image->embedded)
			image->err = disk_hash(image->fd, &disks->stop, image->hash);
	}
	return NULL;
}

/* Signals are for the other thread. */
static int start_thread(struct run_disks *disks)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&disks->thread, NULL, hash_images, disks);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	disks->running = !err;
	if (!err)
		pthread_setname_np(disks->thread, "disk-hash");
	return -err;
}

int run_disks_start(const struct lab *lab, bool embed, struct trace_writer *writer,
		    struct run_disks **started)
{
	struct run_disks *disks = calloc(1, sizeof(*disks));
	int err = -ENOMEM;

	if (disks) {
		disks->embed = embed;
		err = list_disks(disks, lab);
	}
	if (!err)
		err = embed_images(disks, writer);
	if (!err && disks->disk_count)
		err = start_thread(disks);
	if (!err && disks->disk_count)
		*started = take_pointer(disks);
	run_disks_destroy(disks);
	return err;
}

static void join_thread(struct run_disks *disks)
{
	if (disks->running)
		pthread_join(disks->thread, NULL);
	disks->running = false;
}

void run_disks_destroy(struct run_disks *disks)
{
	if (!disks)
		return;
	atomic_store(&disks->stop, true);
	join_thread(disks);
	for (size_t i = 0; i < disks->image_count; i++) {
		close_fd(&disks->image[i].fd);
		free(disks->image[i].embedded);
	}
	free(disks->image);
	free(disks->disk);
	free(disks->text);
	free(disks);
}

/* ---- Their text ----------------------------------------------------------------------------- */

/* Who writes to an image while guests use it makes a recording that nothing can be compared with.
 */
static void check_image(struct image *image)
{
	struct stat now;

	if (!image->err && (fstat(image->fd, &now) || !is_unchanged(&now, &image->status)))
		image->err = -ESTALE;
}

static int write_text(struct run_disks *disks, size_t *size)
{
	auto_file *out = open_memstream(&disks->text, size);
	char hex[2 * DISK_HASH_SIZE + 1];

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < disks->disk_count; i++) {
		const struct disk *disk = &disks->disk[i];
		const struct image *image = &disks->image[disk->image];

		if (image->err || image->embedded)
			continue;
		hex_text(image->hash, sizeof(image->hash), hex);
		fprintf(out, "%" PRIu32 " %zu %s\n", disk->guest, disk->device, hex);
	}
	return fflush(out) ? -ENOMEM : 0;
}

int run_disks_finish(struct run_disks *disks, struct trace_writer *writer, const char **changed)
{
	size_t size;
	int err;

	*changed = NULL;
	if (!disks)
		return 0;
	join_thread(disks);
	for (size_t i = 0; i < disks->image_count; i++) {
		check_image(&disks->image[i]);
		if (disks->image[i].err == -ESTALE && !*changed)
			*changed = disks->image[i].path;
	}
	err = write_text(disks, &size);
	return err ? err : trace_writer_embed(writer, RUN_DISKS_NAME, 0444, disks->text, size);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static struct run_disk *find_disk(struct run_settings *settings, uint64_t guest, uint64_t device)
{
	for (size_t i = 0; i < settings->disk_count; i++)
		if (settings->disk[i].guest == guest && settings->disk[i].device == device)
			return &settings->disk[i];
	return NULL;
}

static int read_line(struct run_settings *settings, const char *line)
{
	uint64_t guest, device;
	struct run_disk *disk;

	if (number_take(&line, 10, UINT32_MAX, &guest) || *line++ != ' ' ||
	    number_take(&line, 10, SIZE_MAX, &device) || *line++ != ' ' ||
	    strlen(line) != 2 * DISK_HASH_SIZE)
		return -EBADMSG;
	disk = find_disk(settings, guest, device);
	if (disk)
		strcpy(disk->hash, line);
	return 0;
}

static int read_lines(struct run_settings *settings, char *text)
{
	char *rest = text, *line;
	int err = 0;

	while (!err && (line = strsep(&rest, "\n")))
		err = *line ? read_line(settings, line) : 0;
	return err;
}

int run_disks_read(struct trace_reader *reader, struct run_settings *settings)
{
	struct trace_artifact file;
	auto_free char *text = NULL;
	int got = settings->disk_count ? trace_reader_find(reader, RUN_DISKS_NAME, true, &file) : 0;

	/* A recorder that was killed has not come to it. */
	if (got != 1)
		return got == -EPIPE ? 0 : got;
	text = strndup(file.data, file.size);
	trace_artifact_free(&file);
	return text ? read_lines(settings, text) : -ENOMEM;
}
