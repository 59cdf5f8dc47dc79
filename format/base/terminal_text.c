// SPDX-License-Identifier: BSD-3-Clause
/* Console output for a terminal; its sequences are those of ECMA-48 (5th edition). */
#include "format/base/terminal_text.h"

#include <string.h>

#include "format/base/printable.h"

#define ESCAPE '\033'
#define BELL   '\a'

enum state {
	STATE_TEXT,
	STATE_RETURN,	    /* after a carriage return */
	STATE_ESCAPE,	    /* after ESC: the kind of sequence is not known yet */
	STATE_INTERMEDIATE, /* bytes 0x20 to 0x2f, then a final one */
	STATE_CONTROL,	    /* CSI: parameters, then a byte 0x40 to 0x7e */
	STATE_STRING,	    /* OSC, DCS, SOS, PM, APC: up to BEL or ESC \ */
	STATE_STRING_END,   /* after ESC in a string */
};

/* Put the character that is held, if it is whole, or all of it if it never will be. */
static char *put_held(struct terminal_text *terminal, char *out)
{
	uint32_t code;
	size_t size = utf8_size(terminal->held, terminal->held_size, &code);

	if (size && printable_size(terminal->held, size))
		out = mempcpy(out, terminal->held, size);
	else
		for (size_t i = 0; i < terminal->held_size; i++)
			*out++ = '?';
	terminal->held_size = 0;
	return out;
}

/* Bytes of the character that begins with @byte; 1 if it does not begin one. */
static size_t length_of(unsigned char byte)
{
	return byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static char *put_byte(struct terminal_text *terminal, char byte, char *out)
{
	if (terminal->held_size && ((unsigned char)byte & 0xc0) != 0x80)
		out = put_held(terminal, out);
	if (byte == '\n' || byte == '\t') {
		*out++ = byte;
		return out;
	}
	terminal->held[terminal->held_size++] = byte;
	if (terminal->held_size == length_of((unsigned char)terminal->held[0]))
		out = put_held(terminal, out);
	return out;
}

/* The state after @byte, which is not part of a sequence. */
static enum state text_state(char byte)
{
	return byte == ESCAPE ? STATE_ESCAPE : byte == '\r' ? STATE_RETURN : STATE_TEXT;
}

static enum state escape_state(char byte)
{
	if (byte == '[')
		return STATE_CONTROL;
	if (byte && strchr("]PX^_", byte))
		return STATE_STRING;
	if (byte >= 0x20 && byte <= 0x2f)
		return STATE_INTERMEDIATE;
	return STATE_TEXT;
}

/* The end of a line ends every sequence, so that an incomplete one hides at most one line. */
static enum state sequence_state(enum state state, char byte)
{
	if (byte == '\n')
		return STATE_TEXT;
	if (state == STATE_ESCAPE)
		return escape_state(byte);
	if (state == STATE_STRING_END && byte == '\\')
		return STATE_TEXT;
	if (byte == ESCAPE)
		return state == STATE_STRING ? STATE_STRING_END : STATE_ESCAPE;
	if (state == STATE_STRING_END)
		return escape_state(byte);
	if (state == STATE_STRING)
		return byte == BELL ? STATE_TEXT : STATE_STRING;
	if (state == STATE_INTERMEDIATE)
		return byte >= 0x20 && byte <= 0x2f ? STATE_INTERMEDIATE : STATE_TEXT;
	return byte >= 0x20 && byte <= 0x3f ? STATE_CONTROL : STATE_TEXT;
}

static char *take_byte(struct terminal_text *terminal, char byte, char *out)
{
	enum state before = terminal->state;

	if (before > STATE_RETURN) {
		terminal->state = sequence_state(before, byte);
		if (byte == '\n')
			*out++ = byte;
		return out;
	}
	terminal->state = text_state(byte);
	if (terminal->state != STATE_TEXT && terminal->held_size)
		out = put_held(terminal, out);
	if (before == STATE_RETURN && byte != '\n' && byte != '\r')
		*out++ = '\n';
	return terminal->state == STATE_TEXT ? put_byte(terminal, byte, out) : out;
}

size_t terminal_text_clean(struct terminal_text *terminal, const char *text, size_t size, char *out)
{
	char *at = out;

	for (size_t i = 0; i < size; i++)
		at = take_byte(terminal, text[i], at);
	return (size_t)(at - out);
}

size_t terminal_text_end(struct terminal_text *terminal, char out[TERMINAL_TEXT_MORE])
{
	char *at = terminal->held_size ? put_held(terminal, out) : out;

	terminal->state = STATE_TEXT;
	return (size_t)(at - out);
}
