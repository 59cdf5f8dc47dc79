/* SPDX-License-Identifier: BSD-3-Clause */
/* Does writing one file destroy another? */
#ifndef TTREC_SAME_FILE_H
#define TTREC_SAME_FILE_H

#include <stdbool.h>

#include "format/base/diagnosis.h"

/* Two names of one regular file, or the same name of one that does not exist yet. */
bool is_same_file(const char *one, const char *other);

/*
 * -EEXIST if writing @output (may be NULL) would overwrite the trace @input, which is read.
 * @option is what asks for @output, as in "--junit".
 */
int refuse_overwriting(const char *input, const char *output, const char *option,
		       struct diagnosis *why);

#endif
