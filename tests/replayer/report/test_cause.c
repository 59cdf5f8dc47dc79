// SPDX-License-Identifier: BSD-3-Clause
/* What a divergence may come from: each known reason is found where it is, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/sandbox/isolation.h"
#include "replayer/report/cause.h"

struct scene {
	struct guest_recorded started;
	struct replay_outcome outcome;
	struct replay_guest guest;
};

/* The causes of the last scene. */
static struct findings found;

/* Of kernels, as far as it matters here: one with the patches, stripped; one without. */
static char patched_text[] = "um_work_cost=", plain_text[] = "Linux version 6.12.0";
static struct image_file patched = { .data = patched_text, .size = sizeof(patched_text) };
static struct image_file plain = { .data = plain_text, .size = sizeof(plain_text) };

/* A divergence that nothing explains. */
static void set_scene(struct scene *scene)
{
	static const struct cpu_identity cpu = { .number = 1, .cpuid = 7, .model = "Some CPU" };

	memset(scene, 0, sizeof(*scene));
	scene->started.origin = (struct guest_origin){ .isolation = ISOLATION_FULL, .cpu = cpu };
	scene->outcome = (struct replay_outcome){ .finished = true,
						  .isolation = ISOLATION_FULL,
						  .cpu = cpu };
	scene->outcome.report = (struct cursor_report){
		.diverged = true, .messages = 1234, .digests = 5, .expected = "WAIT", .got = "GET"
	};
	scene->started.spec.files = (struct image_files){ .file = &patched, .count = 1 };
	scene->guest = (struct replay_guest){ .name = "n1",
					      .started = &scene->started,
					      .outcome = &scene->outcome };
}

static void find(struct scene *scene)
{
	findings_release(&found);
	causes_find(&scene->guest, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct finding *cause = &found.list[i];

		assert_int_equal(finding_info(cause->code)->severity, FINDING_CAUSE);
		assert_int_not_equal(strlen(cause->text), 0);
		assert_int_not_equal(strlen(cause->hint), 0);
		/* None is cut off. */
		assert_true(strlen(cause->text) < sizeof(cause->text) - 1);
		assert_true(strlen(cause->hint) < sizeof(cause->hint) - 1);
	}
}

static void assert_cause(size_t index, enum finding_code code, const char *evidence)
{
	assert_true(index < found.count);
	assert_string_equal(finding_info(found.list[index].code)->code, finding_info(code)->code);
	assert_non_null(strstr(found.list[index].text, evidence));
}

static void test_nothing_known_is_said(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_UNKNOWN,
		     "1,234 messages and 5 memory digests before it were the same");
}

static void test_processors_are_compared(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	strcpy(scene.outcome.cpu.model, "Other\033 CPU");
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_OTHER_MODEL, "recorded on Some CPU, this is Other? CPU");
	set_scene(&scene);
	scene.outcome.cpu.number = 3;
	find(&scene);
	assert_cause(0, FOUND_OTHER_CPU, "recorded on CPU 1, replayed on CPU 3");
	set_scene(&scene);
	scene.outcome.cpu.cpuid = 8;
	find(&scene);
	assert_cause(0, FOUND_OTHER_CPUID, "0000000000000008");
}

static void test_each_missing_part_of_the_isolation_counts(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.started.origin.isolation =
		ISOLATION_FULL & ~(unsigned int)(ISOLATION_ASLR | ISOLATION_ENTROPY);
	scene.outcome.isolation = scene.started.origin.isolation & ~(unsigned int)ISOLATION_PID;
	find(&scene);
	assert_int_equal(found.count, 3);
	assert_cause(0, FOUND_RECORDED_ISOLATION, "aslr: ");
	assert_cause(1, FOUND_RECORDED_ISOLATION, "entropy: ");
	assert_cause(2, FOUND_REPLAY_ISOLATION, "pid: ");
	/* What only protects the host changes nothing; without a CPU of its own none is compared.
	 */
	scene.started.origin.isolation = 0;
	scene.outcome.cpu.cpuid = 8;
	find(&scene);
	assert_int_equal(found.count, 5);
	scene.started.origin.isolation = ISOLATION_FULL & ~(unsigned int)ISOLATION_NET;
	scene.outcome.cpu.cpuid = 7;
	scene.outcome.isolation = ISOLATION_FULL;
	find(&scene);
	assert_cause(0, FOUND_UNKNOWN, "");
}

static void test_there_are_no_more_than_fit(void **state)
{
	char disk[] = "ubd0=/tmp/x";
	char *arguments[2 * CAUSES_MAX + 1] = { NULL };
	struct scene scene;

	(void)state;
	set_scene(&scene);
	for (size_t i = 0; i < 2 * CAUSES_MAX; i++)
		arguments[i] = disk;
	scene.started.spec.arguments = arguments;
	find(&scene);
	assert_int_equal(found.count, CAUSES_MAX);
}

