// SPDX-License-Identifier: BSD-3-Clause
/* The doctor reads a host's settings right and names the right cause. */
#include <errno.h>
#include <limits.h>
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
#include "recorder/doctor/doctor.h"

/* ---- A host made of files -------------------------------------------------------------------- */

static int make_host(void **state)
{
	static char root[] = "/tmp/test-doctor-XXXXXX";

	memcpy(strrchr(root, '-'), "-XXXXXX", 7);
	*state = mkdtemp(root);
	return *state ? 0 : -1;
}

static int remove_host(void **state)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	return system(command);
}

/* A file of the host and the directories it is in. */
static void write_host_file(const char *root, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_absent_settings_are_unknown(void **state)
{
	struct host_settings settings;

	host_read_settings(*state, &settings);
	assert_int_equal(settings.userns_clone, HOST_UNKNOWN);
	assert_int_equal(settings.max_user_namespaces, HOST_UNKNOWN);
	assert_int_equal(settings.apparmor_userns, HOST_UNKNOWN);
	assert_int_equal(settings.ptrace_scope, HOST_UNKNOWN);
	assert_false(settings.filtered);
	assert_null(settings.container);
	assert_string_equal(settings.apparmor, "");
	assert_int_equal(settings.version, 0);
}

static void test_settings_are_read(void **state)
{
	struct host_settings settings;

	write_host_file(*state, "/proc/sys/kernel/unprivileged_userns_clone", "0\n");
	write_host_file(*state, "/proc/sys/user/max_user_namespaces", "96365\n");
	write_host_file(*state, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
	write_host_file(*state, "/proc/sys/kernel/yama/ptrace_scope", "2");
	write_host_file(*state, "/proc/sys/kernel/osrelease", "6.8.0-31-generic\n");
	host_read_settings(*state, &settings);
	assert_int_equal(settings.userns_clone, 0);
	assert_int_equal(settings.max_user_namespaces, 96365);
	assert_int_equal(settings.apparmor_userns, 1);
	assert_int_equal(settings.ptrace_scope, 2);
	assert_string_equal(settings.release, "6.8.0-31-generic");
	assert_int_equal(settings.version, HOST_LINUX(6, 8, 0));
}

static void test_nonsense_is_unknown(void **state)
{
	static const char *const nonsense[] = { "", "\n", "yes\n", "-1\n", "1 2\n" };
	struct host_settings settings;

	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		write_host_file(*state, "/proc/sys/kernel/yama/ptrace_scope", nonsense[i]);
		host_read_settings(*state, &settings);
		assert_int_equal(settings.ptrace_scope, HOST_UNKNOWN);
	}
}

static void test_filter_is_seen(void **state)
{
	struct host_settings settings;

	write_host_file(*state, "/proc/self/status",
			"Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t2\n");
	host_read_settings(*state, &settings);
	assert_false(settings.filtered);
	write_host_file(*state, "/proc/self/status",
			"Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
	host_read_settings(*state, &settings);
	assert_true(settings.filtered);
}

static void test_apparmor_counts_when_it_enforces(void **state)
{
	static const struct {
		const char *text, *profile;
	} table[] = {
		{ "docker-default (enforce)\n", "docker-default" },
		{ "docker-default (complain)\n", "" },
		{ "unconfined\n", "" },
		{ "", "" },
	};
	struct host_settings settings;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		write_host_file(*state, "/proc/self/attr/current", table[i].text);
		host_read_settings(*state, &settings);
		assert_string_equal(settings.apparmor, table[i].profile);
	}
}

static void test_containers_are_told_by_their_files(void **state)
{
	struct host_settings settings;

	write_host_file(*state, "/proc/1/cgroup", "0::/init.scope\n");
	host_read_settings(*state, &settings);
	assert_null(settings.container);
	write_host_file(*state, "/proc/1/cgroup", "12:cpu:/docker/3f1c\n0::/\n");
	host_read_settings(*state, &settings);
	assert_string_equal(settings.container, "Docker");
	write_host_file(*state, "/proc/1/cgroup", "0::/kubepods.slice/pod1\n");
	host_read_settings(*state, &settings);
	assert_string_equal(settings.container, "a container");
	write_host_file(*state, "/run/.containerenv", "");
	host_read_settings(*state, &settings);
	assert_string_equal(settings.container, "Podman");
	write_host_file(*state, "/.dockerenv", "");
	host_read_settings(*state, &settings);
	assert_string_equal(settings.container, "Docker");
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(host_parse_version("6.12.48"), HOST_LINUX(6, 12, 48));
	assert_int_equal(host_parse_version("6.12-rc3"), HOST_LINUX(6, 12, 0));
	assert_int_equal(host_parse_version("5.10.223-um"), HOST_LINUX(5, 10, 223));
	assert_true(host_parse_version("4.19.325") < HOST_LINUX(4, 20, 0));
	assert_int_equal(host_parse_version("unknown"), 0);
	assert_int_equal(host_parse_version(""), 0);
}

/* ---- Causes ---------------------------------------------------------------------------------- */

/* A host on which nothing is known and everything works. */
static struct doctor_host healthy_host(void)
{
	return (struct doctor_host){ .settings = { .userns_clone = HOST_UNKNOWN,
						   .max_user_namespaces = HOST_UNKNOWN,
						   .apparmor_userns = HOST_UNKNOWN,
						   .ptrace_scope = HOST_UNKNOWN } };
}

static void assert_cause(const struct doctor_host *host, enum isolation_part part, const char *why,
			 const char *advice)
{
	const struct doctor_cause *cause = doctor_explain(part, host);

	assert_non_null(cause);
	if (!strstr(cause->why, why) || !strstr(cause->advice, advice))
		fail_msg("'%s', '%s' are not about '%s', '%s'", cause->why, cause->advice, why,
			 advice);
}

static void test_health_has_no_cause(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	for (unsigned int part = 0; part < ISOLATION_COUNT; part++)
		assert_null(doctor_explain(part, &host));
}

static void test_each_setting_is_a_cause(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.trial[HOST_TRIAL_USERNS] = host.trial[HOST_TRIAL_MAP] = -EPERM;
	host.settings.userns_clone = 0;
	assert_cause(&host, ISOLATION_USER_BIT, "unprivileged_userns_clone is 0", "_clone=1");
	assert_cause(&host, ISOLATION_NET_BIT, "unprivileged_userns_clone is 0", "_clone=1");

	host = healthy_host();
	host.trial[HOST_TRIAL_USERNS] = -ENOSPC;
	assert_cause(&host, ISOLATION_PID_BIT, "the limit of user namespaces",
		     "max_user_namespaces");
	host.settings.max_user_namespaces = 0;
	assert_cause(&host, ISOLATION_PID_BIT, "max_user_namespaces is 0", "sysctl -w");

	host = healthy_host();
	host.trial[HOST_TRIAL_MAP] = -EPERM;
	assert_cause(&host, ISOLATION_USER_BIT, "uid_map", "as root");
	host.settings.bare_root = true;
	assert_cause(&host, ISOLATION_USER_BIT, "CAP_SETFCAP", "--user 1000");
}

static void test_ubuntu_lets_namespaces_be_made_but_not_used(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.settings.apparmor_userns = 1;
	host.trial[HOST_TRIAL_MAP] = host.trial[HOST_TRIAL_MOUNT] = -EACCES;
	assert_cause(&host, ISOLATION_USER_BIT, "apparmor_restrict", "userns=0");
	/* A container with the project's profile there: its filter is not to blame. */
	host.settings.container = "Docker";
	host.settings.filtered = true;
	assert_cause(&host, ISOLATION_USER_BIT, "apparmor_restrict", "on the machine itself");
}

static void test_docker_refuses_by_filter(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.settings.container = "Docker";
	host.settings.filtered = true;
	host.settings.apparmor_userns = 1;
	host.trial[HOST_TRIAL_USERNS] = host.trial[HOST_TRIAL_MAP] = -EPERM;
	host.trial[HOST_TRIAL_HEAP] = -EPERM;
	assert_cause(&host, ISOLATION_USER_BIT, "container's seccomp filter",
		     "docker-seccomp.json");
	host.settings.container = NULL;
	assert_cause(&host, ISOLATION_USER_BIT, "a seccomp filter", "sandbox");
	assert_cause(&host, ISOLATION_ASLR_BIT, "a seccomp filter", "sandbox");
}

static void test_docker_refuses_mount_by_apparmor(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.settings.container = "Docker";
	host.settings.filtered = true;
	strcpy(host.settings.apparmor, "docker-default");
	host.trial[HOST_TRIAL_MOUNT] = -EACCES;
	assert_null(doctor_explain(ISOLATION_USER_BIT, &host));
	assert_cause(&host, ISOLATION_MOUNT_BIT, "AppArmor", "apparmor=unconfined");
	host.trial[HOST_TRIAL_MOUNT] = -EPERM;
	assert_cause(&host, ISOLATION_MOUNT_BIT, "seccomp filter", "docker-seccomp.json");
}

static void test_addresses_need_space_and_a_call(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.trial[HOST_TRIAL_HEAP] = -EPERM;
	assert_cause(&host, ISOLATION_ASLR_BIT, "no prctl", "CONFIG_CHECKPOINT_RESTORE");
	assert_cause(&host, ISOLATION_AUXV_BIT, "no prctl", "CONFIG_CHECKPOINT_RESTORE");
	host.trial[HOST_TRIAL_SPACE] = -ENOMEM;
	assert_cause(&host, ISOLATION_ASLR_BIT, "address space is limited", "ulimit -v");
}

static void test_listeners(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.trial[HOST_TRIAL_LISTENER] = -EBUSY;
	assert_cause(&host, ISOLATION_ENTROPY_BIT, "with a listener", "outside");
	host.trial[HOST_TRIAL_LISTENER] = -EINVAL;
	host.settings.version = HOST_LINUX(4, 19, 0);
	assert_cause(&host, ISOLATION_ENTROPY_BIT, "no seccomp user notification", "5.9");
}

static void test_a_refusal_nobody_admits_has_a_cause(void **state)
{
	struct doctor_host host = healthy_host();

	(void)state;
	host.trial[HOST_TRIAL_USERNS] = -EPERM;
	assert_cause(&host, ISOLATION_USER_BIT, "chroot", "as root");
	host.trial[HOST_TRIAL_USERNS] = -EINVAL;
	assert_cause(&host, ISOLATION_USER_BIT, "has no user namespaces", "CONFIG_USER_NS");
}

/* ---- Trials: whatever this machine answers, it is an answer ---------------------------------- */

static void test_trials_answer_twice_the_same(void **state)
{
	(void)state;
	for (unsigned int trial = 0; trial < HOST_TRIAL_COUNT; trial++) {
		int first = host_try(trial);

		assert_true(first <= 0);
		assert_int_equal(first, host_try(trial));
		assert_true(strlen(host_trial_text(trial)) > 0);
	}
}

static void test_directories(void **state)
{
	struct host_directory directory;

	assert_int_equal(host_read_directory(*state, &directory), 0);
	assert_true(directory.free_bytes > 0);
	assert_int_equal(host_read_directory("/nonexistent", &directory), -ENOENT);
}

#define host_test(name) cmocka_unit_test_setup_teardown(name, make_host, remove_host)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		host_test(test_absent_settings_are_unknown),
		host_test(test_settings_are_read),
		host_test(test_nonsense_is_unknown),
		host_test(test_filter_is_seen),
		host_test(test_apparmor_counts_when_it_enforces),
		host_test(test_containers_are_told_by_their_files),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_health_has_no_cause),
		cmocka_unit_test(test_each_setting_is_a_cause),
		cmocka_unit_test(test_ubuntu_lets_namespaces_be_made_but_not_used),
		cmocka_unit_test(test_docker_refuses_by_filter),
		cmocka_unit_test(test_docker_refuses_mount_by_apparmor),
		cmocka_unit_test(test_addresses_need_space_and_a_call),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_a_refusal_nobody_admits_has_a_cause),
		cmocka_unit_test(test_trials_answer_twice_the_same),
		host_test(test_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
