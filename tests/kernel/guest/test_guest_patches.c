// SPDX-License-Identifier: BSD-3-Clause
/* What work may cost a guest, as users write it; kernels without the patches. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/guest/guest_arguments.h"
#include "kernel/guest/guest_patches.h"

static void test_costs_that_are_one(void **state)
{
	static const char *const good[] = { "off",	 "0,0",	    GUEST_WORK_DEFAULT,
					    "250,500,1", "1,2,3,4", "2147483647,0" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(guest_work_check(good[i]), 0);
}

static void test_costs_that_are_none(void **state)
{
	static const char *const bad[] = { "",		"250",
					   "250,",	",500",
					   "250,-1",	"250,+1",
					   "250,500,0", "250,500,1,0",
					   "1,2,3,4,5", "2147483648,0",
					   "250 ,500",	"on",
					   "1,2x",	"99999999999999999999,1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(guest_work_check(bad[i]), -EINVAL);
}

static void test_costs_are_completed(void **state)
{
	static const char *const given[][2] = {
		{ "off", "off" },
		{ "1,2", "1,2,256,250000" },
		{ "000000000000000000000000000000000000000000000000000001,2", "1,2,256,250000" },
		{ "1,2,3", "1,2,3,250000" },
		{ "1,2,3,4", "1,2,3,4" },
		{ GUEST_WORK_DEFAULT, GUEST_WORK_DEFAULT },
		{ "2147483647,2147483647,2147483647,2147483647",
		  "2147483647,2147483647,2147483647,2147483647" },
	};
	char whole[GUEST_WORK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		guest_work_complete(given[i][0], whole);
		assert_string_equal(whole, given[i][1]);
	}
}

/* What is no ELF file has no symbols, hence no patches: a cost that was asked for is refused. */
static void test_kernel_without_patches(void **state)
{
	char *const user[] = { NULL };
	struct guest_arguments_options options = { .user = user, .work_cost = GUEST_WORK_DEFAULT };
	struct image_files files = { 0 };
	struct diagnosis why = { 0 };
	char **arguments;
	bool host_files;

	(void)state;
	assert_int_equal(image_files_add(&files, "/linux", 0755, strdup("no ELF"), 6), 0);
	assert_int_equal(guest_patches(&files.file[0]), 0);
	assert_int_equal(guest_arguments_build(&options, &files, &arguments, &host_files, &why), 0);
	for (size_t i = 0; arguments[i]; i++)
		assert_null(strstr(arguments[i], GUEST_WORK_PARAMETER));
	guest_arguments_free(arguments);
	options.work_cost_given = true;
	assert_int_equal(guest_arguments_build(&options, &files, &arguments, &host_files, &why),
			 -ENOTSUP);
	assert_int_equal(why.status, EXIT_CANNOT);
	image_files_free(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_costs_that_are_one),
		cmocka_unit_test(test_costs_that_are_none),
		cmocka_unit_test(test_costs_are_completed),
		cmocka_unit_test(test_kernel_without_patches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
