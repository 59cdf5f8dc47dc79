// SPDX-License-Identifier: BSD-3-Clause
/* Two guests on a network that ping each other, with every record that such a lab has. */
#include "tests/format/trace/sample.h"

#include <string.h>

#include "format/base/units.h"

#define DELAY	  (100 * NS_PER_US)
#define READ_TIME 256 /* ns that a look at the clock takes in a guest */

#define FRAME_SIZE  98 /* an echo request of ping(8): 14 + 20 + 8 + 56 bytes */
#define ARP_SIZE    42
#define HEADER_SIZE 12 /* struct virtio_net_hdr_mrg_rxbuf, of which the last two bytes are a 1 */
#define HEADER_SKIP 10
#define ADDRESSES   12 /* of receiver and sender, in front of the frame */

/* Requests of vhost-user, and the flag of one that is to be answered. */
enum { GET_FEATURES = 1, SET_FEATURES = 2, SET_MEM_TABLE = 5, SET_VRING_NUM = 8, VRING_KICK = 35 };
#define NEED_REPLY   9
#define VERSION	     1
#define VRING_CALL   4
#define RECEIVE	     0 /* queue */
#define SEND	     1
#define RING_ENTRIES 256

struct node {
	uint32_t guest;
	uint64_t seq, calls;
	uint64_t wanted;     /* time of its next timer */
	uint64_t background; /* and of that of the kernel */
	unsigned int received;
};

struct lab {
	struct sample *sample;
	struct node node[2];
	uint64_t told[2]; /* how long frames from each take; 0: nothing yet */
	uint64_t now, run_seq;
	bool busy; /* the guests do more than they must */
	bool jitter;
};

static void add(struct lab *lab, const struct node *node, struct trace_record record)
{
	record.now = lab->now;
	record.guest = node->guest;
	sample_add(lab->sample, &record);
}

static void add_exchange(struct lab *lab, struct node *node, enum trace_operation op, uint64_t time,
			 uint64_t answer)
{
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_from, .from = { op, ++node->seq, time } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_to, .to = { TRACE_OP_ACK, node->seq, answer } });
}

static void add_wait(struct lab *lab, struct node *node)
{
	add_exchange(lab, node, TRACE_OP_WAIT, UINT64_MAX, 0);
}

static void add_run(struct lab *lab, struct node *node, uint64_t time)
{
	lab->now = time;
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_to,
				   .to = { TRACE_OP_RUN, ++lab->run_seq, time } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_from, .from = { TRACE_OP_ACK, lab->run_seq, 0 } });
}

/* The guest looks at the clock: that takes time, for which it asks. */
static void add_clock_reads(struct lab *lab, struct node *node, unsigned int count)
{
	while (lab->busy && count--) {
		add_exchange(lab, node, TRACE_OP_REQUEST, lab->now + READ_TIME, 0);
		add_wait(lab, node);
		add_run(lab, node, lab->now + READ_TIME);
	}
}

static void add_sleep(struct lab *lab, struct node *node, uint64_t until)
{
	node->wanted = until;
	add_exchange(lab, node, TRACE_OP_REQUEST, until, 0);
	add_wait(lab, node);
}

static void add_kick(struct lab *lab, struct node *node)
{
	add_exchange(lab, node, TRACE_OP_UPDATE, lab->now, 0);
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_kick, .kick = { 0, SEND, NEED_REPLY, 1 } });
	add(lab, node, (struct trace_record){ .kind = TRACE_reply, .reply = { 0, VRING_KICK, 0 } });
}

/* The guest takes buffers from its free list, last returned first, a half of the ring at a time. */
static uint64_t next_head(struct node *node)
{
	unsigned int turn = node->received / (RING_ENTRIES / 2);
	unsigned int place = node->received++ % (RING_ENTRIES / 2);

	return turn % 2 ? RING_ENTRIES - 1 - place : place;
}

static void add_call(struct lab *lab, struct node *node, uint64_t queue)
{
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_call,
				   .call = { 0, VRING_CALL, queue, node->calls++ } });
	add_exchange(lab, node, TRACE_OP_GET, UINT64_MAX, lab->now);
	add_exchange(lab, node, TRACE_OP_REQUEST, lab->now, 0);
	add(lab, node, (struct trace_record){ .kind = TRACE_called, .called = { 0, 0 } });
	add_run(lab, node, lab->now);
}

/* A frame of @from arrives after @delay. */
static void add_sent(struct lab *lab, const struct node *node, uint32_t from, uint64_t delay)
{
	if (lab->told[from] != delay)
		add(lab, node,
		    (struct trace_record){ .kind = TRACE_sent, .sent = { 0, from, 0, delay } });
	lab->told[from] = delay;
}

static uint64_t next_delay(const struct lab *lab)
{
	struct sample_random random = { lab->sample->count };

	return DELAY + (lab->jitter ? sample_below(&random, DELAY) : 0);
}

