// SPDX-License-Identifier: BSD-3-Clause
/* How a recording was started, as lines of its trace: one table for writing and reading. */
#include "recorder/run/run_settings.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "format/trace/meta.h"
#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/run/run_shares.h"
#include "format/base/units.h"
#include "format/base/words.h"

struct setting_reading {
	struct run_options *options;
	struct run_settings *settings;
	uint64_t given; /* a bit a row of the table: the options said that */
};

struct setting {
	enum meta_key key;
	size_t offset; /* in struct run_options */
	bool (*is_given)(const void *field);
	int (*write)(struct trace_writer *writer, enum meta_key key, const void *field);
	int (*read)(struct setting_reading *reading, const char *value, void *field);
};

/* ---- Numbers -------------------------------------------------------------------------------- */

static bool number_is_given(const void *field)
{
	return *(const uint64_t *)field != RUN_UNSET;
}

static int write_number(struct trace_writer *writer, enum meta_key key, const void *field)
{
	return meta_write(writer, 0, key, "%" PRIu64, *(const uint64_t *)field);
}

static int read_number(struct setting_reading *reading, const char *value, void *field)
{
	(void)reading;
	return count_parse(value, field) ? -EBADMSG : 0;
}

/* ---- Choices -------------------------------------------------------------------------------- */

static int choose(const char *const *names, const char *value)
{
	int index = 0;

	while (names[index] && strcmp(names[index], value))
		index++;
	return names[index] ? index : -EBADMSG;
}

static bool grant_is_given(const void *field)
{
	return (int)*(const enum calendar_grant *)field >= 0;
}

static int write_grant(struct trace_writer *writer, enum meta_key key, const void *field)
{
	return meta_write(writer, 0, key, "%s",
			  run_grant_names[*(const enum calendar_grant *)field]);
}

static int read_grant(struct setting_reading *reading, const char *value, void *field)
{
	int choice = choose(run_grant_names, value);

	(void)reading;
	*(enum calendar_grant *)field = (enum calendar_grant)choice;
	return choice < 0 ? choice : 0;
}

static bool isolation_is_given(const void *field)
{
	return *(const int *)field >= 0;
}

static int write_isolation(struct trace_writer *writer, enum meta_key key, const void *field)
{
	return meta_write(writer, 0, key, "%s", run_isolation_names[*(const int *)field]);
}

static int read_isolation(struct setting_reading *reading, const char *value, void *field)
{
	int choice = choose(run_isolation_names, value);

	(void)reading;
	*(int *)field = choice;
	return choice < 0 ? choice : 0;
}

static bool digest_is_given(const void *field)
{
	return ((const struct session_options *)field)->digest != DIGEST_UNSET;
}

static int write_digest(struct trace_writer *writer, enum meta_key key, const void *field)
{
	const struct session_options *session = field;
	uint64_t every = session->digest_every;

	if (session->digest == DIGEST_EVERY)
		return write_number(writer, key, &every);
	return meta_write(writer, 0, key, "%s", session->digest == DIGEST_OFF ? "off" : "auto");
}

static int read_digest(struct setting_reading *reading, const char *value, void *field)
{
	struct session_options *session = field;
	uint64_t every;

	(void)reading;
	session->digest = DIGEST_EVERY;
	if (!strcmp(value, "auto"))
		session->digest = DIGEST_AUTO;
	else if (!strcmp(value, "off"))
		session->digest = DIGEST_OFF;
	else if (number_parse(value, 10, UINT32_MAX, &every) || !every)
		return -EBADMSG;
	else
		session->digest_every = (uint32_t)every;
	return 0;
}

/* ---- Text ----------------------------------------------------------------------------------- */

/* A copy that lives as long as the settings do. */
static const char *keep_text(struct run_settings *settings, const char *value)
{
	char *copy = strdup(value);

	if (copy && !array_push(settings->text, settings->text_count, copy))
		return copy;
	free(copy);
	return NULL;
}

static bool text_is_given(const void *field)
{
	return *(const char *const *)field;
}

static int write_text(struct trace_writer *writer, enum meta_key key, const void *field)
{
	const char *const *text = field;

	return *text ? meta_write(writer, 0, key, "%s", *text) : 0;
}

