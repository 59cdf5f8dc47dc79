/* SPDX-License-Identifier: BSD-3-Clause */
/* Two rows of records side by side: load both, fill, and go from (0, 0) step by step. */
#ifndef TTREC_DIFF_GRID_H
#define TTREC_DIFF_GRID_H

#include "format/trace/compare.h"

#define GRID_MAX 256

struct diff_grid {
	uint32_t count[2];
	uint64_t key[2][GRID_MAX], sort[2][GRID_MAX], now[2][GRID_MAX];
	bool specific[GRID_MAX];
	uint16_t score[GRID_MAX + 1][GRID_MAX + 1];
};

/* Of records with equal keys nothing differs but what counts them, or what is ignored. */
uint64_t grid_key(const struct compare *compare, const struct compare_print *print);

/* Put the first @count records of @queue into row @s; at most GRID_MAX. */
void grid_load(struct diff_grid *grid, const struct compare *compare, int s,
	       const struct compare_queue *queue, uint32_t count);
void grid_fill(struct diff_grid *grid);

/* What comes next in both, of which @a and @b have been passed; not beyond both ends. */
enum grid_step { GRID_SAME, GRID_CHANGED, GRID_FIRST, GRID_SECOND };
enum grid_step grid_next(const struct diff_grid *grid, uint32_t a, uint32_t b);

#endif
