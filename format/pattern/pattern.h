/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regular expressions that users write, with PCRE2: what compiling and matching one takes is
 * bounded, whatever it is. (The C library's regcomp(3) takes memory and time without bound for
 * some.)
 */
#ifndef TTREC_PATTERN_H
#define TTREC_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* The hint for a pattern that does not compile. */
#define PATTERN_HINT "expected a Perl-compatible regular expression, see pcre2pattern(3)"

/* Bytes for a reason, with its terminating 0. */
#define PATTERN_REASON 160

struct pattern;

/*
 * Compile @text. Returns 0, and the caller frees the pattern; -EINVAL with the @reason; or -ENOMEM.
 * Bytes are matched as they are: a character is a byte.
 */
int pattern_compile(const char *text, struct pattern **pattern, char reason[PATTERN_REASON]);
void pattern_free(struct pattern *pattern);

/*
 * Whether @text has a match: 1 or 0, or -ELOOP where finding out takes more steps than are allowed.
 * @continued: the text is not the beginning of its line. *@end: where the match ends; may be NULL.
 */
int pattern_match(const struct pattern *pattern, const char *text, bool continued, size_t *end);

#endif