static void test_allowed_arguments_are_named(void **state)
{
	char linux_word[] = "linux", disk[] = "ubd0=/tmp/x",
	     ours[] = "virtio_uml.device={room}/dev0:1";
	char *arguments[] = { linux_word, ours, disk, NULL };
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.started.spec.arguments = arguments;
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_ALLOWED_ARGUMENT, "the kernel argument ubd0=/tmp/x: ");
	assert_non_null(strstr(found.list[0].hint, "without --allow ubd"));
}

static void test_ends_are_explained(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	strcpy(scene.outcome.report.got, "nothing: it is computing");
	find(&scene);
	assert_cause(0, FOUND_SILENT, "--hang-timeout");
	set_scene(&scene);
	strcpy(scene.outcome.report.got, "its end by signal 7");
	find(&scene);
	assert_cause(0, FOUND_KILLED, "its end by signal 7");
	set_scene(&scene);
	strcpy(scene.outcome.report.got, "its end by signal 11");
	find(&scene);
	assert_cause(0, FOUND_UNKNOWN, "");
}

/* Of a kernel that keeps the counter from programs, random numbers are left. */
static void test_memory_alone_points_to_a_program(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.outcome.report.memory =
		(struct cursor_memory){ .differs = true, .region = MEMORY_RAM };
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_RANDOM, "guest's RAM");
	/* Not where something else is known. */
	scene.outcome.report.flipped = true;
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_FLIPPED_BIT, "--flip-bit");
}

static void test_a_kernel_without_the_patches_is_named(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.started.spec.files.file = &plain;
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_COUNTER, "its kernel lets programs read this machine's counter");
	assert_non_null(strstr(found.list[0].hint, "build-uml.sh"));
}

static struct guest_suspect suspect(const char *name, uint32_t pid, bool current,
				    enum instruction instruction)
{
	struct guest_suspect suspect = {
		.process = { .pid = pid, .host = 4711, .current = current },
		.instruction = instruction,
		.address = 0x401234
	};

	snprintf(suspect.process.name, sizeof(suspect.process.name), "%s", name);
	return suspect;
}

static void test_programs_are_named_with_their_instructions(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.outcome.report.suspect[0] = suspect("go\033", 7, true, INSTRUCTION_RDTSCP);
	scene.outcome.report.suspect[1] = suspect("", 0, false, INSTRUCTION_RDTSC);
	scene.outcome.report.suspect[2] = suspect("app", 9, false, INSTRUCTION_RDSEED);
	scene.outcome.report.suspects = 3;
	find(&scene);
	assert_int_equal(found.count, 2);
	assert_cause(
		0, FOUND_COUNTER,
		"'go?' (pid 7), which was running, has rdtscp at 0x401234; a process (pid 4711 "
		"of the host) has rdtsc at 0x401234");
	assert_cause(1, FOUND_RANDOM,
		     "'app' (pid 9) has rdseed at 0x401234 in code that it has mapped");
	/* That is no reason for what was done on purpose. */
	scene.outcome.report.flipped = true;
	find(&scene);
	assert_int_equal(found.count, 1);
}

/* Where nobody is left who has one, the initrd has it. */
static void test_programs_that_ended_are_named_by_their_files(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.outcome.report.suspect[0] = (struct guest_suspect){ .instruction = INSTRUCTION_RDRAND,
								  .address = 0x401234,
								  .file = "bin/dice",
								  .function = "roll" };
	scene.outcome.report.suspects = 1;
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_cause(0, FOUND_RANDOM, "bin/dice in its initrd has rdrand at 0x401234, roll");
	assert_null(strstr(found.list[0].text, "mapped"));
}

/* Text that does not fit is cut, not written elsewhere. */
static void test_long_names_fit(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	for (size_t i = 0; i < GUEST_SUSPECTS_MAX; i++) {
		scene.outcome.report.suspect[i] =
			suspect("fifteen-letters", UINT32_MAX, true, INSTRUCTION_RDRAND);
		scene.outcome.report.suspect[i].address = UINT64_MAX;
	}
	scene.outcome.report.suspects = GUEST_SUSPECTS_MAX;
	find(&scene);
	assert_int_equal(found.count, 1);
	assert_non_null(strstr(found.list[0].text, "fifteen-letters"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known_is_said),
		cmocka_unit_test(test_processors_are_compared),
		cmocka_unit_test(test_each_missing_part_of_the_isolation_counts),
		cmocka_unit_test(test_there_are_no_more_than_fit),
		cmocka_unit_test(test_allowed_arguments_are_named),
		cmocka_unit_test(test_ends_are_explained),
		cmocka_unit_test(test_memory_alone_points_to_a_program),
		cmocka_unit_test(test_a_kernel_without_the_patches_is_named),
		cmocka_unit_test(test_programs_are_named_with_their_instructions),
		cmocka_unit_test(test_programs_that_ended_are_named_by_their_files),
		cmocka_unit_test(test_long_names_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
