// SPDX-License-Identifier: BSD-3-Clause
/* Values of a lab file that are numbers: times, sizes, rates, shares, dates, choices. */
#include "recorder/lab/lab_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/calendar/calendar.h"

/* ---- Text to number ------------------------------------------------------------------------- */

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit *find_unit(const struct unit *units, const char *suffix)
{
	while (units->suffix && strcmp(units->suffix, suffix))
		units++;
	return units->suffix ? units : NULL;
}

static int parse_digits(const char **text, uint64_t *value)
{
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (*value = 0; isdigit((unsigned char)**text); (*text)++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(**text - '0'), value))
			return -ERANGE;
	return 0;
}

/* What @digits after the point are of @factor; exact, or refused. */
static int parse_decimals(const char *digits, size_t count, uint64_t factor, uint64_t *value)
{
	uint64_t decimals = 0, scale = 1;
	unsigned __int128 product;

	while (count && digits[count - 1] == '0')
		count--;
	if (count > 18)
		return -EINVAL;
	for (; count; count--, digits++, scale *= 10)
		decimals = decimals * 10 + (uint64_t)(*digits - '0');
	product = (unsigned __int128)decimals * factor;
	*value = (uint64_t)(product / scale);
	return product % scale ? -EINVAL : 0;
}

/* "1.5G", never through floating point. @units end with suffix NULL. */
static int parse_scaled(const char *text, const struct unit *units, uint64_t *value)
{
	const char *end = text, *digits;
	const struct unit *unit;
	uint64_t whole, part;
	size_t count = 0;
	int err = parse_digits(&end, &whole);

	if (err)
		return err;
	digits = end + 1;
	if (*end == '.') {
		count = strspn(digits, "0123456789");
		if (!count)
			return -EINVAL;
		end = digits + count;
	}
	unit = find_unit(units, end);
	if (!unit || parse_decimals(digits, count, unit->factor, &part))
		return -EINVAL;
	return __builtin_mul_overflow(whole, unit->factor, value) ||
			       __builtin_add_overflow(*value, part, value)
		       ? -ERANGE
		       : 0;
}

static int parse_number(const char *text, uint64_t *value)
{
	if (!strncmp(text, "0x", 2))
		return number_parse(text + 2, 16, UINT64_MAX, value);
	/* 010 is eight to some and ten to others. */
	if (*text == '0' && text[1])
		return -EINVAL;
	return parse_scaled(text, (const struct unit[]){ { "", 1 }, { NULL, 0 } }, value);
}

static int parse_flag(const char *text, uint64_t *value)
{
	*value = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "on");
	return *value || !strcmp(text, "false") || !strcmp(text, "no") || !strcmp(text, "off")
		       ? 0
		       : -EINVAL;
}

/* A bare number would be seconds here, milliseconds in vlab: only zero needs no unit. */
static int parse_duration(const char *text, uint64_t *value)
{
	int err = duration_parse(text, value);

	return !err && *value && isdigit((unsigned char)text[strlen(text) - 1]) ? -EINVAL : err;
}

static int parse_size(const char *text, uint64_t *value)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", 1ull << 10 },
		{ "M", 1ull << 20 },
		{ "G", 1ull << 30 },
		{ "T", 1ull << 40 },
		{ "KiB", 1ull << 10 },
		{ "MiB", 1ull << 20 },
		{ "GiB", 1ull << 30 },
		{ "TiB", 1ull << 40 },
		{ NULL, 0 },
	};

	return parse_scaled(text, units, value);
}

/* Without a "/s" at its end. */
static int parse_per_second(const char *text, int (*parse)(const char *text, uint64_t *value),
			    uint64_t *value)
{
	size_t length = strlen(text);
	auto_free char *rate = NULL;

	if (length < 2 || strcmp(text + length - 2, "/s"))
		return parse(text, value);
	rate = strndup(text, length - 2);
	return rate ? parse(rate, value) : -ENOMEM;
}

