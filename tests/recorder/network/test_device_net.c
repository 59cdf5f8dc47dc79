// SPDX-License-Identifier: BSD-3-Clause
/* Two network cards at a network: frames come whole and in time, and no guest can hurt. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/tttrace.h"
#include "recorder/network/network.h"
#include "tests/recorder/device/device_stage.h"

#define RX     0
#define TX     1
#define HEADER 12
#define DELAY  1000 /* of the whole way */

static struct network *network;
static struct device_stage card[2];
static uint64_t now;

static const uint8_t address[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static int setup(void **state)
{
	const struct network_link link = { .delay = DELAY / 2 };

	(void)state;
	now = 0;
	assert_int_equal(network_create(1, &network), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct network_port *port;
		struct device *device;

		assert_int_equal(network_add_port(network, &link, &port), 0);
		device = device_net_create(port, address[i], i ? 9000 : 0);
		network_port_connect(port, device, NULL);
		device_stage_open(&card[i], device, &now);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	device_stage_close(&card[0]);
	device_stage_close(&card[1]);
	network_destroy(network);
	return 0;
}

/* Header and frame, as the driver of card 0 puts them into one buffer. */
static size_t make_packet(uint8_t *packet, size_t header, size_t size)
{
	memset(packet, 0, header);
	for (size_t i = 0; i < size; i++)
		packet[header + i] = (uint8_t)(i * 7 + size);
	memcpy(packet + header, address[1], 6);
	memcpy(packet + header + 6, address[0], 6);
	return header + size;
}

static void send_packet(size_t header, size_t size)
{
	static uint8_t packet[NETWORK_FRAME_MAX + HEADER];

	ring_builder_send(&card[0].queue[TX], packet, (uint32_t)make_packet(packet, header, size));
}

static void assert_packet(uint64_t where, size_t header, size_t size)
{
	uint8_t *expected = malloc(header + size);

	make_packet(expected, header, size);
	if (header == HEADER)
		expected[10] = 1; /* num_buffers */
	assert_memory_equal(builder_memory_at(&card[1].memory, where), expected, header + size);
	free(expected);
}

static void configuration(void **state)
{
	const struct device *device = card[1].device;
	const uint8_t *config = device->config;

	(void)state;
	assert_int_equal(device->class->virtio_id, 1);
	assert_memory_equal(config, address[1], 6);
	assert_int_equal(config[10] | config[11] << 8, 9000);
	assert_int_equal(device->config_size, 12);
	assert_int_equal(device_features(device), 1ull << 3 | 1ull << 5 | VIRTIO_F_VERSION_1 |
							  VIRTIO_F_INDIRECT_DESC |
							  VHOST_F_PROTOCOL_FEATURES);
	assert_int_equal(device_features(card[0].device) & 1ull << 3, 0);
}

static void frame_arrives_in_time(void **state)
{
	uint64_t where;
	uint16_t head;
	uint32_t written;

	(void)state;
	ring_builder_receive(&card[1].queue[RX], 1530, &where);
	assert_int_equal(device_stage_kick(&card[1], RX), 0);
	send_packet(HEADER, 100);
	now = 50;
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	/* The sender has its buffer back at once. */
	assert_true(ring_builder_take_used(&card[0].queue[TX], &head, &written));
	assert_int_equal(written, 0);
	assert_int_equal(card[1].device->due, 50 + DELAY);
	assert_int_equal(device_stage_pass(&card[1], 50 + DELAY - 1), 0);
	assert_false(ring_builder_take_used(&card[1].queue[RX], &head, &written));
	assert_int_equal(device_stage_pass(&card[1], 50 + DELAY), 0);
	assert_true(ring_builder_take_used(&card[1].queue[RX], &head, &written));
	assert_int_equal(written, HEADER + 100);
	assert_packet(where, HEADER, 100);
	assert_ptr_equal(card[1].arrived_from, card[0].device);
	assert_int_equal(card[1].arrived_sent, 50);
	assert_int_equal(device_stage_calls(&card[1]), 1 << RX);
	assert_int_equal(card[1].used_count, 1);
}

static void call_for_sent_comes_when_nobody_runs(void **state)
{
	(void)state;
	send_packet(HEADER, 100);
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	assert_int_equal(card[0].device->due, 0);
	assert_int_equal(device_stage_pass(&card[0], 0), 0);
	assert_int_equal(device_stage_calls(&card[0]), 1 << TX);
	*ring_builder_avail_flags(&card[0].queue[TX]) = 1;
	send_packet(HEADER, 100);
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	assert_int_equal(card[0].device->due, WIRE_TIME_NEVER);
	assert_int_equal(device_stage_calls(&card[0]), 0);
}

static void header_is_shorter_without_version_1(void **state)
{
	uint64_t where;

	(void)state;
	card[0].vhost.features = card[1].vhost.features = 0;
	ring_builder_receive(&card[1].queue[RX], 1530, &where);
	send_packet(10, 60);
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	assert_int_equal(device_stage_pass(&card[1], DELAY), 0);
	assert_int_equal(card[1].used[0].written, 70);
	assert_packet(where, 10, 60);
}

/* Headers and frames lie over any buffers, direct or not. */
static void scattered_packets(void **state)
{
	uint8_t packet[HEADER + 100];
	struct builder_part out[4], in[3];
	uint64_t from, to;

	(void)state;
	make_packet(packet, HEADER, 100);
	for (enum builder_shape shape = BUILDER_DIRECT; shape <= BUILDER_INDIRECT; shape++) {
		from = builder_memory_allocate(&card[0].memory, sizeof(packet));
		memcpy(builder_memory_at(&card[0].memory, from), packet, sizeof(packet));
		to = builder_memory_allocate(&card[1].memory, 200);
		out[0] = (struct builder_part){ from, 5, false };
		out[1] = (struct builder_part){ from + 5, 0, false };
		out[2] = (struct builder_part){ from + 5, 20, false };
		out[3] = (struct builder_part){ from + 25, sizeof(packet) - 25, false };
		in[0] = (struct builder_part){ to, 11, true };
		in[1] = (struct builder_part){ to + 11, 2, true };
		in[2] = (struct builder_part){ to + 13, 187, true };
		ring_builder_add(&card[0].queue[TX], out, 4, shape);
		ring_builder_add(&card[1].queue[RX], in, 3, shape);
		assert_int_equal(device_stage_kick(&card[0], TX), 1);
		assert_int_equal(device_stage_pass(&card[1], now + DELAY), 0);
		assert_packet(to, HEADER, 100);
	}
	assert_int_equal(card[1].used_count, 2);
}

static void frames_wait_for_buffers(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		send_packet(HEADER, 60 + i);
	assert_int_equal(device_stage_kick(&card[0], TX), 3);
	ring_builder_receive(&card[1].queue[RX], 1530, NULL);
	assert_int_equal(device_stage_pass(&card[1], 5 * DELAY), 0);
	assert_int_equal(card[1].used_count, 1);
	assert_int_equal(card[1].device->due, WIRE_TIME_NEVER);
	ring_builder_receive(&card[1].queue[RX], 1530, NULL);
	ring_builder_receive(&card[1].queue[RX], 1530, NULL);
	assert_int_equal(device_stage_kick(&card[1], RX), 0);
	assert_int_equal(card[1].device->due, 5 * DELAY);
	assert_int_equal(device_stage_pass(&card[1], 5 * DELAY), 0);
	assert_int_equal(card[1].used_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(card[1].used[i].written, HEADER + 60 + i);
	/* Nothing waits: buffers alone are no reason to be woken. */
	ring_builder_receive(&card[1].queue[RX], 1530, NULL);
	assert_int_equal(device_stage_kick(&card[1], RX), 0);
	assert_int_equal(card[1].device->due, WIRE_TIME_NEVER);
}

static void waiting_frames_are_bounded(void **state)
{
	unsigned int sent = 0;
	uint16_t head;
	uint32_t written;

	(void)state;
	while (sent < NETWORK_BACKLOG_MAX + 10) {
		send_packet(HEADER, 60);
		assert_int_equal(device_stage_kick(&card[0], TX), 1);
		assert_true(ring_builder_take_used(&card[0].queue[TX], &head, &written));
		sent++;
	}
	assert_int_equal(card[0].lost, 10);
	assert_int_equal(card[0].lost_reason, TRACE_LOSS_NO_BUFFER);
}

static void frame_larger_than_the_buffer_is_dropped(void **state)
{
	(void)state;
	ring_builder_receive(&card[1].queue[RX], HEADER + 80, NULL);
	send_packet(HEADER, 81);
	send_packet(HEADER, 80);
	assert_int_equal(device_stage_kick(&card[0], TX), 2);
	assert_int_equal(device_stage_pass(&card[1], DELAY), 0);
	assert_int_equal(card[1].lost, 1);
	assert_int_equal(card[1].lost_reason, TRACE_LOSS_NO_BUFFER);
	assert_int_equal(card[1].used_count, 1);
	assert_int_equal(card[1].used[0].written, HEADER + 80);
}

static void largest_frame_passes(void **state)
{
	uint64_t where;

	(void)state;
	ring_builder_receive(&card[1].queue[RX], HEADER + NETWORK_FRAME_MAX, &where);
	send_packet(HEADER, NETWORK_FRAME_MAX);
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	assert_int_equal(device_stage_pass(&card[1], DELAY), 0);
	assert_packet(where, HEADER, NETWORK_FRAME_MAX);
}

static void assert_ended(struct device_stage *stage, unsigned int queue, int err, const char *why)
{
	assert_int_equal(err, -EBADMSG);
	assert_non_null(strstr(stage->vhost.ring[queue].problem, why));
}

static void impossible_packets_end_the_card(void **state)
{
	static const uint8_t zeros[HEADER + NETWORK_FRAME_MAX + 1];
	struct ring_builder *tx = &card[0].queue[TX];

	(void)state;
	ring_builder_send(tx, zeros, HEADER - 1);
	assert_ended(&card[0], TX, device_stage_kick(&card[0], TX), "a frame of 11 bytes");
	ring_builder_send(tx, zeros, sizeof(zeros));
	assert_ended(&card[0], TX, device_stage_kick(&card[0], TX), "a frame of 65563 bytes");
	/* Nothing to read at all. */
	ring_builder_receive(tx, 100, NULL);
	assert_ended(&card[0], TX, device_stage_kick(&card[0], TX), "a frame of 0 bytes");
	assert_ended(&card[0], 2, device_stage_kick(&card[0], 2), "no queue 2");
	/* No room for a header. */
	ring_builder_receive(&card[1].queue[RX], HEADER - 1, NULL);
	card[0].vhost.ring[TX].next_avail = card[0].queue[TX].avail_index;
	send_packet(HEADER, 60);
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	assert_ended(&card[1], RX, device_stage_pass(&card[1], DELAY), "a buffer of 11 bytes");
}

/* Not even an Ethernet header: no error, but nobody's either. */
static void runts_are_lost(void **state)
{
	static const uint8_t zeros[HEADER + 13];

	(void)state;
	for (uint32_t size = HEADER; size <= sizeof(zeros); size++)
		ring_builder_send(&card[0].queue[TX], zeros, size);
	assert_int_equal(device_stage_kick(&card[0], TX), 14);
	assert_int_equal(card[0].lost, 14);
	assert_int_equal(card[0].lost_reason, TRACE_LOSS_NOBODY);
}

static void nothing_without_a_vring(void **state)
{
	(void)state;
	send_packet(HEADER, 60);
	card[0].vhost.ring[TX].enabled = false;
	assert_int_equal(device_stage_kick(&card[0], TX), 0);
	card[0].vhost.ring[TX].enabled = true;
	assert_int_equal(device_stage_kick(&card[0], TX), 1);
	card[1].vhost.ring[RX].size = 0;
	assert_int_equal(device_stage_pass(&card[1], DELAY), 0);
	assert_int_equal(card[1].used_count, 0);
}

static void memory_that_is_gone_reads_as_zeros(void **state)
{
	(void)state;
	send_packet(HEADER, 60);
	device_stage_lose_memory(&card[0]);
	/* Zeros are an empty ring, or one that makes no sense; both are fine. */
	assert_true(device_stage_kick(&card[0], TX) <= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration),
		TEST(frame_arrives_in_time),
		TEST(call_for_sent_comes_when_nobody_runs),
		TEST(header_is_shorter_without_version_1),
		TEST(scattered_packets),
		TEST(frames_wait_for_buffers),
		TEST(waiting_frames_are_bounded),
		TEST(frame_larger_than_the_buffer_is_dropped),
		TEST(largest_frame_passes),
		TEST(impossible_packets_end_the_card),
		TEST(runts_are_lost),
		TEST(nothing_without_a_vring),
		TEST(memory_that_is_gone_reads_as_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
