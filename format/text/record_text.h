/* SPDX-License-Identifier: BSD-3-Clause */
/* A record as text and as JSON, both driven by the table of kinds. Nothing of it is trusted. */
#ifndef TTREC_RECORD_TEXT_H
#define TTREC_RECORD_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "format/tttrace.h"

/* One record as a line of text. */
void record_print(const struct trace_record *record, FILE *out);

/* One record as an object with stable keys (a new reference). */
json_t *record_json(const struct trace_record *record);

/* The fields of a record of a device or an interrupt; false: it is none, nothing was printed. */
bool record_print_device(const struct trace_record *record, FILE *out);

/* Lower-case hex digits of @size bytes and a NUL. */
void hex_text(const uint8_t *data, size_t size, char *text);

/* "6ba7b810-9dad-41d1-80b4-00c04fd430c8" */
#define UUID_TEXT 37
const char *uuid_text(const uint8_t uuid[16], char text[UUID_TEXT]);

#endif