static int parse_bits(const char *text, uint64_t *value)
{
	static const struct unit units[] = {
		{ "bit", 1 },
		{ "kbit", 1000 },
		{ "Kbit", 1000 },
		{ "Mbit", 1000 * 1000 },
		{ "Gbit", 1000 * 1000 * 1000 },
		{ "Tbit", 1000ull * 1000 * 1000 * 1000 },
		{ NULL, 0 },
	};

	return parse_scaled(text, units, value);
}

static int parse_rate(const char *text, uint64_t *value)
{
	return parse_per_second(text, parse_bits, value);
}

static int parse_speed(const char *text, uint64_t *value)
{
	return parse_per_second(text, parse_size, value);
}

static int parse_grant(const char *text, uint64_t *value)
{
	*value = strcmp(text, "each") ? CALENDAR_GRANT_WINDOW : CALENDAR_GRANT_EACH;
	return strcmp(text, "each") && strcmp(text, "window") ? -EINVAL : 0;
}

const char *const lab_share_words[] = { [LAB_SHARE_READ_ONLY] = "no",
					[LAB_SHARE_COPY] = "copy",
					[LAB_SHARE_THROUGH] = "through",
					[LAB_SHARE_WRITES] = NULL };

static int parse_share_write(const char *text, uint64_t *value)
{
	for (*value = 0; *value < LAB_SHARE_WRITES; ++*value)
		if (!strcmp(text, lab_share_words[*value]))
			return 0;
	/* YAML's other words for no. */
	*value = LAB_SHARE_READ_ONLY;
	return strcmp(text, "false") && strcmp(text, "off") ? -EINVAL : 0;
}

static int parse_milliseconds(const char *text, uint64_t *value)
{
	return parse_scaled(text, (const struct unit[]){ { "", NS_PER_MS }, { NULL, 0 } }, value);
}

static int parse_mebibytes(const char *text, uint64_t *value)
{
	return parse_scaled(text, (const struct unit[]){ { "", 1u << 20 }, { NULL, 0 } }, value);
}

#define WHOLE (1000ull * 1000 * 1000 * 1000)

/* In parts of WHOLE. */
static int parse_share(const char *text, uint64_t *value)
{
	static const struct unit units[] = { { "", WHOLE }, { "%", WHOLE / 100 }, { NULL, 0 } };

	return parse_scaled(text, units, value);
}

/* ---- Limits in messages ------------------------------------------------------------------- */

static void print_number(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64, value);
}

static void print_size(uint64_t value, char *text, size_t size)
{
	static const char suffixes[] = " KMGT";
	size_t i = 0;

	for (; value && value % 1024 == 0 && i < strlen(suffixes) - 1; i++)
		value /= 1024;
	snprintf(text, size, i ? "%" PRIu64 "%c" : "%" PRIu64, value, suffixes[i]);
}

static void print_rate(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64 "bit", value);
}

static void print_duration(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64 "ns", value);
}

static void print_share(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64, (uint64_t)(value / WHOLE));
}

/* ---- Reading -------------------------------------------------------------------------------- */

int lab_wrong(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node)
{
	char quote[LAB_QUOTE], advice[LAB_ADVICE];

	snprintf(advice, sizeof(advice), "expected %s", key->type->right);
	return lab_error(reader, node, advice, "invalid %s '%s'", key->name,
			 lab_quote(lab_word(node), quote));
}

static int out_of_range(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, bool small)
{
	char quote[LAB_QUOTE], limit[LAB_QUOTE], advice[LAB_ADVICE];

	if (!key->type->print)
		return lab_wrong(reader, key, node);
	lab_quote(lab_word(node), quote);
	snprintf(advice, sizeof(advice), "expected %s%s", key->type->right,
		 key->required || !key->min ? "" : "; or remove it");
	if (!small && !key->max)
		return lab_error(reader, node, advice, "invalid %s '%s': too large", key->name,
				 quote);
	key->type->print(small ? key->min : key->max, limit, sizeof(limit));
	return lab_error(reader, node, advice, "invalid %s '%s': must be at %s %s", key->name,
			 quote, small ? "least" : "most", limit);
}

