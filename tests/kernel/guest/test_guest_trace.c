// SPDX-License-Identifier: BSD-3-Clause
/* Descriptions of guests into a trace and back: what they share, what they must not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest.h"

static char directory[] = "/tmp/test_guest_trace.XXXXXX";
static char trace_path[sizeof(directory) + 8];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(trace_path, sizeof(trace_path), "%s/t", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(trace_path);
	return rmdir(directory);
}

/* ---- Guests -----------------------------------------------------------------------------------
 */

static void add_file(struct guest_spec *spec, const char *path, uint32_t mode, const char *content)
{
	assert_int_equal(
		image_files_add(&spec->files, path, mode, strdup(content), strlen(content)), 0);
}

static void make_guest(struct guest_spec *spec, unsigned int number, const char *kernel)
{
	const char *arguments[] = { "linux", "one=1 2", "", "--", NULL };

	*spec = (struct guest_spec){ .id = 100 + number, .device_count = 2 };
	assert_true(asprintf(&spec->name, "n%u", number) > 0);
	add_file(spec, GUEST_KERNEL_PATH, 0755, kernel);
	add_file(spec, "/with two spaces", 0444, "spaces");
	spec->arguments = calloc(ARRAY_SIZE(arguments), sizeof(*spec->arguments));
	spec->device = calloc(2, sizeof(*spec->device));
	assert_true(spec->arguments && spec->device);
	for (size_t i = 0; arguments[i]; i++)
		spec->arguments[i] = strdup(arguments[i]);
	spec->device[0] = (struct guest_device){ 1, strdup("net lan 02:00:00:00:00:01") };
	spec->device[1] = (struct guest_device){ number, strdup("disk") };
	memset(spec->auxv_random, (int)number, sizeof(spec->auxv_random));
}

static void assert_guest(const struct guest_recorded *guest, unsigned int number,
			 const char *kernel)
{
	const struct guest_spec *spec = &guest->spec;
	char name[16];

	snprintf(name, sizeof(name), "n%u", number);
	assert_string_equal(spec->name, name);
	assert_int_equal(spec->id, 100 + number);
	assert_int_equal(guest->index, number);
	assert_int_equal(guest->origin.isolation, ISOLATION_ASLR);
	assert_int_equal(guest->origin.cpu.is_virtual, number & 1);
	assert_true(guest->origin.cpu.state == (number & 1 ? number : 0));
	assert_string_equal(spec->arguments[1], "one=1 2");
	assert_string_equal(spec->arguments[2], "");
	assert_null(spec->arguments[4]);
	assert_int_equal(spec->device_count, 2);
	assert_int_equal(spec->device[0].virtio_id, 1);
	assert_string_equal(spec->device[0].name, "net lan 02:00:00:00:00:01");
	assert_int_equal(spec->device[1].virtio_id, number);
	assert_int_equal(spec->auxv_random[15], number);
	assert_int_equal(spec->files.count, 2);
	assert_string_equal(spec->files.file[0].path, GUEST_KERNEL_PATH);
	assert_int_equal(spec->files.file[0].mode, 0755);
	assert_int_equal(spec->files.file[0].size, strlen(kernel));
	assert_memory_equal(spec->files.file[0].data, kernel, strlen(kernel));
	assert_string_equal(spec->files.file[1].path, "/with two spaces");
	assert_memory_equal(spec->files.file[1].data, "spaces", 6);
}

/* Kernels of the guests of a laboratory; two of them are equal. */
static const char *const kernels[] = { "kernel one", "kernel two", "kernel one", "kernel 3" };
#define GUESTS ARRAY_SIZE(kernels)

