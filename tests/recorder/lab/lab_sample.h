/* SPDX-License-Identifier: BSD-3-Clause */
/* Lab files for tests: those in tests/recorder/lab/labs, and texts written for the occasion. */
#ifndef TTREC_TEST_LAB_SAMPLE_H
#define TTREC_TEST_LAB_SAMPLE_H

#include <stddef.h>

#include "recorder/lab/lab.h"

#define LAB_SAMPLES TTREC_SOURCE "/tests/recorder/lab/labs/"

/* Enter a directory made for the test, to write lab.yaml in. */
int lab_sample_setup(void **state);
int lab_sample_teardown(void **state);

/* Read @size bytes of text as the file lab.yaml of the current directory. */
int lab_sample_load(const char *text, size_t size, struct lab **lab, struct diagnosis *why);

/* The content of a file and a NUL, to be freed. */
char *lab_sample_read(const char *path, size_t *size);

#endif