static void store(void *field, size_t size, uint64_t value)
{
	/* Little-endian, as every machine that runs UML is. */
	memcpy(field, &value, size);
}

static int parse(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		 uint64_t *value)
{
	const char *text;
	int err = lab_scalar(reader, node, key->name, key->type->right, &text);

	if (err)
		return err;
	err = key->type->parse(text, value);
	if (err == -ENOMEM)
		return lab_out_of_memory(reader);
	if (err == -EINVAL)
		return lab_wrong(reader, key, node);
	if (err || *value < key->min || (key->max && *value > key->max))
		return out_of_range(reader, key, node, !err && *value < key->min);
	return 0;
}

int lab_read_integer(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field)
{
	uint64_t value;
	int err = parse(reader, key, node, &value);

	if (!err)
		store(field, key->size, value);
	return err;
}

static int read_share(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      void *field)
{
	uint64_t value;
	int err = parse(reader, key, node, &value);

	if (!err && value > WHOLE)
		return lab_error(reader, node, "expected a share from 0 to 1, or 0% to 100%",
				 "'%s' cannot be more than 1 (100%%)", key->name);
	if (!err)
		*(double *)field = (double)value / (double)WHOLE;
	return err;
}

static int read_mac(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		    void *field)
{
	static const uint8_t none[6];
	uint8_t mac[6];
	const char *text;
	int err = lab_scalar(reader, node, key->name, key->type->right, &text);

	if (err)
		return err;
	if (mac_parse(text, mac))
		return lab_wrong(reader, key, node);
	if (!memcmp(mac, none, sizeof(mac)) || mac[0] & 1)
		return lab_error(reader, node, "expected e.g. 02:00:00:00:00:01",
				 "'%s' is not the address of a single device", text);
	memcpy(field, mac, sizeof(mac));
	return 0;
}

const struct lab_type lab_type_number = { "a whole number", lab_read_integer, parse_number,
					  print_number };
const struct lab_type lab_type_flag = { "true or false", lab_read_integer, parse_flag, NULL };
const struct lab_type lab_type_duration = { "a time such as 100us, 1.5ms or 2s", lab_read_integer,
					    parse_duration, print_duration };
const struct lab_type lab_type_size = { "a size such as 64M or 1G", lab_read_integer, parse_size,
					print_size };
const struct lab_type lab_type_rate = { "a rate such as 10Mbit or 1Gbit", lab_read_integer,
					parse_rate, print_rate };
const struct lab_type lab_type_speed = { "bytes per second such as 200M/s", lab_read_integer,
					 parse_speed, print_size };
const struct lab_type lab_type_share = { "a share such as 0.01 or 1%", read_share, parse_share,
					 print_share };
const struct lab_type lab_type_tod = { "a date such as 2026-01-01T00:00:00Z, or seconds since 1970",
				       lab_read_integer, tod_parse, NULL };
const struct lab_type lab_type_grant = { "each or window", lab_read_integer, parse_grant, NULL };
const struct lab_type lab_type_mac = { "a MAC address such as 02:00:00:00:00:01", read_mac, NULL,
				       NULL };
const struct lab_type lab_type_milliseconds = { "milliseconds such as 5 or 0.1", lab_read_integer,
						parse_milliseconds, print_duration };
const struct lab_type lab_type_mebibytes = { "a number of MiB such as 256", lab_read_integer,
					     parse_mebibytes, print_size };
const struct lab_type lab_type_nanoseconds = { "nanoseconds since 1970", lab_read_integer,
					       parse_number, print_number };
const struct lab_type lab_type_share_write = { "no, copy or through", lab_read_integer,
					       parse_share_write, NULL };
