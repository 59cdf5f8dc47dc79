/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds of failure: failures that differ only in numbers are of one kind. */
#ifndef TTREC_KIND_H
#define TTREC_KIND_H

#include <stddef.h>

#define KIND_TEXT 768
#define KIND_NAME 64

/*
 * @line without what differs from seed to seed: each number, in whatever base, and each time is #.
 * The number of a test ("not ok 3") stays: it is its name.
 */
void kind_normalise(const char *line, char text[KIND_TEXT]);

/*
 * The name of the kind of failure that guest @guest has with @code and the normalised line @text,
 * fit for a file: its first words and a hash of all three.
 */
void kind_name(const char *code, const char *guest, const char *text, char name[KIND_NAME]);

#endif
