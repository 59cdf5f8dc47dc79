// SPDX-License-Identifier: BSD-3-Clause
/* Descriptions of guests from a trace's meta records, see ttrace(5). */
#include <limits.h>
#include <string.h>

#include "format/trace/meta.h"
#include "format/base/words.h"
#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest_trace.h"
#include "format/base/printable.h"

/* A guest while its meta records go by. */
struct guest_reading {
	struct guest_recorded recorded;
	struct guest_file_list files;
	size_t arguments;
};

struct specs_reading {
	struct guest_reading *guest;
	size_t count;
	uint32_t *place; /* of each index, from 1; 0: not seen yet */
	uint32_t only;
	struct diagnosis *why;
};

/* "NUMBER TEXT": the number in base @base; *@text is the rest. */
static int split_number(const char *value, unsigned int base, uint32_t *number, const char **text)
{
	uint64_t parsed;

	if (number_take(&value, base, UINT32_MAX, &parsed) || value[0] != ' ' || !value[1])
		return -EBADMSG;
	*number = (uint32_t)parsed;
	*text = value + 1;
	return 0;
}

static int read_file(struct guest_reading *guest, const char *value)
{
	struct guest_file file = { .size = IMAGE_SIZE_UNKNOWN };
	const char *path;
	int err = split_number(value, 8, &file.mode, &path);

	if (err || *path != '/')
		return -EBADMSG;
	file.path = strdup(path);
	if (file.path && !array_push(guest->files.file, guest->files.count, file))
		return 0;
	free(file.path);
	return -ENOMEM;
}

/* The file that the line before spoke of. */
static struct guest_file *last_file(struct guest_reading *guest)
{
	return guest->files.count ? &guest->files.file[guest->files.count - 1] : NULL;
}

/* The same, unless its location is already known. */
static struct guest_file *placeless_file(struct guest_reading *guest)
{
	struct guest_file *file = last_file(guest);

	return file && !file->embedded && !file->source ? file : NULL;
}

static int read_embedded(struct guest_reading *guest, const char *value)
{
	struct guest_file *file = placeless_file(guest);

	if (!file)
		return -EBADMSG;
	file->embedded = strdup(value);
	return file->embedded ? 0 : -ENOMEM;
}

static int read_source(struct guest_reading *guest, const char *value)
{
	struct guest_file *file = placeless_file(guest);
	const size_t length = sizeof(file->hash) - 1;

	if (!file || strcspn(value, " ") != length || !value[length + 1])
		return -EBADMSG;
	memcpy(file->hash, value, length);
	file->source = strdup(value + length + 1);
	return file->source ? 0 : -ENOMEM;
}

/* Belongs to the file whose source the previous line gave. */
static int read_source_size(struct guest_reading *guest, const char *value)
{
	struct guest_file *file = last_file(guest);

	if (!file || !file->source || file->size != IMAGE_SIZE_UNKNOWN ||
	    count_parse(value, &file->size))
		return -EBADMSG;
	return 0;
}

static int read_argument(struct guest_reading *guest, const char *value)
{
	return words_take(&guest->recorded.spec.arguments, &guest->arguments, strdup(value));
}

static int read_device(struct guest_reading *guest, const char *value)
{
	struct guest_spec *spec = &guest->recorded.spec;
	struct guest_device device;
	const char *name;
	int err = split_number(value, 10, &device.virtio_id, &name);

	if (err || spec->device_count == SANDBOX_DEVICES_MAX)
		return -EBADMSG;
	device.name = strdup(name);
	if (!device.name || array_push(spec->device, spec->device_count, device)) {
		free(device.name);
		return -ENOMEM;
	}
	printable(device.name);
	return 0;
}

static int read_name(struct guest_reading *guest, const char *value)
{
	struct guest_spec *spec = &guest->recorded.spec;

	free(spec->name);
	spec->name = strdup(value);
	return spec->name && printable(spec->name) ? 0 : -ENOMEM;
}

static int read_id(struct guest_reading *guest, const char *value)
{
	return count_parse(value, &guest->recorded.spec.id) ? -EBADMSG : 0;
}

static int read_auxv_random(struct guest_reading *guest, const char *value)
{
	return hex_parse(value, guest->recorded.spec.auxv_random, SANDBOX_RANDOM_SIZE) ? -EBADMSG
										       : 0;
}

