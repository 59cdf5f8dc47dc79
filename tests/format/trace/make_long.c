// SPDX-License-Identifier: BSD-3-Clause
/*
 * Write a long trace: four guests on a network that wake each other up with frames, print and are
 * hashed. The same bytes every time, in as little memory as a recorder needs.
 *
 *	make_long FILE RECORDS [CHANGED]
 *
 * At record CHANGED, or behind it, a guest asks for another time than without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/tttrace.h"
#include "format/base/units.h"

#define GUESTS	   4
#define DELAY	   (100 * NS_PER_US)
#define FRAME_SIZE 98
#define HEADER	   12 /* of virtio-net, of which the first ten bytes are zeros */
#define SKIP	   10
#define RING	   256

/* Every so often of its turns a guest does this. */
#define SEND_EVERY   4
#define PRINT_EVERY  16
#define DIGEST_EVERY 64
#define CALL_EVERY   200 /* everybody, by a BROADCAST */

enum { VRING_KICK = 35, VRING_CALL = 4, NEED_REPLY = 9, RECEIVE = 0, SEND = 1 };

struct guest {
	uint64_t seq, turns, calls, received;
	bool met[GUESTS]; /* has had a frame of theirs */
};

struct lab {
	struct trace_writer *writer;
	struct guest guest[GUESTS];
	uint64_t now, run_seq, number, limit, changed;
	uint64_t chance;
};

/* A linear congruential generator: the constants are those of Knuth's MMIX. */
static uint64_t chance_below(struct lab *lab, uint64_t limit)
{
	lab->chance = lab->chance * 6364136223846793005u + 1442695040888963407u;
	return (lab->chance >> 33) % limit;
}

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "make_long: %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

static void add(struct lab *lab, uint32_t guest, struct trace_record record)
{
	if (lab->number >= lab->limit)
		return;
	record.now = lab->now;
	record.guest = guest;
	check(trace_writer_append(lab->writer, &record, &lab->number), "append");
	lab->number++;
}

static void add_text(struct lab *lab, uint32_t guest, enum trace_kind kind, const char *text)
{
	add(lab, guest,
	    (struct trace_record){ .kind = kind, .payload = text, .payload_size = strlen(text) });
}

static void exchange(struct lab *lab, uint32_t guest, enum trace_operation op, uint64_t time,
		     uint64_t answer)
{
	uint64_t seq = ++lab->guest[guest].seq;

	add(lab, guest, (struct trace_record){ .kind = TRACE_from, .from = { op, seq, time } });
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_to, .to = { TRACE_OP_ACK, seq, answer } });
}

static void request(struct lab *lab, uint32_t guest, uint64_t time)
{
	time += chance_below(lab, NS_PER_US);
	if (lab->changed && lab->number >= lab->changed) {
		lab->changed = 0;
		time++;
	}
	exchange(lab, guest, TRACE_OP_REQUEST, time, 0);
}

static void run(struct lab *lab, uint32_t guest)
{
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_to,
				   .to = { TRACE_OP_RUN, ++lab->run_seq, lab->now } });
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_from, .from = { TRACE_OP_ACK, lab->run_seq, 0 } });
}

static void kick(struct lab *lab, uint32_t guest)
{
	exchange(lab, guest, TRACE_OP_UPDATE, lab->now, 0);
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_kick, .kick = { 0, SEND, NEED_REPLY, 1 } });
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_reply, .reply = { 0, VRING_KICK, 0 } });
}

/* An address that says whose it is. */
static void write_mac(uint8_t mac[6], uint32_t guest)
{
	memcpy(mac, (const uint8_t[6]){ 2, 0, 0, 0, 0, (uint8_t)(guest + 1) }, 6);
}

/* An echo request: Ethernet, IPv4, ICMP. */
static void receive(struct lab *lab, uint32_t from, uint32_t to)
{
	static const uint8_t ip[] = { 8,  0, 0x45, 0, 0,  84, 0, 0, 0x40, 0, 64, 1, 0, 0,
				      10, 0, 0,	   1, 10, 0,  0, 2, 8,	  0, 0,	 0, 0, 1 };
	uint8_t data[HEADER - SKIP + FRAME_SIZE] = { 1 };
	struct guest *guest = &lab->guest[to];

	if (!guest->met[from])
		add(lab, to,
		    (struct trace_record){ .kind = TRACE_sent, .sent = { 0, from, 0, DELAY } });
	guest->met[from] = true;
	write_mac(data + 2, to);
	write_mac(data + 8, from);
	memcpy(data + 14, ip, sizeof(ip));
	memcpy(data + 14 + sizeof(ip), &guest->received, sizeof(guest->received));
	add(lab, to,
	    (struct trace_record){
		    .kind = TRACE_used,
		    .used = { 0, RECEIVE, guest->received++ % RING, SKIP },
		    .payload = data,
		    .payload_size = sizeof(data),
	    });
	add(lab, to,
	    (struct trace_record){ .kind = TRACE_call,
				   .call = { 0, VRING_CALL, RECEIVE, guest->calls++ } });
	exchange(lab, to, TRACE_OP_GET, UINT64_MAX, lab->now);
	request(lab, to, lab->now);
	add(lab, to, (struct trace_record){ .kind = TRACE_called, .called = { 0, 0 } });
}

