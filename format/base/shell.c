// SPDX-License-Identifier: BSD-3-Clause
/* Words of a command line that a user is to copy. */
#include "format/base/shell.h"

#include <stdbool.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

static bool has_controls(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			return true;
	return false;
}

static void print_escaped(FILE *out, const char *word)
{
	fputs("$'", out);
	for (; *word; word++)
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			fprintf(out, "\\%03o", (unsigned char)*word);
		else if (*word == '\'' || *word == '\\')
			fprintf(out, "\\%c", *word);
		else
			fputc(*word, out);
	fputc('\'', out);
}

static void print_quoted(FILE *out, const char *word)
{
	fputc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

void shell_print_word(FILE *out, const char *word)
{
	if (*word && strspn(word, PLAIN) == strlen(word))
		fputs(word, out);
	else if (has_controls(word))
		print_escaped(out, word);
	else
		print_quoted(out, word);
}

char *shell_command(const char *command, const char *word)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s ", command);
	shell_print_word(out, word);
	fclose(out);
	return text;
}
