// SPDX-License-Identifier: BSD-3-Clause
/* A guest's description into a trace: meta records "key=value" and embedded files. */
#include <inttypes.h>
#include <string.h>

#include "format/trace/meta.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest.h"

/* All guests, and which of them is being written. */
struct spec_writing {
	const struct guest_started *started;
	size_t current;
	bool embed;
	struct trace_writer *writer;
};

/* A line of the guest that is being written. */
#define write_meta(writing, key, ...)                                                    \
	meta_write((writing)->writer, (writing)->started[(writing)->current].index, key, \
		   __VA_ARGS__)

/* A file generated for the sandbox, which this machine does not have, is always embedded. */
static bool is_embedded(const struct spec_writing *writing, const struct image_file *file)
{
	return writing->embed || !file->source;
}

/* The first file with this content, in the order of guests, and its guest. */
static const struct image_file *find_first(const struct spec_writing *writing,
					   const struct image_file *file, uint32_t *index)
{
	for (size_t i = 0; i <= writing->current; i++) {
		const struct image_files *files = &writing->started[i].spec->files;

		*index = writing->started[i].index;
		for (size_t j = 0; j < files->count; j++)
			if (is_embedded(writing, &files->file[j]) &&
			    image_content_equal(files->file[j].content, file->content))
				return &files->file[j];
	}
	return file;
}

/*
 * Files of guest 0 are embedded under their paths, so that a trace of one guest has the expected
 * names. Those of other guests may differ, and are below a directory for each. /ttrec is the
 * recorder's own.
 */
static bool is_reserved(const char *path)
{
	return !strncmp(path, "/guest", 6) || !strncmp(path, "/ttrec/", 7);
}

static int name_embedded(const struct image_file *file, uint32_t index, char **name)
{
	int length;

	if (!index && !is_reserved(file->path))
		length = asprintf(name, "%s", file->path);
	else
		length = asprintf(name, "/guest%" PRIu32 "%s", index, file->path);
	return length < 0 ? -ENOMEM : 0;
}

static int write_embedded(const struct spec_writing *writing, const struct image_file *file)
{
	uint32_t index;
	const struct image_file *first = find_first(writing, file, &index);
	auto_free char *name = NULL;
	int err = name_embedded(first, index, &name);

	if (!err && first == file)
		err = trace_writer_embed(writing->writer, name, file->mode, file->data, file->size);
	if (!err && strcmp(name, file->path))
		err = write_meta(writing, META_EMBEDDED, "%s", name);
	return err;
}

static int write_source(const struct spec_writing *writing, const struct image_file *file)
{
	char hex[2 * IMAGE_HASH_SIZE + 1];
	uint8_t hash[IMAGE_HASH_SIZE];
	int err;

	image_content_hash(file->content, hash);
	hex_text(hash, sizeof(hash), hex);
	err = write_meta(writing, META_SOURCE, "%s %s", hex, file->source);
	return err ? err : write_meta(writing, META_SOURCE_SIZE, "%zu", file->size);
}

static int write_file(const struct spec_writing *writing, const struct image_file *file)
{
	int err = write_meta(writing, META_FILE, "%o %s", file->mode, file->path);

	if (err)
		return err;
	return is_embedded(writing, file) ? write_embedded(writing, file)
					  : write_source(writing, file);
}

static int write_things(const struct spec_writing *writing, const struct guest_spec *spec)
{
	int err = write_meta(writing, META_NAME, "%s", spec->name);

	for (size_t i = 0; !err && i < spec->files.count; i++)
		err = write_file(writing, &spec->files.file[i]);
	for (char **argument = spec->arguments; !err && *argument; argument++)
		err = write_meta(writing, META_ARGUMENT, "%s", *argument);
	for (size_t i = 0; !err && i < spec->device_count; i++)
		err = write_meta(writing, META_DEVICE, "%" PRIu32 " %s", spec->device[i].virtio_id,
				 spec->device[i].name);
	return err;
}

static int write_spec(const struct spec_writing *writing)
{
	const struct guest_started *started = &writing->started[writing->current];
	const struct guest_spec *spec = started->spec;
	char hex[2 * SANDBOX_RANDOM_SIZE + 1], isolation_name[ISOLATION_TEXT], release[64];
	int err = write_things(writing, spec);

	hex_text(spec->auxv_random, SANDBOX_RANDOM_SIZE, hex);
	image_release(&spec->files.file[0], release, sizeof(release));
	if (!err)
		err = write_meta(writing, META_ID, "%" PRIu64, spec->id);
	if (!err)
		err = write_meta(writing, META_AUXV_RANDOM, "%s", hex);
	if (!err)
		err = write_meta(writing, META_SEAL, "%s",
				 isolation_text(started->isolation, isolation_name));
	if (!err)
		err = write_meta(writing, META_LAYOUT, "%d",
				 spec->absolute_paths ? 0 : SANDBOX_LAYOUT);
	if (!err)
		err = write_meta(writing, META_HOST_FILES, "%d", spec->host_files);
	if (!err)
		err = write_meta(writing, META_KERNEL_RELEASE, "%s", release);
	if (!err)
		err = write_meta(writing, META_CPU, "%u %016" PRIx64 " %s", started->cpu.number,
				 started->cpu.cpuid, started->cpu.model);
	if (!err && started->cpu.is_virtual)
		err = write_meta(writing, META_VIRTUAL_CPU, "%016" PRIx64, started->cpu.state);
	return err;
}

int guest_specs_write(const struct guest_started *started, size_t count, bool embed,
		      struct trace_writer *writer)
{
	struct spec_writing writing = { started, 0, embed, writer };
	int err = 0;

	for (; !err && writing.current < count; writing.current++)
		err = write_spec(&writing);
	return err;
}
