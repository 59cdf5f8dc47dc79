// SPDX-License-Identifier: BSD-3-Clause
/* The files of a trace's guests: embedded ones from the trace, others from this machine. */
#include <string.h>

#include "format/cleanup.h"
#include "format/printable.h"
#include "format/units.h"
#include "kernel/guest_trace.h"

struct embedded_file {
	char *name;
	uint64_t position;	       /* for trace_reader_artifact() */
	struct image_content *content; /* NULL: not read yet */
};

struct guest_file_store {
	struct trace_reader *reader;
	struct embedded_file *embedded;
	size_t count;
	int error; /* what the list of embedded files ended with */
	struct image_cache *cache;
};

static int add_embedded(struct guest_file_store *store, char *name, uint64_t position)
{
	struct embedded_file *grown = realloc(store->embedded, (store->count + 1) * sizeof(*grown));

	if (!grown) {
		free(name);
		return -ENOMEM;
	}
	store->embedded = grown;
	grown[store->count++] = (struct embedded_file){ .name = name, .position = position };
	return 0;
}

/* What comes before a damage can be used all the same. */
static int list_embedded(struct guest_file_store *store)
{
	struct trace_artifact artifact;
	uint64_t position = 0, here = 0;

	while ((store->error = trace_reader_artifact(store->reader, &position, false, &artifact)) ==
	       1) {
		if (add_embedded(store, take_pointer(artifact.path), here))
			return -ENOMEM;
		trace_artifact_free(&artifact);
		here = position;
	}
	return store->error == -ENOMEM ? -ENOMEM : 0;
}

int guest_file_store_create(struct trace_reader *reader, struct guest_file_store **store)
{
	struct guest_file_store *created = calloc(1, sizeof(*created));
	int err;

	if (!created)
		return -ENOMEM;
	created->reader = reader;
	created->cache = image_cache_create();
	err = created->cache ? list_embedded(created) : -ENOMEM;
	if (err) {
		guest_file_store_destroy(created);
		return err;
	}
	*store = created;
	return 0;
}

void guest_file_store_destroy(struct guest_file_store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->count; i++) {
		free(store->embedded[i].name);
		image_content_release(store->embedded[i].content);
	}
	free(store->embedded);
	image_cache_destroy(store->cache);
	free(store);
}

static int read_embedded(struct guest_file_store *store, struct embedded_file *embedded)
{
	uint64_t position = embedded->position;
	struct trace_artifact artifact;
	int got = trace_reader_artifact(store->reader, &position, true, &artifact);

	if (got != 1)
		return got ? got : -EPIPE;
	embedded->content = image_content_create(take_pointer(artifact.data), artifact.size);
	trace_artifact_free(&artifact);
	return embedded->content ? 0 : -ENOMEM;
}

static int find_content(struct guest_file_store *store, const char *name,
			struct image_content **content)
{
	for (size_t i = 0; i < store->count; i++) {
		struct embedded_file *embedded = &store->embedded[i];
		int err;

		if (strcmp(embedded->name, name))
			continue;
		err = embedded->content ? 0 : read_embedded(store, embedded);
		*content = embedded->content;
		return err;
	}
	return store->error ? store->error : -EPIPE;
}

static int load_embedded(struct guest_file_store *store, const struct guest_file *file,
			 struct image_files *files, struct diagnosis *why)
{
	const char *name = file->embedded ? file->embedded : file->path;
	struct image_content *content;
	int err = find_content(store, name, &content);

	if (!err)
		return image_files_add_content(files, file->path, file->mode, content);
	return diagnose(why, EXIT_DAMAGED, err,
			"record it again; a recorder that was killed in its first moments leaves "
			"the files it embeds incomplete",
			"the trace does not hold the whole of %s", name);
}

/* The trace names any file that it likes to. */
static int refuse_source(const struct guest_file *file, struct diagnosis *why)
{
	auto_free char *source = strdup(file->source);

	return diagnose(
		why, EXIT_CANNOT, -EPERM,
		"--trust reads it, if you trust who recorded the trace; or record it without "
		"--no-embed",
		"the trace does not hold the recorded files: it names files of this machine, "
		"%.200s",
		source ? printable(source) : "");
}

static int load_source(const struct guest_file *file, struct image_files *files,
		       struct diagnosis *why)
{
	char hex[2 * IMAGE_HASH_SIZE + 1];
	uint8_t hash[IMAGE_HASH_SIZE];
	struct image_file *loaded;
	int err = image_files_load_recorded(files, file->source, file->path, file->size, why);

	if (err)
		return err;
	loaded = &files->file[files->count - 1];
	loaded->mode = file->mode;
	err = image_content_hash(loaded->content, hash);
	if (err)
		return err;
	hex_text(hash, sizeof(hash), hex);
	/* Nothing of what it is instead is said: reports are shown to others. */
	if (strcmp(hex, file->hash))
		return diagnose(why, EXIT_CANNOT, -ESTALE,
				"get the same file, or record without --no-embed",
				"%s is not the file that was recorded (SHA-256 %.16s...)",
				file->source, file->hash);
	return 0;
}

static int load_file(struct guest_file_store *store, const struct guest_file *file, bool host_files,
		     struct image_files *files, struct diagnosis *why)
{
	if (!file->source)
		return load_embedded(store, file, files, why);
	return host_files ? load_source(file, files, why) : refuse_source(file, why);
}

int guest_file_store_load(struct guest_file_store *store, const struct guest_file_list *list,
			  bool host_files, struct image_files *files, struct diagnosis *why)
{
	int err = 0;

	files->cache = store->cache;
	for (size_t i = 0; !err && i < list->count; i++)
		err = load_file(store, &list->file[i], host_files, files, why);
	files->cache = NULL;
	return err;
}
