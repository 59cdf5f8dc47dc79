/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a trace in every way the library has, and checks that the ways agree. */
#ifndef TTREC_FUZZ_TRACE_READ_H
#define TTREC_FUZZ_TRACE_READ_H

#include <stddef.h>
#include <stdint.h>

void trace_read_everything(const uint8_t *data, size_t size);

#endif
