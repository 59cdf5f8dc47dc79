// SPDX-License-Identifier: BSD-3-Clause
/* Where guests are replayed: on their CPU, in their order, elsewhere only if that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "replayer/plan/replay_plan.h"

#define GUESTS_MAX 16

struct scene {
	struct replay_lab lab;
	struct replay_guest guest[GUESTS_MAX];
	struct guest_recorded started[GUESTS_MAX];
	struct replay_plan plan;
	cpu_set_t allowed;
};

/* Guests that were recorded on @cpus, a digit each, planned for the CPUs @allowed. */
static void make(struct scene *scene, const char *cpus, const char *allowed)
{
	memset(scene, 0, sizeof(*scene));
	scene->lab.guest = scene->guest;
	scene->lab.count = strlen(cpus);
	for (size_t i = 0; i < scene->lab.count; i++) {
		scene->started[i].spec.cpu = (unsigned int)(cpus[i] - '0');
		scene->guest[i].wanted = true;
		scene->guest[i].started = &scene->started[i];
	}
	for (; *allowed; allowed++)
		CPU_SET((size_t)(*allowed - '0'), &scene->allowed);
}

static void plan(struct scene *scene)
{
	assert_int_equal(replay_plan_make(&scene->lab, &scene->allowed, &scene->plan), 0);
}

static void assert_lane(const struct scene *scene, size_t number, unsigned int cpu,
			const char *guests)
{
	const struct replay_lane *lane = &scene->plan.lane[number];

	assert_true(number < scene->plan.count);
	assert_int_equal(lane->cpu, cpu);
	assert_int_equal(lane->count, strlen(guests));
	for (size_t i = 0; i < lane->count; i++) {
		assert_ptr_equal(lane->guest[i], &scene->guest[guests[i] - '0']);
		assert_int_equal(lane->guest[i]->cpu, cpu);
	}
}

static void test_each_guest_goes_to_its_cpu(void **state)
{
	struct scene scene;

	(void)state;
	make(&scene, "01101", "01");
	plan(&scene);
	assert_int_equal(scene.plan.count, 2);
	assert_lane(&scene, 0, 0, "03");
	assert_lane(&scene, 1, 1, "124");
	replay_plan_free(&scene.plan);
}

static void test_a_missing_cpu_is_replaced_by_the_least_busy(void **state)
{
	struct scene scene;

	(void)state;
	make(&scene, "700701", "012");
	plan(&scene);
	assert_int_equal(scene.plan.count, 3);
	assert_lane(&scene, 0, 0, "124");
	assert_lane(&scene, 1, 1, "53");
	assert_lane(&scene, 2, 2, "0");
	replay_plan_free(&scene.plan);
	/* None of them is there: side by side anyway. */
	make(&scene, "8888", "13");
	plan(&scene);
	assert_lane(&scene, 0, 1, "02");
	assert_lane(&scene, 1, 3, "13");
	replay_plan_free(&scene.plan);
}

static void test_only_those_run_that_are_wanted_and_can(void **state)
{
	struct scene scene;

	(void)state;
	make(&scene, "0000", "0");
	scene.guest[1].wanted = false;
	strcpy(scene.guest[2].unreplayable, "a device of somebody else");
	plan(&scene);
	assert_int_equal(scene.plan.count, 1);
	assert_lane(&scene, 0, 0, "03");
	replay_plan_free(&scene.plan);
	scene.guest[0].wanted = scene.guest[3].wanted = false;
	plan(&scene);
	assert_int_equal(scene.plan.count, 0);
	replay_plan_free(&scene.plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_guest_goes_to_its_cpu),
		cmocka_unit_test(test_a_missing_cpu_is_replaced_by_the_least_busy),
		cmocka_unit_test(test_only_those_run_that_are_wanted_and_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
