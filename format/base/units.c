// SPDX-License-Identifier: BSD-3-Clause
/* Text of times, sizes and bytes, as the commands read and print them. */
#include "format/base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format/base/cleanup.h"

static const struct {
	const char *suffix;
	uint64_t ns;
} duration_units[] = {
	{ "", NS_PER_S },
	{ "s", NS_PER_S },
	{ "ms", NS_PER_MS },
	{ "us", NS_PER_US },
	{ "ns", 1 },
	{ "m", 60 * NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
};

static int scale_decimals(const char **text, uint64_t unit, uint64_t *ns)
{
	uint64_t digit_ns = unit;

	for (; isdigit((unsigned char)**text); (*text)++) {
		if (digit_ns % 10 && **text != '0')
			return -EINVAL;
		digit_ns /= 10;
		if (__builtin_add_overflow(*ns, digit_ns * (uint64_t)(**text - '0'), ns))
			return -ERANGE;
	}
	return 0;
}

int duration_parse(const char *text, uint64_t *ns)
{
	const char *decimals, *end = text;
	uint64_t whole = 0, unit = 0;
	int err;

	if (!isdigit((unsigned char)*end))
		return -EINVAL;
	for (; isdigit((unsigned char)*end); end++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*end - '0'), &whole))
			return -ERANGE;
	decimals = *end == '.' ? end + 1 : "";
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end);)
			end++;
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++)
		if (!strcmp(end, duration_units[i].suffix))
			unit = duration_units[i].ns;
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, ns))
		return -ERANGE;
	err = scale_decimals(&decimals, unit, ns);
	if (err)
		return err;
	return *ns > INT64_MAX ? -ERANGE : 0;
}

static int parse_date(const char *text, uint64_t *ns)
{
	struct tm date = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);
	time_t seconds;

	if (!end || (*end && strcmp(end, "Z")))
		return -EINVAL;
	seconds = timegm(&date);
	if (seconds < 0 || (uint64_t)seconds > INT64_MAX / NS_PER_S)
		return -ERANGE;
	*ns = (uint64_t)seconds * NS_PER_S;
	return 0;
}

int tod_parse(const char *text, uint64_t *ns)
{
	return parse_date(text, ns) ? duration_parse(text, ns) : 0;
}

const char *duration_exact(uint64_t ns, char text[UNITS_TEXT])
{
	snprintf(text, UNITS_TEXT, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S, ns % NS_PER_S);
	return text;
}

const char *duration_short(uint64_t ns, char text[UNITS_TEXT])
{
	uint64_t ms = ns / NS_PER_MS;

	if (ns < NS_PER_MS)
		snprintf(text, UNITS_TEXT, "%" PRIu64 ".%03" PRIu64 " us", ns / NS_PER_US,
			 ns % NS_PER_US);
	else
		snprintf(text, UNITS_TEXT, "%" PRIu64 ".%03" PRIu64 " s", ms / 1000, ms % 1000);
	return text;
}

const char *count_text(uint64_t count, char text[UNITS_TEXT])
{
	char digits[UNITS_TEXT];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *out = text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

int count_parse(const char *text, uint64_t *count)
{
	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	errno = 0;
	*count = strtoull(text, NULL, 10);
	return errno ? -ERANGE : 0;
}

int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	unsigned long long number;

	if (!digits || (text[digits] && (!unit || text[digits + 1])))
		return -EINVAL;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = (uint64_t)number << shift;
	return 0;
}

const char *size_text(uint64_t bytes, char text[UNITS_TEXT])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1024 && i + 1 < ARRAY_SIZE(names); i++)
		value /= 1024;
	snprintf(text, UNITS_TEXT, i ? "%.1f %s" : "%.0f %s", value, names[i]);
	return text;
}

void hex_text(const uint8_t *data, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return text;
}