static int read_text(struct setting_reading *reading, const char *value, void *field)
{
	const char *copy = keep_text(reading->settings, value);

	*(const char **)field = copy;
	return copy ? 0 : -ENOMEM;
}

/* ---- Lists ---------------------------------------------------------------------------------- */

static bool list_is_given(const void *field)
{
	return *(const char *const *)field;
}

static int write_list(struct trace_writer *writer, enum meta_key key, const void *field)
{
	int err = 0;

	for (const char *const *item = field; !err && *item; item++)
		err = meta_write(writer, 0, key, "%s", *item);
	return err;
}

static int read_list(struct setting_reading *reading, const char *value, void *field)
{
	const char *copy = keep_text(reading->settings, value);

	if (!copy)
		return -ENOMEM;
	return words_add(field, RUN_PATTERNS_MAX, copy) ? 0 : -EBADMSG;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define SETTING(key, type, field) \
	{ key, offsetof(struct run_options, field), type##_is_given, write_##type, read_##type }

/* One that run_settings_write_lab() writes. */
#define SETTING_READ(key, type, field) \
	{ key, offsetof(struct run_options, field), type##_is_given, NULL, read_##type }

static const struct setting table[] = {
	SETTING(META_SEED, number, session.seed),
	SETTING(META_TOD, number, session.calendar.tod),
	SETTING(META_GRANT, grant, session.calendar.grant),
	SETTING(META_DIGEST, digest, session),
	SETTING(META_SEAL_WANTED, isolation, isolation),
	SETTING(META_LIMIT_VIRTUAL, number, session.calendar.limit),
	SETTING(META_LIMIT_WALL, number, session.limit_wall),
	SETTING(META_HANG_TIMEOUT, number, session.hang_timeout),
	SETTING(META_WORK_COST, text, work_cost),
	SETTING(META_EXPECT, list, expect),
	SETTING(META_FAIL_ON, list, fail_on),
	SETTING(META_ALLOW_LINE, list, allow_line),
	SETTING(META_ALLOW, list, allow),
	SETTING(META_PROGRAM, text, program),
	SETTING_READ(META_SHARE, list, share),
	SETTING(META_ROOT, text, root),
};

static void *field_of(struct run_options *options, const struct setting *setting)
{
	return (char *)options + setting->offset;
}

static const char *verb_of(const struct run_options *options)
{
	return options->upstream ? "tap" : options->socket ? "serve" : "run";
}

int run_settings_write(const struct run_options *options, struct trace_writer *writer)
{
	int err = meta_write(writer, 0, META_VERB, "%s", verb_of(options));

	for (size_t i = 0; !err && i < ARRAY_SIZE(table); i++)
		if (table[i].write)
			err = table[i].write(writer, table[i].key,
					     (const char *)options + table[i].offset);
	return err;
}

/* ---- The lab -------------------------------------------------------------------------------- */

int run_disk_look(const char *path, struct run_disk *disk)
{
	struct stat status;

	if (stat(path, &status))
		return -errno;
	disk->size = (uint64_t)status.st_size;
	disk->modified =
		(uint64_t)status.st_mtim.tv_sec * NS_PER_S + (uint64_t)status.st_mtim.tv_nsec;
	return 0;
}

/* Of an image that went away since it was opened nothing is said. */
static int write_disk(struct trace_writer *writer, uint32_t guest, size_t device,
		      const struct device_disk_options *options)
{
	struct run_disk disk = { 0 };

	if (run_disk_look(options->content ?: options->image, &disk))
		return 0;
	return meta_write(writer, guest, META_DISK, "%zu %" PRIu64 " %" PRIu64, device, disk.size,
			  disk.modified);
}

static int write_disks(const struct lab *lab, struct trace_writer *writer)
{
	uint64_t model = lab->disk_model;
	int err = write_number(writer, META_DISK_MODEL, &model);

	for (size_t i = 0; i < lab->guest_count; i++) {
		const struct lab_guest *guest = &lab->guest[i];

		for (size_t j = 0; !err && j < guest->device_count; j++)
			if (guest->device[j].kind == LAB_DISK && guest->device[j].disk.image)
				err = write_disk(writer, (uint32_t)i, j, &guest->device[j].disk);
	}
	return err;
}

/* What the one guest has by options. */
static int write_without_file(const struct lab *lab, struct trace_writer *writer)
{
	int err = run_shares_write(lab, writer);

	return err || !lab->guest[0].root.path ? err : write_disks(lab, writer);
}

int run_settings_write_lab(const struct lab *lab, struct trace_writer *writer)
{
	int err;

	if (!lab->path)
		return write_without_file(lab, writer);
	err = meta_write(writer, 0, META_LAB, "%s", lab->path);
	if (!err)
		err = trace_writer_embed(writer, RUN_LAB_NAME, 0444, lab->text, lab->text_size);
	return err ? err : write_disks(lab, writer);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int read_disk(struct run_settings *settings, uint32_t guest, const char *value)
{
	struct run_disk disk = { .guest = guest };

	if (number_take(&value, 10, SIZE_MAX, &disk.device) || *value++ != ' ' ||
	    number_take(&value, 10, UINT64_MAX, &disk.size) || *value++ != ' ' ||
	    count_parse(value, &disk.modified))
		return -EBADMSG;
	return array_push(settings->disk, settings->disk_count, disk);
}

/* Of a disk that the line before spoke of. */
static int read_disk_embedded(struct run_settings *settings, uint32_t guest, const char *value)
{
	struct run_disk *last =
		settings->disk_count ? &settings->disk[settings->disk_count - 1] : NULL;
	uint64_t device;

	for (; last && last >= settings->disk; last--) {
		const char *name = value;

		if (number_take(&name, 10, SIZE_MAX, &device) || *name++ != ' ')
			return -EBADMSG;
		if (last->guest != guest || last->device != device)
			continue;
		last->embedded = keep_text(settings, name);
		return last->embedded ? 0 : -ENOMEM;
	}
	return -EBADMSG;
}

static int read_disk_model(struct run_settings *settings, const char *value)
{
	uint64_t model;

	if (number_parse(value, 10, UINT_MAX, &model))
		return -EBADMSG;
	settings->disk_model = (unsigned int)model;
	return model < LAB_DISK_MODELS ? 0 : -ENOTSUP;
}

static int take_text(char **place, const char *value)
{
	free(*place);
	*place = strdup(value);
	return *place ? 0 : -ENOMEM;
}

static int read_setting(struct setting_reading *reading, enum meta_key key, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (key == table[i].key && !(reading->given >> i & 1))
			return table[i].read(reading, value, field_of(reading->options, &table[i]));
	return 0; /* given, or a guest's */
}

static int read_record(struct setting_reading *reading, const struct trace_record *record)
{
	auto_free char *value = NULL;
	struct meta meta;

	if (!meta_parse(record, &meta))
		return -EBADMSG;
	value = strndup(meta.value, meta.size);
	if (!value)
		return -ENOMEM;
	switch (meta.key) {
	case META_DISK:
		return read_disk(reading->settings, record->guest, value);
	case META_DISK_FILE:
		return read_disk_embedded(reading->settings, record->guest, value);
	case META_DISK_MODEL:
		return read_disk_model(reading->settings, value);
	case META_VERB:
		return take_text(&reading->settings->verb, value);
	case META_LAB:
		return take_text(&reading->settings->lab_path, value);
	case META_PROBE:
		reading->options->probe |= !strcmp(value, "1");
		return 0;
	default:
		return read_setting(reading, meta.key, value);
	}
}

int run_settings_read(struct trace_reader *reader, struct run_options *options,
		      struct run_settings *settings)
{
	struct setting_reading reading = { .options = options, .settings = settings };
	struct trace_record record;
	int got = 1, err = trace_reader_seek(reader, 0);

	*settings = (struct run_settings){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		reading.given |= (uint64_t)table[i].is_given(field_of(options, &table[i])) << i;
	while (!err && (got = trace_reader_next(reader, &record)) == 1) {
		if (record.kind == TRACE_from)
			break;
		if (record.kind == TRACE_meta)
			err = read_record(&reading, &record);
	}
	return err ? err : got < 0 ? got : 0;
}

void run_settings_free(struct run_settings *settings)
{
	for (size_t i = 0; i < settings->text_count; i++)
		free(settings->text[i]);
	free(settings->text);
	free(settings->disk);
	free(settings->verb);
	free(settings->lab_path);
	*settings = (struct run_settings){ 0 };
}