static int read_isolation(struct guest_reading *guest, const char *value)
{
	int isolation = isolation_parse(value);

	guest->recorded.origin.isolation = (unsigned int)isolation;
	guest->recorded.spec.wanted = (unsigned int)isolation;
	return isolation < 0 ? -EBADMSG : 0;
}

static int read_layout(struct guest_reading *guest, const char *value)
{
	struct guest_recorded *recorded = &guest->recorded;
	uint64_t layout;

	if (number_parse(value, 10, UINT_MAX, &layout))
		return -EBADMSG;
	recorded->origin.layout = (unsigned int)layout;
	recorded->spec.absolute_paths = !recorded->origin.layout;
	return 0;
}

static int read_host_files(struct guest_reading *guest, const char *value)
{
	guest->recorded.spec.host_files = !strcmp(value, "1");
	return 0;
}

static int read_release(struct guest_reading *guest, const char *value)
{
	struct guest_origin *origin = &guest->recorded.origin;

	snprintf(origin->release, sizeof(origin->release), "%s", value);
	return 0;
}

static int read_cpu(struct guest_reading *guest, const char *value)
{
	struct cpu_identity *cpu = &guest->recorded.origin.cpu;
	uint64_t number;

	if (number_take(&value, 10, UINT_MAX, &number) || *value++ != ' ' ||
	    number_take(&value, 16, UINT64_MAX, &cpu->cpuid))
		return -EBADMSG;
	cpu->number = (unsigned int)number;
	snprintf(cpu->model, sizeof(cpu->model), "%s", value + strspn(value, " "));
	guest->recorded.spec.cpu = cpu->number;
	return 0;
}

static int read_virtual_cpu(struct guest_reading *guest, const char *value)
{
	struct cpu_identity *cpu = &guest->recorded.origin.cpu;

	cpu->is_virtual = true;
	return number_take(&value, 16, UINT64_MAX, &cpu->state) || *value ? -EBADMSG : 0;
}

typedef int meta_reader(struct guest_reading *guest, const char *value);

static meta_reader *const meta_readers[META_KEY_COUNT + 1] = {
	[META_NAME] = read_name,
	[META_FILE] = read_file,
	[META_EMBEDDED] = read_embedded,
	[META_SOURCE] = read_source,
	[META_SOURCE_SIZE] = read_source_size,
	[META_ARGUMENT] = read_argument,
	[META_DEVICE] = read_device,
	[META_ID] = read_id,
	[META_AUXV_RANDOM] = read_auxv_random,
	[META_SEAL] = read_isolation,
	[META_LAYOUT] = read_layout,
	[META_HOST_FILES] = read_host_files,
	[META_KERNEL_RELEASE] = read_release,
	[META_CPU] = read_cpu,
	[META_VIRTUAL_CPU] = read_virtual_cpu,
};

/* The guest with this index, made if need be. */
static int find_guest(struct specs_reading *reading, uint32_t index, struct guest_reading **guest)
{
	if (index >= TRACE_GUEST_LIMIT)
		return -EBADMSG;
	if (!reading->place[index]) {
		*guest = array_add(reading->guest, reading->count);
		if (!*guest)
			return -ENOMEM;
		(*guest)->recorded.index = index;
		(*guest)->recorded.spec.absolute_paths = true;
		reading->place[index] = (uint32_t)reading->count;
	}
	*guest = &reading->guest[reading->place[index] - 1];
	return 0;
}

/* A line that is not of a guest is the recording's own, or a later version's. */
static int read_line(struct specs_reading *reading, const struct trace_record *record)
{
	auto_free char *value = NULL;
	struct guest_reading *guest;
	struct meta meta;
	int err;

	if (!meta_parse(record, &meta))
		return -EBADMSG;
	if (!meta_readers[meta.key])
		return 0;
	value = strndup(meta.value, meta.size);
	err = value ? find_guest(reading, record->guest, &guest) : -ENOMEM;
	return err ? err : meta_readers[meta.key](guest, value);
}

static int read_meta(struct specs_reading *reading, const struct trace_record *record)
{
	auto_free char *line = NULL;
	int err = read_line(reading, record);

	if (err != -EBADMSG)
		return err;
	line = strndup(record->payload_size ? record->payload : "", record->payload_size);
	return diagnose(reading->why, EXIT_DAMAGED, err, "re-record it",
			"invalid description of guest %u in the trace: %.60s", record->guest,
			line ? printable(line) : "");
}

