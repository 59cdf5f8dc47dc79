/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is typed at a console and when: the steps of a script against what the guest writes. Pure;
 * struct console_step says how it is meant.
 */
#ifndef TTREC_DEVICE_CONSOLE_SCRIPT_H
#define TTREC_DEVICE_CONSOLE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/device/device.h"

struct console_script;

/* 0, -ENOMEM, or -EINVAL for what is no regular expression. */
int console_script_create(const struct console_step *steps, struct console_script **script);
void console_script_destroy(struct console_script *script);

/* The guest wrote something at @now. */
void console_script_output(struct console_script *script, uint64_t now, const void *text,
			   size_t size);

/* When the next text is to be sent; WIRE_TIME_NEVER: not before the guest writes something. */
uint64_t console_script_due(const struct console_script *script);

/* What is left to be sent of the step that is due. */
const char *console_script_text(const struct console_script *script, size_t *size);

/*
 * So much of it was sent at @now; then the next step is looked at. Also goes past texts that are
 * empty: with 0 before sending anything.
 */
void console_script_sent(struct console_script *script, uint64_t now, size_t size);

#endif
