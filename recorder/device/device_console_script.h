/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The script of a console: its steps are matched against the guest's output. Pure; see struct
 * console_step.
 */
#ifndef TTREC_DEVICE_CONSOLE_SCRIPT_H
#define TTREC_DEVICE_CONSOLE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/device/device.h"

struct console_script;

/* 0, -ENOMEM, or -EINVAL for an invalid regular expression. */
int console_script_create(const struct console_step *steps, struct console_script **script);
void console_script_destroy(struct console_script *script);

/* The guest wrote output at @now. */
void console_script_output(struct console_script *script, uint64_t now, const void *text,
			   size_t size);

/* When the next text is to be sent; WIRE_TIME_NEVER: not before the guest writes more. */
uint64_t console_script_due(const struct console_script *script);

/* The rest of the text of the step that is due. */
const char *console_script_text(const struct console_script *script, size_t *size);

/*
 * @size bytes of it were sent at @now; continue with the next step. Also skips empty texts: call it
 * with 0 before sending anything.
 */
void console_script_sent(struct console_script *script, uint64_t now, size_t size);

#endif
