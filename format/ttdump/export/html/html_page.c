// SPDX-License-Identifier: BSD-3-Clause
/* Data in the page of `ttdump export html`: deflated, and in base64. */
#include "format/ttdump/export/html/html_page.h"

#include <errno.h>
#include <stdint.h>
#include <zlib.h>

#include "format/base/cleanup.h"

static void put_base64(FILE *out, const uint8_t *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[4];

	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < size ? data[i + 2] : 0;
		text[0] = digits[bits >> 18];
		text[1] = digits[bits >> 12 & 63];
		text[2] = (char)(i + 1 < size ? digits[bits >> 6 & 63] : '=');
		text[3] = (char)(i + 2 < size ? digits[bits & 63] : '=');
		fwrite(text, 1, sizeof(text), out);
	}
}

int html_put_data(FILE *out, const char *class, const void *data, size_t size)
{
	uLongf packed_size = compressBound(size);
	auto_free uint8_t *packed = malloc(packed_size);

	if (!packed || compress2(packed, &packed_size, data, size, Z_DEFAULT_COMPRESSION) != Z_OK)
		return -ENOMEM;
	fprintf(out, "<script type=\"application/x-ttrec\" class=\"%s\">", class);
	put_base64(out, packed, packed_size);
	fputs("</script>\n", out);
	return 0;
}
