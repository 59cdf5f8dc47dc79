// SPDX-License-Identifier: BSD-3-Clause
/* Text of times, sizes and bytes, as the commands read and print them. */
#include "format/base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
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

/* The value of a character as a digit; UINT_MAX: it is not one. */
static unsigned int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned int)(digit - '0');
	if (digit >= 'a' && digit <= 'f')
		return (unsigned int)(digit - 'a') + 10;
	if (digit >= 'A' && digit <= 'F')
		return (unsigned int)(digit - 'A') + 10;
	return UINT_MAX;
}

int number_take(const char **text, unsigned int base, uint64_t max, uint64_t *number)
{
	const char *at = *text;
	uint64_t value = 0;

	if (digit_value(*at) >= base)
		return -EINVAL;
	for (; digit_value(*at) < base; at++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(*at), &value) || value > max)
			return -ERANGE;
	*number = value;
	*text = at;
	return 0;
}

int number_parse(const char *text, unsigned int base, uint64_t max, uint64_t *number)
{
	uint64_t value;
	int err = number_take(&text, base, max, &value);

	if (!err && *text)
		return -EINVAL;
	if (!err)
		*number = value;
	return err;
}

int count_parse(const char *text, uint64_t *count)
{
	return number_parse(text, 10, UINT64_MAX, count);
}

int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	uint64_t number;
	int err;

	if (!digits || (text[digits] && (!unit || text[digits + 1])))
		return -EINVAL;
	err = number_take(&text, 10, UINT64_MAX >> shift, &number);
	if (err)
		return err;
	*bytes = number << shift;
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

/* Two digits. */
static int byte_parse(const char *text, uint8_t *byte)
{
	unsigned int high = digit_value(text[0]), low = high < 16 ? digit_value(text[1]) : UINT_MAX;

	if (high > 15 || low > 15)
		return -EINVAL;
	*byte = (uint8_t)(high << 4 | low);
	return 0;
}

int hex_parse(const char *text, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++, text += 2)
		if (byte_parse(text, &data[i]))
			return -EINVAL;
	return *text ? -EINVAL : 0;
}

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return text;
}

int mac_parse(const char *text, uint8_t mac[6])
{
	uint8_t read[6];

	for (int i = 0; i < 6; i++, text += 3)
		if (byte_parse(text, &read[i]) || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	memcpy(mac, read, sizeof(read));
	return 0;
}
