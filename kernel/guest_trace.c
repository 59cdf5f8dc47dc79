// SPDX-License-Identifier: BSD-3-Clause
/* A guest's description in a trace: meta records "key=value" and embedded files, and back. */
#include "kernel/guest.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "format/cleanup.h"
#include "kernel/guest_arguments.h"
#include "kernel/printable.h"

#define HASH_SIZE 32

static void to_hex(const uint8_t *bytes, size_t count, char *text)
{
	for (size_t i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

static int from_hex(const char *text, uint8_t *bytes, size_t count)
{
	if (strlen(text) != 2 * count)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++)
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			return -EBADMSG;
	return 0;
}

static int hash_file(const struct image_file *file, char hex[2 * HASH_SIZE + 1])
{
	uint8_t hash[HASH_SIZE];

	if (!EVP_Digest(file->data, file->size, hash, NULL, EVP_sha256(), NULL))
		return -EIO;
	to_hex(hash, sizeof(hash), hex);
	return 0;
}

static int write_meta(struct trace_writer *writer, uint32_t index, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int write_meta(struct trace_writer *writer, uint32_t index, const char *format, ...)
{
	struct trace_record record = { .kind = TRACE_meta, .guest = index };
	va_list arguments;
	char *text = NULL;
	int length, err;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	record.payload = text;
	record.payload_size = (size_t)length;
	err = trace_writer_append(writer, &record, NULL);
	free(text);
	return err;
}

/*
 * "file=MODE PATH" with the content embedded, "file=MODE PATH SHA256 SOURCE" without. What was made
 * up for the room and is no file of this machine is always embedded.
 */
static int write_file(const struct image_file *file, uint32_t index, bool embed,
		      struct trace_writer *writer)
{
	char hex[2 * HASH_SIZE + 1];
	int err;

	if (embed || !file->source) {
		err = trace_writer_embed(writer, file->path, file->mode, file->data, file->size);
		return err ? err : write_meta(writer, index, "file=%o %s", file->mode, file->path);
	}
	err = hash_file(file, hex);
	return err ? err
		   : write_meta(writer, index, "file=%o %s %s %s", file->mode, file->path, hex,
				file->source);
}

int guest_spec_write(const struct guest_spec *spec, unsigned int seal,
		     const struct cpu_identity *cpu, uint32_t index, bool embed,
		     struct trace_writer *writer)
{
	char hex[2 * ROOM_RANDOM_SIZE + 1], seal_name[SEAL_TEXT], release[64];
	int err;

	to_hex(spec->auxv_random, ROOM_RANDOM_SIZE, hex);
	image_release(&spec->files.file[0], release, sizeof(release));
	err = write_meta(writer, index, "name=%s", spec->name);
	for (size_t i = 0; !err && i < spec->files.count; i++)
		err = write_file(&spec->files.file[i], index, embed, writer);
	for (char **argument = spec->arguments; !err && *argument; argument++)
		err = write_meta(writer, index, "argument=%s", *argument);
	if (!err)
		err = write_meta(writer, index, "id=%" PRIu64, spec->id);
	if (!err)
		err = write_meta(writer, index, "auxv-random=%s", hex);
	if (!err)
		err = write_meta(writer, index, "seal=%s", seal_text(seal, seal_name));
	if (!err)
		err = write_meta(writer, index, "host-files=%d", spec->host_files);
	if (!err)
		err = write_meta(writer, index, "kernel-release=%s", release);
	if (!err)
		err = write_meta(writer, index, "cpu=%u %016" PRIx64 " %s", cpu->number, cpu->cpuid,
				 cpu->model);
	return err;
}

/* What is being put together while the meta records go by. */
struct spec_reading {
	struct guest_spec *spec;
	struct guest_origin *origin;
	struct trace_reader *reader;
	struct diagnosis *why;
	size_t arguments;
};

static int load_embedded(struct spec_reading *reading, const char *path, uint32_t mode)
{
	struct trace_artifact artifact;
	uint64_t position = 0, here = 0;
	bool found = false;
	int err;

	while ((err = trace_reader_artifact(reading->reader, &position, false, &artifact)) == 1) {
		found = !strcmp(artifact.path, path);
		trace_artifact_free(&artifact);
		if (found)
			break;
		here = position;
	}
	if (found)
		err = trace_reader_artifact(reading->reader, &here, true, &artifact);
	if (found && err == 1) {
		err = image_files_add(&reading->spec->files, path, mode, artifact.data,
				      artifact.size);
		artifact.data = NULL;
		trace_artifact_free(&artifact);
		return err;
	}
	return diagnose(reading->why, EXIT_DAMAGED, err ? err : -EPIPE,
			"record it again; a recorder that was killed in its first moments leaves "
			"the files it embeds incomplete",
			"the trace does not hold the whole of %s", path);
}

static int load_named(struct spec_reading *reading, const char *path, uint32_t mode,
		      const char *expected, const char *source)
{
	char hex[2 * HASH_SIZE + 1];
	struct image_file *file;
	int err;

	err = image_files_load(&reading->spec->files, "recorded file", source, path, reading->why);
	if (err)
		return err;
	file = &reading->spec->files.file[reading->spec->files.count - 1];
	file->mode = mode;
	err = hash_file(file, hex);
	if (!err && strcmp(hex, expected))
		return diagnose(reading->why, EXIT_CANNOT, -ESTALE,
				"get the same file, or record without --no-embed",
				"%s is not the file that was recorded (SHA-256 %.16s..., recorded "
				"%.16s...)",
				source, hex, expected);
	return err;
}

static int read_file_line(struct spec_reading *reading, const char *value)
{
	char path[1024], hash[2 * HASH_SIZE + 1], source[4096];
	unsigned int mode;
	int fields;

	fields = sscanf(value, "%o %1023s %64s %4095[^\n]", &mode, path, hash, source);
	if (fields == 2)
		return load_embedded(reading, path, mode);
	if (fields == 4)
		return load_named(reading, path, mode, hash, source);
	return -EBADMSG;
}

static int read_argument(struct spec_reading *reading, const char *value)
{
	struct guest_spec *spec = reading->spec;
	char **grown = realloc(spec->arguments, (reading->arguments + 2) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	spec->arguments = grown;
	grown[reading->arguments++] = strdup(value);
	grown[reading->arguments] = NULL;
	return grown[reading->arguments - 1] ? 0 : -ENOMEM;
}

static int read_name(struct spec_reading *reading, const char *value)
{
	free(reading->spec->name);
	reading->spec->name = strdup(value);
	return reading->spec->name && printable(reading->spec->name) ? 0 : -ENOMEM;
}

static int read_id(struct spec_reading *reading, const char *value)
{
	return sscanf(value, "%" SCNu64, &reading->spec->id) == 1 ? 0 : -EBADMSG;
}

static int read_auxv_random(struct spec_reading *reading, const char *value)
{
	return from_hex(value, reading->spec->auxv_random, ROOM_RANDOM_SIZE);
}

static int read_seal(struct spec_reading *reading, const char *value)
{
	int seal = seal_parse(value);

	reading->origin->seal = (unsigned int)seal;
	reading->spec->wanted = (unsigned int)seal;
	return seal < 0 ? -EBADMSG : 0;
}

static int read_host_files(struct spec_reading *reading, const char *value)
{
	reading->spec->host_files = !strcmp(value, "1");
	return 0;
}

static int read_release(struct spec_reading *reading, const char *value)
{
	snprintf(reading->origin->release, sizeof(reading->origin->release), "%s", value);
	return 0;
}

static int read_cpu(struct spec_reading *reading, const char *value)
{
	struct cpu_identity *cpu = &reading->origin->cpu;

	if (sscanf(value, "%u %" SCNx64 " %63[^\n]", &cpu->number, &cpu->cpuid, cpu->model) < 2)
		return -EBADMSG;
	reading->spec->cpu = cpu->number;
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct spec_reading *reading, const char *value);
} meta_keys[] = {
	{ "name", read_name },
	{ "file", read_file_line },
	{ "argument", read_argument },
	{ "id", read_id },
	{ "auxv-random", read_auxv_random },
	{ "seal", read_seal },
	{ "host-files", read_host_files },
	{ "kernel-release", read_release },
	{ "cpu", read_cpu },
};

static int read_meta(struct spec_reading *reading, const struct trace_record *record)
{
	auto_free char *text = strndup(record->payload, record->payload_size);
	char *value = text ? strchr(text, '=') : NULL;

	if (!text)
		return -ENOMEM;
	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(meta_keys); i++)
		if (!strcmp(text, meta_keys[i].key))
			return meta_keys[i].read(reading, value);
	return 0; /* the recording's own, or a later version's */
}

int guest_spec_read(struct trace_reader *reader, uint32_t index, struct guest_spec *spec,
		    struct guest_origin *origin, struct diagnosis *why)
{
	struct spec_reading reading = { spec, origin, reader, why, 0 };
	struct trace_record record;
	int err = trace_reader_seek(reader, 0);

	*spec = (struct guest_spec){ 0 };
	*origin = (struct guest_origin){ 0 };
	while (!err) {
		err = trace_reader_next(reader, &record);
		if (err != 1)
			break;
		err = 0;
		if (record.kind == TRACE_from)
			break; /* descriptions come before the first message */
		if (record.kind == TRACE_meta && record.guest == index)
			err = read_meta(&reading, &record);
	}
	if (!err && (!spec->files.count || !spec->arguments || !spec->name))
		err = diagnose(why, EXIT_CANNOT, -ENOENT,
			       "only guests that `ttrec run` started can be started again",
			       "the trace does not say how guest %u was started", index);
	else if (err == -EBADMSG || err == -EPIPE)
		if (!why->status)
			diagnose(why, EXIT_DAMAGED, err, "`ttdump verify` says where",
				 "the trace is damaged before the first message: %s",
				 trace_reader_error(reader));
	if (err)
		guest_spec_free(spec);
	return err;
}
