/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of times, sizes and bytes, as the commands read and print them. */
#ifndef TTREC_UNITS_H
#define TTREC_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

#define UNITS_TEXT 32

/*
 * Parse a duration such as "10s", "1.5ms", "100us", "250ns", "2m", "1h"; a bare number is seconds.
 * Exact: decimals are not rounded through floating point.
 * Returns 0, -EINVAL when it is not a duration, -ERANGE when it exceeds 2^63-1 ns.
 */
int duration_parse(const char *text, uint64_t *ns);

/*
 * Parse a time of day, in ns since 1970: "2026-01-01T00:00:00Z", with or without the Z, or what
 * duration_parse() takes. Returns 0, -EINVAL, or -ERANGE when it exceeds 2^63-1 ns.
 */
int tod_parse(const char *text, uint64_t *ns);

/*
 * "0.412000256": seconds with nine decimals, the way every message and report prints virtual time.
 */
const char *duration_exact(uint64_t ns, char text[UNITS_TEXT]);

/* "1.000 s", "0.31 s": three significant decimals for people. */
const char *duration_short(uint64_t ns, char text[UNITS_TEXT]);

/* "1,638": thousands separated, whatever the locale. */
const char *count_text(uint64_t count, char text[UNITS_TEXT]);

/*
 * Take a whole number off the front of *@text, which is then what follows it: digits of @base (2 to
 * 16) and nothing else, so no sign, no space and no 0x. Returns 0, -EINVAL when it begins with no
 * digit, -ERANGE when the number exceeds @max; *@text stays then.
 */
int number_take(const char **text, unsigned int base, uint64_t max, uint64_t *number);

/* The same for a text that is only a number. */
int number_parse(const char *text, unsigned int base, uint64_t max, uint64_t *number);

/* The same for a decimal one. */
int count_parse(const char *text, uint64_t *count);

/*
 * Parse a size: a whole number of bytes, or one with K, M, G or T (powers of 1024) behind it.
 * Returns 0, -EINVAL when it is not a number, -ERANGE when it exceeds 2^64-1.
 */
int size_parse(const char *text, uint64_t *bytes);

/* "4.2 MiB" */
const char *size_text(uint64_t bytes, char text[UNITS_TEXT]);

/* Lower-case hex digits of @size bytes and a NUL. */
void hex_text(const uint8_t *data, size_t size, char *text);

/* Exactly the digits of @size bytes. Returns 0 or -EINVAL. */
int hex_parse(const char *text, uint8_t *data, size_t size);

/* "02:01:7d:56:ae:80" */
#define MAC_TEXT 18
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT]);
/* Returns 0 or -EINVAL. */
int mac_parse(const char *text, uint8_t mac[6]);

#endif
