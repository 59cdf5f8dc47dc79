// SPDX-License-Identifier: BSD-3-Clause
/* Regular expressions that users write, with PCRE2. */
#include "format/pattern/pattern.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define PATTERN_SIZE_MAX   4096	   /* bytes */
#define PATTERN_NEST_MAX   64	   /* groups within groups */
#define PATTERN_STEPS_MAX  1000000 /* some milliseconds */
#define PATTERN_MEMORY_MAX 16384   /* of a match, KiB */

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static int compile(const char *text, struct pattern *pattern, char reason[PATTERN_REASON])
{
	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	unsigned char message[PATTERN_REASON];
	PCRE2_SIZE offset;
	int code;

	if (!limits)
		return -ENOMEM;
	pcre2_set_max_pattern_length(limits, PATTERN_SIZE_MAX);
	pcre2_set_parens_nest_limit(limits, PATTERN_NEST_MAX);
	pattern->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
				      PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &code, &offset, limits);
	pcre2_compile_context_free(limits);
	if (pattern->code)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	if (code == PCRE2_ERROR_PATTERN_STRING_TOO_LONG) {
		snprintf(reason, PATTERN_REASON, "too long: at most %d bytes", PATTERN_SIZE_MAX);
		return -EINVAL;
	}
	pcre2_get_error_message(code, message, sizeof(message));
	snprintf(reason, PATTERN_REASON, "%.120s (at byte %zu)", (char *)message, offset + 1);
	return -EINVAL;
}

static int prepare_matches(struct pattern *pattern)
{
	pattern->limits = pcre2_match_context_create(NULL);
	pattern->data = pcre2_match_data_create(1, NULL);
	if (!pattern->limits || !pattern->data)
		return -ENOMEM;
	pcre2_set_match_limit(pattern->limits, PATTERN_STEPS_MAX);
	pcre2_set_heap_limit(pattern->limits, PATTERN_MEMORY_MAX);
	/* Without machine code, where no memory may be executable, matching is only slower. */
	pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	return 0;
}

int pattern_compile(const char *text, struct pattern **out, char reason[PATTERN_REASON])
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	int err;

	if (!pattern)
		return -ENOMEM;
	err = compile(text, pattern, reason);
	if (!err)
		err = prepare_matches(pattern);
	if (err)
		pattern_free(pattern);
	else
		*out = pattern;
	return err;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_match_context_free(pattern->limits);
	pcre2_match_data_free(pattern->data);
	pcre2_code_free(pattern->code);
	free(pattern);
}

int pattern_match(const struct pattern *pattern, const char *text, bool continued, size_t *end)
{
	uint32_t options = continued ? PCRE2_NOTBOL : 0;
	size_t size = strlen(text);
	int found = pcre2_match(pattern->code, (PCRE2_SPTR)text, size, 0, options, pattern->data,
				pattern->limits);

	/* Its machine code has a small stack. */
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = pcre2_match(pattern->code, (PCRE2_SPTR)text, size, 0,
				    options | PCRE2_NO_JIT, pattern->data, pattern->limits);
	if (found == PCRE2_ERROR_NOMATCH)
		return 0;
	if (found < 0)
		return -ELOOP;
	if (end)
		*end = pcre2_get_ovector_pointer(pattern->data)[1];
	return 1;
}