/* Descriptions come before the first message. */
static int read_lines(struct specs_reading *reading, struct trace_reader *reader)
{
	struct trace_record record;
	int got, err = 0;

	while (!err && (got = trace_reader_next(reader, &record)) == 1) {
		if (record.kind == TRACE_from)
			return 0;
		if (record.kind == TRACE_meta &&
		    (reading->only == GUEST_ALL || record.guest == reading->only))
			err = read_meta(reading, &record);
	}
	return err ? err : got;
}

static int read_from_start(struct specs_reading *reading, struct trace_reader *reader)
{
	int err = trace_reader_seek(reader, 0);

	if (!err)
		err = read_lines(reading, reader);
	if ((err == -EBADMSG || err == -EPIPE) && !reading->why->status)
		diagnose(reading->why, EXIT_DAMAGED, err, "`ttdump verify` says where",
			 "the trace is damaged before the first message: %s",
			 trace_reader_error(reader));
	return err;
}

static int check_complete(const struct specs_reading *reading)
{
	uint32_t missing = reading->only == GUEST_ALL ? 0 : reading->only;
	bool complete = reading->count;

	for (size_t i = 0; complete && i < reading->count; i++) {
		const struct guest_reading *guest = &reading->guest[i];

		complete = guest->recorded.spec.name && guest->files.count && guest->arguments;
		missing = guest->recorded.index;
	}
	if (complete)
		return 0;
	return diagnose(reading->why, EXIT_CANNOT, -ENOENT,
			"only guests started by `ttrec run` can be replayed",
			"the trace does not describe how guest %u was started", missing);
}

static int load_files(struct specs_reading *reading, struct trace_reader *reader, bool host_files,
		      uint64_t max_bytes)
{
	struct guest_file_store *store;
	int err = guest_file_store_create(reader, max_bytes, &store);

	if (err)
		return err;
	for (size_t i = 0; !err && i < reading->count; i++)
		err = guest_file_store_load(store, &reading->guest[i].files, host_files,
					    &reading->guest[i].recorded.spec.files, reading->why);
	guest_file_store_destroy(store);
	return err;
}

static int compare_indices(const void *one, const void *other)
{
	const struct guest_recorded *first = one, *second = other;

	return (first->index > second->index) - (first->index < second->index);
}

static int hand_out(const struct specs_reading *reading, struct guest_recorded **guests,
		    size_t *count)
{
	*guests = calloc(reading->count, sizeof(**guests));
	if (!*guests)
		return -ENOMEM;
	for (size_t i = 0; i < reading->count; i++) {
		(*guests)[i] = reading->guest[i].recorded;
		reading->guest[i].recorded.spec = (struct guest_spec){ 0 };
	}
	*count = reading->count;
	qsort(*guests, *count, sizeof(**guests), compare_indices);
	return 0;
}

static void release(struct specs_reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		struct guest_reading *guest = &reading->guest[i];

		for (size_t j = 0; j < guest->files.count; j++) {
			free(guest->files.file[j].path);
			free(guest->files.file[j].embedded);
			free(guest->files.file[j].source);
		}
		free(guest->files.file);
		guest_spec_free(&guest->recorded.spec);
	}
	free(reading->guest);
	free(reading->place);
}

int guest_specs_read(struct trace_reader *reader, uint32_t only, enum guest_files files,
		     uint64_t max_bytes, struct guest_recorded **guests, size_t *count,
		     struct diagnosis *why)
{
	struct specs_reading reading = { .only = only, .why = why };
	int err;

	reading.place = calloc(TRACE_GUEST_LIMIT, sizeof(*reading.place));
	err = reading.place ? read_from_start(&reading, reader) : -ENOMEM;

	if (!err)
		err = check_complete(&reading);
	if (!err && files)
		err = load_files(&reading, reader, files == GUEST_FILES_HOST, max_bytes);
	if (!err)
		err = hand_out(&reading, guests, count);
	release(&reading);
	return err;
}

void guest_specs_free(struct guest_recorded *guests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		guest_spec_free(&guests[i].spec);
	free(guests);
}

const struct guest_recorded *guest_specs_find(const struct guest_recorded *guests, size_t count,
					      const char *name)
{
	const struct guest_recorded *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(guests[i].spec.name, name))
			continue;
		if (found)
			return NULL;
		found = &guests[i];
	}
	return found;
}