static void write_guests(bool embed, const char *source)
{
	struct guest_started started[GUESTS];
	struct guest_spec spec[GUESTS];
	struct trace_writer *writer;

	assert_int_equal(trace_writer_create(trace_path, NULL, &writer), 0);
	for (unsigned int i = 0; i < GUESTS; i++) {
		make_guest(&spec[i], i, kernels[i]);
		if (source)
			spec[i].files.file[1].source = strdup(source);
		started[i] =
			(struct guest_started){ &spec[i],
						i,
						ISOLATION_ASLR,
						{ .model = "x", .state = i, .is_virtual = i & 1 } };
	}
	assert_int_equal(guest_specs_write(started, GUESTS, embed, writer), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	for (unsigned int i = 0; i < GUESTS; i++)
		guest_spec_free(&spec[i]);
}

struct reading {
	struct trace_reader *reader;
	struct guest_recorded *guests;
	size_t count;
	struct diagnosis why;
};

static int read_guests(struct reading *reading, uint32_t only, enum guest_files files)
{
	*reading = (struct reading){ 0 };
	assert_int_equal(trace_reader_open(trace_path, &reading->reader), 0);
	return guest_specs_read(reading->reader, only, files, UINT64_MAX, &reading->guests,
				&reading->count, &reading->why);
}

static void release(struct reading *reading)
{
	guest_specs_free(reading->guests, reading->count);
	trace_reader_close(reading->reader);
}

/* ---- Files -------------------------------------------------------------------------------------
 */

static void test_all_come_back_and_share_what_is_equal(void **state)
{
	struct reading reading;

	(void)state;
	write_guests(true, NULL);
	assert_int_equal(read_guests(&reading, GUEST_ALL, GUEST_FILES_EMBEDDED), 0);
	assert_int_equal(reading.count, GUESTS);
	for (unsigned int i = 0; i < GUESTS; i++)
		assert_guest(&reading.guests[i], i, kernels[i]);
	for (unsigned int i = 1; i < GUESTS; i++)
		assert_ptr_equal(reading.guests[i].spec.files.file[1].data,
				 reading.guests[0].spec.files.file[1].data);
	assert_ptr_equal(reading.guests[2].spec.files.file[0].data,
			 reading.guests[0].spec.files.file[0].data);
	release(&reading);
}

static void test_names_of_embedded_files_differ(void **state)
{
	static const char *const expected[] = { "/linux", "/with two spaces", "/guest1/linux",
						"/guest3/linux" };
	struct trace_artifact artifact;
	struct trace_reader *reader;
	uint64_t position = 0;
	size_t count = 0;

	(void)state;
	write_guests(true, NULL);
	assert_int_equal(trace_reader_open(trace_path, &reader), 0);
	while (trace_reader_artifact(reader, &position, false, &artifact) == 1) {
		assert_true(count < ARRAY_SIZE(expected));
		assert_string_equal(artifact.path, expected[count++]);
		trace_artifact_free(&artifact);
	}
	assert_int_equal(count, ARRAY_SIZE(expected));
	trace_reader_close(reader);
}

static void write_source(const char *path, const char *content)
{
	auto_file *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
}

static char source[sizeof(directory) + 16];

static void write_guests_with_source(void)
{
	snprintf(source, sizeof(source), "%s/two  spaces", directory);
	unlink(source); /* what a test that failed has left */
	write_source(source, "spaces");
	write_guests(false, source);
}

static void test_files_that_are_not_embedded_are_found_and_compared(void **state)
{
	struct reading reading;

	(void)state;
	write_guests_with_source();
	assert_int_equal(read_guests(&reading, GUEST_ALL, GUEST_FILES_HOST), 0);
	for (unsigned int i = 0; i < GUESTS; i++) {
		assert_guest(&reading.guests[i], i, kernels[i]);
		assert_ptr_equal(reading.guests[i].spec.files.file[1].data,
				 reading.guests[0].spec.files.file[1].data);
	}
	release(&reading);
	unlink(source);
	assert_int_equal(read_guests(&reading, 1, GUEST_FILES_HOST), -ENOENT);
	release(&reading);
}

static void test_files_of_this_machine_need_trust(void **state)
{
	struct reading reading;

	(void)state;
	write_guests_with_source();
	assert_int_equal(read_guests(&reading, 1, GUEST_FILES_EMBEDDED), -EPERM);
	assert_int_equal(reading.why.status, EXIT_CANNOT);
	assert_non_null(strstr(reading.why.what, source));
	assert_non_null(strstr(reading.why.advice, "--trust"));
	release(&reading);
	unlink(source);
	assert_int_equal(read_guests(&reading, 1, GUEST_FILES_EMBEDDED), -EPERM);
	release(&reading);
}

/* Its guests name what is at @source; nothing of that may be said, and it must not be waited for.
 */
static void assert_refused(int error, enum exit_status status, const char *reason)
{
	struct reading reading;

	alarm(20);
	assert_int_equal(read_guests(&reading, 1, GUEST_FILES_HOST), error);
	alarm(0);
	assert_int_equal(reading.why.status, status);
	if (!strstr(reading.why.what, reason))
		fail_msg("it says: %s", reading.why.what);
	release(&reading);
}

static void test_what_is_not_the_recorded_file_is_not_read(void **state)
{
	(void)state;
	write_guests_with_source();
	write_source(source, "longer than that");
	assert_refused(-ESTALE, EXIT_CANNOT, "another size");
	unlink(source);
	assert_int_equal(mkfifo(source, 0600), 0);
	assert_refused(-EINVAL, EXIT_USAGE, "is not a regular file");
	unlink(source);
	assert_int_equal(symlink("/etc/hostname", source), 0);
	assert_refused(-EINVAL, EXIT_USAGE, "is not a regular file");
	unlink(source);
	assert_int_equal(mkdir(source, 0700), 0);
	assert_refused(-EINVAL, EXIT_USAGE, "is not a regular file");
	rmdir(source);
}

static void test_no_hash_of_a_foreign_file_is_said(void **state)
{
	struct reading reading;
	char hex[2 * IMAGE_HASH_SIZE + 1];
	uint8_t hash[IMAGE_HASH_SIZE];
	struct image_content *foreign = image_content_create(strdup("faked!"), 6);

	(void)state;
	write_guests_with_source();
	write_source(source, "faked!");
	image_content_hash(foreign, hash);
	image_content_release(foreign);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	assert_int_equal(read_guests(&reading, 1, GUEST_FILES_HOST), -ESTALE);
	hex[8] = '\0';
	assert_null(strstr(reading.why.what, hex));
	release(&reading);
	unlink(source);
}

/* ---- Which guests
 * -------------------------------------------------------------------------------- */

static void test_one_is_found_by_its_name(void **state)
{
	struct reading reading;
	uint32_t index;

	(void)state;
	write_guests(true, NULL);
	assert_int_equal(read_guests(&reading, GUEST_ALL, GUEST_FILES_NONE), 0);
	assert_int_equal(reading.guests[1].spec.files.count, 0);
	assert_null(guest_specs_find(reading.guests, reading.count, "n4"));
	assert_non_null(guest_specs_find(reading.guests, reading.count, "n3"));
	index = guest_specs_find(reading.guests, reading.count, "n3")->index;
	release(&reading);
	assert_int_equal(read_guests(&reading, index, GUEST_FILES_EMBEDDED), 0);
	assert_int_equal(reading.count, 1);
	assert_guest(&reading.guests[0], 3, kernels[3]);
	release(&reading);
}

static void test_a_name_of_two_is_nobodys(void **state)
{
	struct guest_recorded guests[] = { { .spec.name = strdup("n1") },
					   { .spec.name = strdup("n1") } };

	(void)state;
	assert_null(guest_specs_find(guests, 2, "n1"));
	assert_ptr_equal(guest_specs_find(guests, 1, "n1"), &guests[0]);
	free(guests[0].spec.name);
	free(guests[1].spec.name);
}

/* ---- Traces that make no sense
 * ------------------------------------------------------------------- */

static void write_line(struct trace_writer *writer, uint32_t guest, const char *line)
{
	struct trace_record record = {
		.kind = TRACE_meta, .guest = guest, .payload = line, .payload_size = strlen(line)
	};

	assert_int_equal(trace_writer_append(writer, &record, NULL), 0);
}

/* The result of reading a trace that says these lines about guest 5. */
static int read_lines(const char *const *lines, size_t count)
{
	struct trace_writer *writer;
	struct reading reading;
	int err;

	assert_int_equal(trace_writer_create(trace_path, NULL, &writer), 0);
	write_line(writer, 0, "recorder=somebody");
	for (size_t i = 0; i < count; i++)
		write_line(writer, 5, lines[i]);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	err = read_guests(&reading, GUEST_ALL, GUEST_FILES_NONE);
	assert_true(!err == !reading.why.status);
	release(&reading);
	return err;
}

static void test_lines_that_make_no_sense(void **state)
{
	static const char *const wrong[] = {
		"name",		  "file=/linux",
		"file=755",	  "file=755 ",
		"file=9 /linux",  "file=755 linux",
		"file=-1 /linux", "file=7777777777777 /linux",
		"embedded=/a",	  "source=abc /a",
		"device=1",	  "device=-1 net",
		"device=x net",	  "auxv-random=00",
		"seal=half",	  "id=one",
		"cpu=0",	  "device=4294967296 net",
		"source-size=1",  "virtual-cpu=x",
		"virtual-cpu=",	  "virtual-cpu=5 x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (read_lines(&wrong[i], 1) != -EBADMSG)
			fail_msg("accepted: %s", wrong[i]);
}

static void test_a_file_is_in_one_place(void **state)
{
	static const char *const lines[] = { "file=755 /linux", "embedded=/a", "embedded=/b" };

	(void)state;
	assert_int_equal(read_lines(lines, 3), -EBADMSG);
}

static void test_no_more_devices_than_a_sandbox_has_sockets(void **state)
{
	const char *lines[SANDBOX_DEVICES_MAX + 4] = { "name=n", "file=755 /linux",
						       "argument=linux" };

	(void)state;
	for (size_t i = 3; i < ARRAY_SIZE(lines); i++)
		lines[i] = "device=1 net";
	assert_int_equal(read_lines(lines, ARRAY_SIZE(lines) - 1), 0);
	assert_int_equal(read_lines(lines, ARRAY_SIZE(lines)), -EBADMSG);
}

static void test_descriptions_that_are_not_whole(void **state)
{
	static const char *const lines[] = { "name=n", "file=755 /linux", "argument=linux",
					     "later=unknown" };

	(void)state;
	assert_int_equal(read_lines(lines, 4), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(read_lines(lines, i), -ENOENT);
	assert_int_equal(read_lines(lines + 1, 3), -ENOENT);
}

/* ---- Memory on this machine -------------------------------------------------------------------
 */

static void test_memory_of_a_virtual_processor(void **state)
{
	static const struct {
		struct cpu_identity was, is;
		enum guest_memory memory;
		const char *reason;
	} cases[] = {
		{ { 0, 1, 5, "A", true }, { 0, 1, 5, "A", true }, GUEST_MEMORY_SAME, "" },
		{ { 0, 1, 5, "A", true }, { 3, 2, 5, "A", true }, GUEST_MEMORY_SAME, "" },
		{ { 0, 1, 5, "A", true },
		  { 0, 1, 5, "B", true },
		  GUEST_MEMORY_LIKELY,
		  "recorded on a different CPU model: A, this is B" },
		{ { 0, 1, 5, "A", true },
		  { 0, 1, 6, "A", true },
		  GUEST_MEMORY_DIFFERENT,
		  "recorded on a different CPU model: A, this is A" },
		{ { 0, 1, 5, "A", true },
		  { 0, 1, 5, "A", false },
		  GUEST_MEMORY_DIFFERENT,
		  "recorded with the guest patches' CPUID, which this machine cannot replace" },
		{ { 0, 1, 5, "A", false }, { 0, 1, 5, "A", true }, GUEST_MEMORY_SAME, "" },
		{ { 0, 1, 5, "A", false },
		  { 3, 1, 5, "A", true },
		  GUEST_MEMORY_DIFFERENT,
		  "recorded on CPU 0, which this process may not use" },
	};
	struct guest_recorded guest = { .origin = { .isolation = ISOLATION_FULL,
						    .layout = SANDBOX_LAYOUT } };
	char reason[192];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		guest.origin.cpu = cases[i].was;
		assert_int_equal(guest_judge_memory(&guest, &cases[i].is, ISOLATION_FULL, reason,
						    sizeof(reason)),
				 cases[i].memory);
		assert_string_equal(reason, cases[i].reason);
	}
	/* What a sandbox lacks weighs more than what another model may do. */
	guest.origin.cpu = cases[2].was;
	assert_int_equal(guest_judge_memory(&guest, &cases[2].is, ISOLATION_FULL & ~ISOLATION_ASLR,
					    reason, sizeof(reason)),
			 GUEST_MEMORY_DIFFERENT);
	assert_non_null(strstr(reason, "more isolation"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_come_back_and_share_what_is_equal),
		cmocka_unit_test(test_names_of_embedded_files_differ),
		cmocka_unit_test(test_files_that_are_not_embedded_are_found_and_compared),
		cmocka_unit_test(test_files_of_this_machine_need_trust),
		cmocka_unit_test(test_what_is_not_the_recorded_file_is_not_read),
		cmocka_unit_test(test_no_hash_of_a_foreign_file_is_said),
		cmocka_unit_test(test_one_is_found_by_its_name),
		cmocka_unit_test(test_a_name_of_two_is_nobodys),
		cmocka_unit_test(test_lines_that_make_no_sense),
		cmocka_unit_test(test_a_file_is_in_one_place),
		cmocka_unit_test(test_no_more_devices_than_a_sandbox_has_sockets),
		cmocka_unit_test(test_descriptions_that_are_not_whole),
		cmocka_unit_test(test_memory_of_a_virtual_processor),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
