/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page of `ttdump export html`: what precedes and follows the data, and data in it.
 *
 * Data are elements of a type that no browser runs, deflated and in base64: nothing that a trace
 * says is ever markup or script. The rest is made of html/ when this is built.
 */
#ifndef TTREC_HTML_PAGE_H
#define TTREC_HTML_PAGE_H

#include <stddef.h>
#include <stdio.h>

/* Made by html/build.mjs. */
extern const char html_head[], html_tail[];
extern const size_t html_head_size, html_tail_size;

/*
 * Write @size bytes to @out as an element of class @class. 0 or -ENOMEM; whether @out could be
 * written is for it to say.
 */
int html_put_data(FILE *out, const char *class, const void *data, size_t size);

#endif