static void print(struct lab *lab, uint32_t guest)
{
	char line[96];

	snprintf(line, sizeof(line), "[%5llu.%06llu] node %u: %llu turns, %llu frames so far\r\n",
		 (unsigned long long)(lab->now / NS_PER_S),
		 (unsigned long long)(lab->now % NS_PER_S / 1000), guest + 1,
		 (unsigned long long)lab->guest[guest].turns,
		 (unsigned long long)lab->guest[guest].received);
	add_text(lab, guest, TRACE_console, line);
}

/* Hashes without a pattern, and hashes of sixteen blocks. */
static void digest(struct lab *lab, uint32_t guest)
{
	uint8_t block_hashes[16 * 5];
	uint64_t hash = lab->number * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < sizeof(block_hashes); i++)
		block_hashes[i] = i % 5 ? (uint8_t)(hash >> i % 57) : 3;
	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_digest,
				   .digest = { 0, 4096, hash, hash ^ hash >> 29 },
				   .payload = block_hashes,
				   .payload_size = sizeof(block_hashes) });
}

/* Everybody else has it before its sender is answered. */
static void broadcast(struct lab *lab, uint32_t guest)
{
	uint64_t seq = ++lab->guest[guest].seq, word = lab->number;

	add(lab, guest,
	    (struct trace_record){ .kind = TRACE_from, .from = { TRACE_OP_BROADCAST, seq, word } });
	for (uint32_t i = 0; i < GUESTS; i++) {
		if (i == guest)
			continue;
		add(lab, i,
		    (struct trace_record){ .kind = TRACE_to,
					   .to = { TRACE_OP_BROADCAST, ++lab->run_seq, word } });
		add(lab, i,
		    (struct trace_record){ .kind = TRACE_from,
					   .from = { TRACE_OP_ACK, lab->run_seq, 0 } });
	}
	add(lab, guest, (struct trace_record){ .kind = TRACE_to, .to = { TRACE_OP_ACK, seq, 0 } });
}

static void turn(struct lab *lab, uint32_t guest)
{
	uint64_t turns = ++lab->guest[guest].turns;
	uint32_t other = (uint32_t)(guest + 1 + turns / SEND_EVERY % (GUESTS - 1)) % GUESTS;
	bool sends = !(turns % SEND_EVERY);

	run(lab, guest);
	if (!(turns % PRINT_EVERY))
		print(lab, guest);
	if (!(turns % CALL_EVERY))
		broadcast(lab, guest);
	if (sends)
		kick(lab, guest);
	request(lab, guest, lab->now + 4 * NS_PER_MS);
	exchange(lab, guest, TRACE_OP_WAIT, UINT64_MAX, 0);
	if (!(turns % DIGEST_EVERY))
		digest(lab, guest);
	if (!sends)
		return;
	lab->now += DELAY;
	receive(lab, guest, other);
	run(lab, other);
	request(lab, other, lab->now + 4 * NS_PER_MS);
	exchange(lab, other, TRACE_OP_WAIT, UINT64_MAX, 0);
}

static void introduce(struct lab *lab)
{
	char text[64];

	add_text(lab, 0, TRACE_meta, "tod=1767225600000000000");
	for (uint32_t i = 0; i < GUESTS; i++) {
		snprintf(text, sizeof(text), "name=n%u", i + 1);
		add_text(lab, i, TRACE_meta, text);
		snprintf(text, sizeof(text), "device=1 net lan 02:00:00:00:00:%02x", i + 1);
		add_text(lab, i, TRACE_meta, text);
	}
	for (uint32_t i = 0; i < GUESTS; i++) {
		snprintf(text, sizeof(text), "n%u", i + 1);
		add_text(lab, i, TRACE_join, text);
		exchange(lab, i, TRACE_OP_START, 1, 0);
		exchange(lab, i, TRACE_OP_WAIT, UINT64_MAX, 0);
	}
}

int main(int argc, char **argv)
{
	struct lab lab = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: make_long FILE RECORDS [CHANGED]\n");
		return 2;
	}
	lab.limit = strtoull(argv[2], NULL, 10);
	lab.changed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	check(trace_writer_create(argv[1], NULL, &lab.writer), argv[1]);
	introduce(&lab);
	while (lab.number < lab.limit) {
		for (uint32_t i = 0; i < GUESTS; i++)
			turn(&lab, i);
		lab.now += 3 * NS_PER_MS + chance_below(&lab, NS_PER_MS);
	}
	check(trace_writer_close(lab.writer, NULL), "close");
	return EXIT_SUCCESS;
}
