// SPDX-License-Identifier: BSD-3-Clause
/* A link: delays, loses and reorders frames. */
#include "recorder/network/network_internal.h"

#define NS_PER_S 1000000000ull

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t network_random_next(struct network_random *random)
{
	return mix(random->state += 0x9e3779b97f4a7c15);
}

struct network_random network_random_derive(uint64_t seed, uint64_t number)
{
	/* Mixed twice over: neighbouring seeds and numbers must not give overlapping streams. */
	return (struct network_random){ mix(mix(seed + 1) ^ mix(~number)) };
}

bool network_random_happens(struct network_random *random, double share)
{
	return (double)(network_random_next(random) >> 11) * 0x1p-53 < share;
}

uint64_t network_random_up_to(struct network_random *random, uint64_t most)
{
	unsigned __int128 range = (unsigned __int128)most + 1;

	return (uint64_t)((network_random_next(random) * range) >> 64);
}

struct network_link_outcome network_link_draw(const struct network_link *link,
					      struct network_random *random)
{
	struct network_link_outcome outcome = { .delay = 0 };

	outcome.lost = network_random_happens(random, link->loss);
	outcome.overtakes = network_random_happens(random, link->reorder);
	outcome.jitter = network_random_up_to(random, link->jitter);
	return outcome;
}

/* How long the link is busy with a frame, rounded up: the bandwidth is never exceeded. */
static uint64_t sending_time(const struct network_link *link, size_t size)
{
	uint64_t bits = size * 8;

	if (!link->bandwidth)
		return 0;
	return (bits * NS_PER_S + link->bandwidth - 1) / link->bandwidth;
}

static uint64_t line_sent(const struct network_line *line, const struct network_link *link,
			  uint64_t time, size_t size)
{
	uint64_t start = time > line->busy ? time : line->busy;

	return device_time_add(start, sending_time(link, size));
}

uint64_t network_line_arrival(const struct network_line *line, const struct network_link *link,
			      uint64_t time, size_t size, uint64_t jitter)
{
	uint64_t sent = line_sent(line, link, time, size);
	uint64_t arrival = device_time_add(device_time_add(sent, link->delay), jitter);

	return arrival > line->last ? arrival : line->last;
}

uint64_t network_line_pass(struct network_line *line, const struct network_link *link,
			   uint64_t time, size_t size, uint64_t jitter)
{
	line->last = network_line_arrival(line, link, time, size, jitter);
	line->busy = line_sent(line, link, time, size);
	return line->last;
}

uint64_t network_line_overtake(const struct network_link *link, uint64_t time, size_t size)
{
	return device_time_add(device_time_add(time, sending_time(link, size)), link->delay);
}
