// SPDX-License-Identifier: BSD-3-Clause
/* A guest's command line: what is added to the user's own, where, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/guest/guest.h"
#include "kernel/guest/guest_arguments.h"

/* What a kernel says of itself. */
static const char *banner = "Linux version 6.1.192 (a@b)";

static int build(const struct guest_arguments_options *options, char ***arguments, bool *host_files,
		 struct diagnosis *why)
{
	struct image_files files = { 0 };
	int err = image_files_add(&files, "/linux", 0755, strdup(banner), strlen(banner) + 1);

	assert_int_equal(err, 0);
	*why = (struct diagnosis){ 0 };
	*arguments = NULL;
	err = guest_arguments_build(options, &files, arguments, host_files, why);
	image_files_free(&files);
	return err;
}

static int position(char **arguments, const char *text)
{
	for (int i = 0; arguments[i]; i++)
		if (!strcmp(arguments[i], text))
			return i;
	return -1;
}

static void test_devices_in_their_order_before_those_of_init(void **state)
{
	const char *user[] = { "mem=64M", "--", "one", NULL };
	const struct guest_device device[] = { { .virtio_id = 1 }, { .virtio_id = 19 } };
	struct guest_arguments_options options = { .user = (char **)user,
						   .device = device,
						   .device_count = 2 };
	struct diagnosis why;
	char **arguments;
	bool host_files;
	int first;

	(void)state;
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	first = position(arguments, "virtio_uml.device={room}/run/dev0:1");
	assert_true(first > position(arguments, "mem=64M"));
	assert_int_equal(position(arguments, "virtio_uml.device={room}/run/dev1:19"), first + 1);
	assert_true(position(arguments, "--") > first + 1);
	assert_true(position(arguments, "one") > position(arguments, "--"));
	assert_false(host_files);
	guest_arguments_free(arguments);
}

/* A replay has another working directory. Other values stay. */
static void test_paths_of_hostfs_are_absolute(void **state)
{
	const char *user[] = { "rootfstype=hostfs", "rootflags=.", "hostfs=/etc", "data=.", NULL };
	const char *other[] = { "rootfstype=ext4", "rootflags=noload", NULL };
	const char *allow[] = { "hostfs", NULL }, *before = banner;
	struct guest_arguments_options options = { .user = (char **)user, .allow = allow };
	char **arguments, expected[4200], here[4096];
	struct diagnosis why;
	bool host_files;

	(void)state;
	assert_int_equal(build(&options, &arguments, &host_files, &why), -ENOTSUP);
	assert_non_null(strstr(why.what, "the kernel has none: CONFIG_HOSTFS is not set"));
	banner = "Linux version 6.1.192 (a@b) hostfs";
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	assert_true(host_files);
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(expected, sizeof(expected), "rootflags=%s", here);
	assert_true(position(arguments, expected) > 0);
	assert_true(position(arguments, "hostfs=/etc") > 0);
	assert_true(position(arguments, "data=.") > 0);
	guest_arguments_free(arguments);
	options.user = (char **)other;
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	assert_true(position(arguments, "rootflags=noload") > 0);
	guest_arguments_free(arguments);
	banner = before;
}

static bool sends_without_napi(const char *release, uint32_t virtio_id)
{
	const char *user[] = { NULL };
	const struct guest_device device[] = { { .virtio_id = virtio_id } };
	struct guest_arguments_options options = { .user = (char **)user,
						   .device = device,
						   .device_count = 1 };
	struct diagnosis why;
	char **arguments;
	bool host_files, found;

	banner = release;
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	found = position(arguments, "virtio_net.napi_tx=0") >= 0;
	guest_arguments_free(arguments);
	return found;
}

static void test_napi_for_sending_is_off_where_it_may_be(void **state)
{
	(void)state;
	assert_true(sends_without_napi("Linux version 6.1.192 (a@b)", 1));
	assert_true(sends_without_napi("Linux version 7.2.12 (a@b)", 1));
	assert_false(sends_without_napi("Linux version 6.12.117 (a@b)", 1));
	assert_false(sends_without_napi("Linux version 6.1.192 (a@b)", 2));
}

static void test_inf_cpu_is_what_a_guest_has(void **state)
{
	const char *user[] = { "quiet", "time-travel=inf-cpu", NULL };
	struct guest_arguments_options options = { .user = (char **)user };
	struct diagnosis why;
	char **arguments;
	bool host_files;

	(void)state;
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	assert_true(position(arguments, "quiet") > 0);
	assert_true(position(arguments, "time-travel=inf-cpu") < 0);
	guest_arguments_free(arguments);
}

static void test_all_that_is_refused_is_named(void **state)
{
	char *user[] = { (char *)"ubd0=a", (char *)"quiet",	 (char *)"time-travel",
			 (char *)"ubd1=b", (char *)"uml_dir=/x", NULL };
	const char *allow[] = { "ubd", NULL };
	struct diagnosis why;

	(void)state;
	assert_int_equal(guest_arguments_check(user, NULL, &why), -EINVAL);
	assert_non_null(strstr(why.what, "ubd0=a"));
	assert_non_null(strstr(why.what, "time-travel breaks"));
	assert_non_null(strstr(why.what, "ubd1=b"));
	assert_non_null(strstr(why.what, "uml_dir=/x"));
	assert_null(strstr(why.what, "quiet"));
	assert_non_null(strstr(why.advice, "--allow ubd"));
	assert_int_equal(guest_arguments_check(user, allow, &why), -EINVAL);
	assert_null(strstr(why.what, "ubd0=a"));
	user[2] = user[4] = (char *)"quiet";
	assert_int_equal(guest_arguments_check(user, allow, &why), 0);
}

static void refuse(const char *argument)
{
	const char *user[] = { argument, NULL };
	const char *allow[] = { "virtio", NULL };
	struct guest_arguments_options options = { .user = (char **)user };
	struct diagnosis why;
	char **arguments;
	bool host_files;

	assert_int_equal(build(&options, &arguments, &host_files, &why), -EINVAL);
	assert_int_equal(why.status, EXIT_USAGE);
	assert_non_null(strstr(why.what, argument));
	assert_non_null(strstr(why.advice, "lab file"));
	options.allow = allow;
	assert_int_equal(build(&options, &arguments, &host_files, &why), 0);
	assert_true(host_files);
	assert_true(position(arguments, argument) > 0);
	guest_arguments_free(arguments);
}

static void test_devices_of_their_own_are_refused(void **state)
{
	(void)state;
	refuse("virtio_uml.device=/tmp/socket:1");
	refuse("virtio-uml.device=/tmp/socket:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_of_hostfs_are_absolute),
		cmocka_unit_test(test_devices_in_their_order_before_those_of_init),
		cmocka_unit_test(test_napi_for_sending_is_off_where_it_may_be),
		cmocka_unit_test(test_devices_of_their_own_are_refused),
		cmocka_unit_test(test_inf_cpu_is_what_a_guest_has),
		cmocka_unit_test(test_all_that_is_refused_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
