// SPDX-License-Identifier: BSD-3-Clause
/* Lab files for tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/recorder/lab/lab_sample.h"

static char directory[] = "/tmp/test-lab-XXXXXX";

int lab_sample_setup(void **state)
{
	*state = mkdtemp(directory);
	return *state ? chdir(directory) : -1;
}

int lab_sample_teardown(void **state)
{
	(void)state;
	unlink("lab.yaml");
	return chdir("/") || rmdir(directory);
}

int lab_sample_load(const char *text, size_t size, struct lab **lab, struct diagnosis *why)
{
	FILE *file = fopen("lab.yaml", "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	*why = (struct diagnosis){ 0 };
	return lab_load("lab.yaml", lab, why);
}

char *lab_sample_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t got;

	assert_non_null(file);
	got = getdelim(&text, &room, '\0', file);
	assert_true(got > 0);
	fclose(file);
	*size = (size_t)got;
	return text;
}