/* The network gives @node a frame, @size bytes long; it arrives in a WAIT. */
static void add_frame(struct lab *lab, struct node *node, size_t size)
{
	uint8_t data[HEADER_SIZE - HEADER_SKIP + FRAME_SIZE] = { 1, 0 };
	uint32_t from = !node->guest;
	uint64_t delay = next_delay(lab);

	for (size_t i = 2; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + node->received);
	memset(data + 2, 0, ADDRESSES);
	data[1 + ADDRESSES] = (uint8_t)from;
	lab->now += delay;
	add_sent(lab, node, from, delay);
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_used,
				   .used = { 0, RECEIVE, next_head(node), HEADER_SKIP },
				   .payload = data,
				   .payload_size = HEADER_SIZE - HEADER_SKIP + size });
	add_call(lab, node, RECEIVE);
}

/* There and back: @size bytes each. @from runs and goes to sleep until @until. */
static void add_round_trip(struct lab *lab, struct node *from, struct node *to, size_t size,
			   uint64_t until)
{
	add_kick(lab, from);
	add_sleep(lab, from, until);
	add_frame(lab, to, size);
	add_kick(lab, to);
	add_wait(lab, to);
	add_frame(lab, from, size);
	add_clock_reads(lab, from, 2);
	add_sleep(lab, from, until);
}

/* Timers of the guests' kernels that come before @time. */
static void add_background(struct lab *lab, uint64_t time)
{
	for (int i = 0; i < 2; i++) {
		struct node *node = &lab->node[i];

		if (!lab->busy || node->background > time)
			continue;
		add_run(lab, node, node->background);
		node->background += 4 * NS_PER_S;
		add_sleep(lab, node, node->wanted > lab->now ? node->wanted : node->background);
	}
}

static void add_set_up(struct lab *lab, struct node *node)
{
	static const uint8_t table[8 + 32] = { 1 };
	static const uint8_t number[8] = { 0, 0, 0, 0, 0, 1 };

	add(lab, node, (struct trace_record){ .kind = TRACE_attach, .attach = { 0 } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_request,
				   .request = { 0, GET_FEATURES, VERSION } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_reply,
				   .reply = { 0, GET_FEATURES, 0x150000020 } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_request,
				   .request = { 0, SET_MEM_TABLE, VERSION },
				   .payload = table,
				   .payload_size = sizeof(table) });
	for (int i = 0; i < 2; i++)
		add(lab, node,
		    (struct trace_record){ .kind = TRACE_request,
					   .request = { 0, SET_VRING_NUM, VERSION },
					   .payload = number,
					   .payload_size = sizeof(number) });
}

/* What happens less often. */
static void add_rest(struct lab *lab, struct node *node)
{
	add(lab, node,
	    (struct trace_record){
		    .kind = TRACE_taken, .taken = { 2, 1 }, .payload = "ls\n", .payload_size = 3 });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_wrote,
				   .wrote = { 1, 0, 7, 0 },
				   .payload = "first half",
				   .payload_size = 10 });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_used,
				   .used = { 1, 0, 7, 10 },
				   .payload = "second half",
				   .payload_size = 11 });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_call, .call = { 0, 2, 0, node->calls++ } });
	add(lab, node, (struct trace_record){ .kind = TRACE_called, .called = { 0, 0 } });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_lost,
				   .lost = { 0, TRACE_LOSS_NOBODY },
				   .payload = "frame",
				   .payload_size = 5 });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_irq,
				   .irq = { TRACE_IRQ_PANIC, 0, lab->now },
				   .payload = "panic",
				   .payload_size = 5 });
	add(lab, node,
	    (struct trace_record){ .kind = TRACE_request, .request = { 0, 99, NEED_REPLY } });
	add(lab, node, (struct trace_record){ .kind = TRACE_cut, .cut = { 1 } });
	add(lab, node, (struct trace_record){ .kind = TRACE_detach, .detach = { 0 } });
}

uint64_t sample_network(struct sample *sample, unsigned int pings, enum sample_lab kind)
{
	struct lab lab = {
		.sample = sample,
		.busy = kind == SAMPLE_BUSY,
		.jitter = kind == SAMPLE_JITTER,
		.node = { { .guest = 0, .background = NS_PER_S / 4 },
			  { .guest = 1, .background = NS_PER_S / 2 } },
	};
	struct node *from = &lab.node[0], *to = &lab.node[1];
	uint64_t bytes = 0;

	add_set_up(&lab, from);
	add_set_up(&lab, to);
	add_wait(&lab, to);
	add_sleep(&lab, from, NS_PER_S);
	for (unsigned int i = 1; i <= pings; i++) {
		bool arp = i % 30 == 1;

		add_background(&lab, i * NS_PER_S);
		add_run(&lab, from, i * NS_PER_S);
		if (arp)
			add_round_trip(&lab, from, to, ARP_SIZE, i * NS_PER_S + NS_PER_MS);
		if (arp)
			add_run(&lab, from, i * NS_PER_S + NS_PER_MS);
		add_clock_reads(&lab, from, 3);
		add_round_trip(&lab, from, to, FRAME_SIZE, (i + 1) * NS_PER_S);
		bytes += 2 * FRAME_SIZE + (arp ? 2 * ARP_SIZE : 0);
	}
	add_rest(&lab, from);
	return bytes;
}
