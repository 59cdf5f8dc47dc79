/* SPDX-License-Identifier: BSD-3-Clause */
/* What jansson has no memory for. */
#ifndef TTREC_JSON_MEMORY_H
#define TTREC_JSON_MEMORY_H

/*
 * Values are built of one another, and what is missing is left out: that it was is
 * output_incomplete() from here on (write_error.h). Call it before the first value is made.
 */
void json_memory_watch(void);

#endif
