// SPDX-License-Identifier: BSD-3-Clause
/* The files of a trace's guests: embedded ones from the trace, others from this machine. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/guest/guest_trace.h"

/* What embedded files hold; several names may have one content. */
struct embedded_content {
	uint32_t number; /* in the trace */
	struct image_content *image;
};

struct guest_file_store {
	struct trace_reader *reader;
	void *contents; /* a tree of files that were read, see tsearch(3) */
	uint64_t left;	/* bytes that may still be read */
	struct image_cache *cache;
};

static int compare_contents(const void *one, const void *other)
{
	const struct embedded_content *first = one, *second = other;

	return (first->number > second->number) - (first->number < second->number);
}

static void free_content(void *content)
{
	image_content_release(((struct embedded_content *)content)->image);
	free(content);
}

int guest_file_store_create(struct trace_reader *reader, uint64_t max_bytes,
			    struct guest_file_store **store)
{
	struct guest_file_store *created = calloc(1, sizeof(*created));

	if (!created)
		return -ENOMEM;
	created->reader = reader;
	created->left = max_bytes;
	created->cache = image_cache_create();
	if (!created->cache) {
		guest_file_store_destroy(created);
		return -ENOMEM;
	}
	*store = created;
	return 0;
}

void guest_file_store_destroy(struct guest_file_store *store)
{
	if (!store)
		return;
	tdestroy(store->contents, free_content);
	image_cache_destroy(store->cache);
	free(store);
}

/* Checked before allocation: a file must have the size that it declares. */
static int check_size(struct guest_file_store *store, const struct trace_artifact *file,
		      struct diagnosis *why)
{
	char size[UNITS_TEXT], left[UNITS_TEXT];

	if (file->size > store->left)
		return diagnose(why, EXIT_CANNOT, -EFBIG,
				"raise the limit with --max-memory; the default is the memory that "
				"this machine has available",
				"%.128s needs %s of memory, and %s of the trace's limit are left",
				file->path, size_text(file->size, size),
				size_text(store->left, left));
	store->left -= file->size;
	return 0;
}

/* The content of @name, which @head describes, into the tree. */
static int read_content(struct guest_file_store *store, const char *name,
			const struct trace_artifact *head, struct embedded_content *content,
			struct diagnosis *why)
{
	struct trace_artifact artifact;
	int got = check_size(store, head, why);

	if (got)
		return got;
	got = trace_reader_find(store->reader, name, true, &artifact);
	if (got != 1)
		return got ? got : -EPIPE;
	content->number = artifact.content;
	content->image = image_content_create(take_pointer(artifact.data), artifact.size);
	trace_artifact_free(&artifact);
	return content->image && tsearch(content, &store->contents, compare_contents) ? 0 : -ENOMEM;
}

static int find_content(struct guest_file_store *store, const char *name,
			struct image_content **image, struct diagnosis *why)
{
	struct embedded_content *content, key = { 0 };
	struct trace_artifact head;
	int got = trace_reader_find(store->reader, name, false, &head), err = 0;
	void *known;

	if (got != 1)
		return got ? got : -EPIPE;
	key.number = head.content;
	known = tfind(&key, &store->contents, compare_contents);
	content = known ? *(struct embedded_content **)known : calloc(1, sizeof(*content));
	if (!known)
		err = content ? read_content(store, name, &head, content, why) : -ENOMEM;
	trace_artifact_free(&head);
	if (err && content)
		free_content(content);
	else if (!err)
		*image = content->image;
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
	if (err == -ENODATA || err == -ESTALE)
		return diagnose(why, EXIT_CANNOT, err,
				"copy that file beside the trace, or name the store that has it: "
				"TTREC_STORE=DIR; `ttdump pack` makes one file of a trace and "
				"its store",
				"%s", trace_reader_error(store->reader));
	if (diagnosis_trace_status(err) != EXIT_DAMAGED)
		return diagnose(why, EXIT_CANNOT, err, diagnosis_shortage(err),
				"cannot extract %s from the trace: %s", name, strerror(-err));
	return diagnose(why, EXIT_DAMAGED, err,
			"re-record it; a recorder that is killed right after its start leaves "
			"embedded files incomplete",
			"the trace does not contain all of %s", name);
}

/* The trace can name any file. */
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
	/* Do not reveal its contents: reports are shown to others. */
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
