// SPDX-License-Identifier: BSD-3-Clause
/* The files of a trace's guests: embedded ones from the trace, others from this machine. */
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/guest/guest_trace.h"

/* What embedded files hold; several names may have one content. */
struct embedded_content {
	uint32_t number;	     /* in the trace */
	struct image_content *image; /* NULL: not read yet */
};

struct embedded_file {
	char *name;
	uint64_t position; /* for trace_reader_artifact() */
	uint64_t size;	   /* as announced, bytes */
	uint32_t number;
	struct embedded_content *content;
};

struct guest_file_store {
	struct trace_reader *reader;
	struct embedded_file
		*embedded; /* by name; of one name the first in the trace comes first */
	size_t count;
	struct embedded_content *content;
	int error;     /* what the list of embedded files ended with */
	uint64_t left; /* bytes that may still be read */
	struct image_cache *cache;
};

/* What comes before the damage can still be used. */
static int list_embedded(struct guest_file_store *store)
{
	struct trace_artifact artifact;
	uint64_t position = 0, here = 0;

	while ((store->error = trace_reader_artifact(store->reader, &position, false, &artifact)) ==
	       1) {
		struct embedded_file file = { .name = take_pointer(artifact.path),
					      .position = here,
					      .size = artifact.size,
					      .number = artifact.content };

		trace_artifact_free(&artifact);
		if (array_push(store->embedded, store->count, file)) {
			free(file.name);
			return -ENOMEM;
		}
		here = position;
	}
	return store->error == -ENOMEM ? -ENOMEM : 0;
}

static int compare_contents(const void *one, const void *other)
{
	const struct embedded_file *first = one, *second = other;

	return (first->number > second->number) - (first->number < second->number);
}

static int compare_names(const void *one, const void *other)
{
	const struct embedded_file *first = one, *second = other;
	int order = strcmp(first->name, second->name);

	return order ? order
		     : (first->position > second->position) - (first->position < second->position);
}

/* One content for all files that say they have the same; then in the order of names. */
static int sort_embedded(struct guest_file_store *store)
{
	struct embedded_content *content = calloc(store->count + 1, sizeof(*content));

	if (!content)
		return -ENOMEM;
	store->content = content;
	if (!store->count)
		return 0;
	qsort(store->embedded, store->count, sizeof(*store->embedded), compare_contents);
	for (size_t i = 0; i < store->count; i++) {
		struct embedded_file *file = &store->embedded[i];

		content += i && file->number != file[-1].number;
		content->number = file->number;
		file->content = content;
	}
	qsort(store->embedded, store->count, sizeof(*store->embedded), compare_names);
	return 0;
}

int guest_file_store_create(struct trace_reader *reader, uint64_t max_bytes,
			    struct guest_file_store **store)
{
	struct guest_file_store *created = calloc(1, sizeof(*created));
	int err;

	if (!created)
		return -ENOMEM;
	created->reader = reader;
	created->left = max_bytes;
	created->cache = image_cache_create();
	err = created->cache ? list_embedded(created) : -ENOMEM;
	if (!err)
		err = sort_embedded(created);
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
		if (store->content)
			image_content_release(store->content[i].image);
	}
	free(store->embedded);
	free(store->content);
	image_cache_destroy(store->cache);
	free(store);
}

/* Checked before allocation: a file must have the size that it declares. */
static int check_size(struct guest_file_store *store, const struct embedded_file *file,
		      struct diagnosis *why)
{
	char size[UNITS_TEXT], left[UNITS_TEXT];

	if (file->size > store->left)
		return diagnose(why, EXIT_CANNOT, -EFBIG,
				"raise the limit with --max-memory; the default is the memory that "
				"this machine has available",
				"%.128s needs %s of memory, and %s of the trace's limit are left",
				file->name, size_text(file->size, size),
				size_text(store->left, left));
	store->left -= file->size;
	return 0;
}

static int read_embedded(struct guest_file_store *store, struct embedded_file *embedded,
			 struct diagnosis *why)
{
	uint64_t position = embedded->position;
	struct trace_artifact artifact;
	int got = check_size(store, embedded, why);

	if (got)
		return got;
	got = trace_reader_artifact(store->reader, &position, true, &artifact);
	if (got != 1)
		return got ? got : -EPIPE;
	embedded->content->image = image_content_create(take_pointer(artifact.data), artifact.size);
	trace_artifact_free(&artifact);
	return embedded->content->image ? 0 : -ENOMEM;
}

/* The first that has this name. */
static struct embedded_file *find_embedded(const struct guest_file_store *store, const char *name)
{
	size_t low = 0, high = store->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(store->embedded[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < store->count && !strcmp(store->embedded[low].name, name)
		       ? &store->embedded[low]
		       : NULL;
}

static int find_content(struct guest_file_store *store, const char *name,
			struct image_content **content, struct diagnosis *why)
{
	struct embedded_file *embedded = find_embedded(store, name);
	int err = 0;

	if (!embedded)
		return store->error ? store->error : -EPIPE;
	if (!embedded->content->image)
		err = read_embedded(store, embedded, why);
	*content = embedded->content->image;
	return err;
}

static int load_embedded(struct guest_file_store *store, const struct guest_file *file,
			 struct image_files *files, struct diagnosis *why)
{
	const char *name = file->embedded ? file->embedded : file->path;
	struct image_content *content;
	int err = find_content(store, name, &content, why);

	if (why->status)
		return err;
	if (!err)
		return image_files_add_content(files, file->path, file->mode, content);
	if (diagnosis_trace_status(err) != EXIT_DAMAGED)
		return diagnose(why, EXIT_CANNOT, err, diagnosis_shortage(err),
				"cannot extract %s from the trace: %s", name, strerror(-err));
	return diagnose(why, EXIT_DAMAGED, err,
			"re-record it; a recorder that is killed right after its start leaves "
			"embedded files incomplete",
			"the trace does not contain all of %s", name);
}

/* The trace names any file that it likes to. */
static int refuse_source(const struct guest_file *file, struct diagnosis *why)
{
	auto_free char *source = strdup(file->source);

	return diagnose(
		why, EXIT_CANNOT, -EPERM,
		"pass --trust if you trust who recorded the trace, or record it without --no-embed",
		"the trace does not contain the recorded files: it names files of this machine, "
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
	image_content_hash(loaded->content, hash);
	hex_text(hash, sizeof(hash), hex);
	/* Do not reveal what it is instead: reports are shown to others. */
	if (strcmp(hex, file->hash))
		return diagnose(why, EXIT_CANNOT, -ESTALE,
				"provide the same file, or record without --no-embed",
				"%s is not the recorded file (SHA-256 %.16s...)", file->source,
				file->hash);
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
