// SPDX-License-Identifier: BSD-3-Clause
/* A table of text with aligned columns. */
#include "format/ttdump/stat/table_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/words.h"
#include "format/base/line.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

void table_add(struct table_text *table, const char *text)
{
	table->error = words_take(&table->cell, &table->count, strdup(text)) ?: table->error;
}

void table_begin(struct table_text *table, const char *const *titles)
{
	*table = (struct table_text){ 0 };
	for (; titles[table->columns]; table->columns++)
		table_add(table, titles[table->columns]);
}

void table_add_count(struct table_text *table, uint64_t count)
{
	char text[UNITS_TEXT];

	table_add(table, count ? count_text(count, text) : "");
}

void table_add_size(struct table_text *table, uint64_t bytes)
{
	char text[UNITS_TEXT];

	table_add(table, bytes ? size_text(bytes, text) : "");
}

/* Columns of a terminal that @text takes: names may be UTF-8. */
static size_t text_width(const char *text)
{
	return text_columns(text, strlen(text));
}

static const char *title_text(const char *title)
{
	return title + (*title == '<');
}

/* How wide column @column is; 0 when no row has anything in it. */
static size_t column_width(const struct table_text *table, size_t column)
{
	size_t width = text_width(title_text(table->cell[column]));
	bool used = false;

	for (size_t i = table->columns + column; i < table->count; i += table->columns) {
		size_t cell = text_width(table->cell[i]);

		used |= cell > 0;
		width = cell > width ? cell : width;
	}
	return used ? width : 0;
}

/* Nothing follows the last cell of a row. */
static void print_cell(const char *text, size_t width, bool left, bool last, FILE *out)
{
	int pad = (int)(width - text_width(text));

	fprintf(out, "  %*s%s%*s", left ? 0 : pad, "", text, left && !last ? pad : 0, "");
}

static void print_rows(const struct table_text *table, const size_t *width, FILE *out)
{
	for (size_t i = 0; i + table->columns <= table->count; i += table->columns) {
		size_t last = table->columns;

		while (last && (!width[last - 1] || (i && !table->cell[i + last - 1][0])))
			last--;
		for (size_t column = 0; column < last; column++) {
			const char *text = table->cell[i + column];

			if (width[column])
				print_cell(i ? text : title_text(text), width[column],
					   table->cell[column][0] == '<', column + 1 == last, out);
		}
		fputc('\n', out);
	}
}

void table_end(struct table_text *table, const char *title, FILE *out)
{
	size_t *width = calloc(table->columns, sizeof(*width));

	if (width && !table->error && table->count > table->columns) {
		for (size_t column = 0; column < table->columns; column++)
			width[column] = column_width(table, column);
		fprintf(out, "\n%s\n", title);
		print_rows(table, width, out);
	}
	if (!width || table->error)
		output_incomplete(-ENOMEM);
	free(width);
	for (size_t i = 0; i < table->count; i++)
		free(table->cell[i]);
	free(table->cell);
}
