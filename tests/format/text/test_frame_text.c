// SPDX-License-Identifier: BSD-3-Clause
/* Frames in words: the usual ones, those that end early anywhere, and noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/text/frame_text.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

#define MACS 0x02, 0x79, 0x64, 0x8d, 0x73, 0x06, 0x02, 0x01, 0x7d, 0x56, 0xae, 0x80

#define IPV4(protocol, length)                                                                    \
	MACS, 0x08, 0x00, 0x45, 0, 0, length, 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, \
		0, 0, 2
#define IPV6(next, length)                                                                        \
	MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, length, next, 64, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, \
		0, 0, 0, 0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

static const uint8_t arp_request[] = { MACS, 8,	 6, 0, 1, 8, 0, 6, 4, 0, 1, 2,	1, 2, 3, 4,
				       5,    10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };
static const uint8_t arp_reply[] = { MACS, 8,	 6,    0,    1,	   8,  0,  6, 4, 0, 2,
				     2,	   0x79, 0x64, 0x8d, 0x73, 6,  10, 0, 0, 2, 2,
				     1,	   2,	 3,    4,    5,	   10, 0,  0, 1 };
static const uint8_t arp_odd[] = { MACS, 8, 6, 0, 6, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0,
				   0,	 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t echo[] = { IPV4(1, 28), 8, 0, 0, 0, 0, 30, 1, 2 };
static const uint8_t no_port[] = { IPV4(1, 28), 3, 3, 0, 0, 0, 0, 0, 0 };
static const uint8_t udp[] = { IPV4(17, 32), 0x30, 0x39, 0, 53, 0, 12, 0, 0, 'a', 'b', 'c', 'd' };
static const uint8_t
	tcp[] = { IPV4(6, 43), 0x8d, 0xc0, 0, 7, 0, 0, 0, 9,   0,   0,	 0, 5,
		  0x50,	       0x18, 0x20, 0, 0, 0, 0, 0, 'a', 'b', 'c', 0, 0 /* padding */ };
static const uint8_t tcp_short[] = { IPV4(6, 40), 0x8d, 0xc0, 0,    7,	  0, 0, 0, 9, 0, 0,
				     0,		  5,	0x40, 0x02, 0x20, 0, 0, 0, 0, 0 };
static const uint8_t fragment[] = { MACS, 0x08, 0x00, 0x45, 0, 0,  24, 0, 1, 0x20, 2, 64, 17, 0,
				    0,	  10,	0,    0,    1, 10, 0,  0, 2, 1,	   2, 3,  4 };
static const uint8_t unknown_ip[] = { IPV4(132, 24), 1, 2, 3, 4 };
static const uint8_t bad_header[] = { MACS, 0x08, 0x00, 0x42, 0, 0,  24, 0, 1, 0, 0, 64, 17, 0,
				      0,    10,	  0,	0,    1, 10, 0,	 0, 2, 1, 2, 3,	 4 };
static const uint8_t solicitation[] = {
	IPV6(58, 24), 135, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
};
static const uint8_t report[] = { IPV6(0, 16), 58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t endless[] = { IPV6(0, 16), 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0 };
static const uint8_t fragment6[] = { IPV6(44, 12), 17, 0, 5, 0xa9, 0, 0, 0, 1, 1, 2, 3, 4 };
static const uint8_t vlan[] = { MACS, 0x81, 0, 0x60, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0,  1, 2, 1, 2,
				3,    4,    5, 10,   0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };
static const uint8_t experimental[] = { MACS, 0x88, 0xb5, 'h', 'e', 'y' };
static const uint8_t old_length[] = { MACS, 0, 3, 'h', 'e', 'y' };

static const struct {
	const uint8_t *data;
	size_t size;
	const char *text;
} known[] = {
#define FRAME(frame) frame, sizeof(frame)
	{ FRAME(arp_request), "ARP who has 10.0.0.2? tell 10.0.0.1" },
	{ FRAME(arp_reply), "ARP 10.0.0.2 is at 02:79:64:8d:73:06" },
	{ FRAME(arp_odd), "ARP of unknown type" },
	{ FRAME(echo), "10.0.0.1 > 10.0.0.2 ICMP echo request id 30 seq 258" },
	{ FRAME(no_port), "10.0.0.1 > 10.0.0.2 ICMP port unreachable" },
	{ FRAME(udp), "10.0.0.1 > 10.0.0.2 UDP 12345 > 53, 4 bytes" },
	{ FRAME(tcp), "10.0.0.1 > 10.0.0.2 TCP 36288 > 7 [PA] seq 9 ack 5 win 8192, 3 bytes" },
	{ FRAME(tcp_short),
	  "10.0.0.1 > 10.0.0.2 TCP 36288 > 7 [S] seq 9 win 8192, truncated header" },
	{ FRAME(fragment), "10.0.0.1 > 10.0.0.2 fragment of protocol 17 at 16, 4 bytes" },
	{ FRAME(unknown_ip), "10.0.0.1 > 10.0.0.2 protocol 132, 4 bytes" },
	{ FRAME(bad_header), "10.0.0.1 > 10.0.0.2 IPv4 with an invalid header" },
	{ FRAME(solicitation), "fe80::1 > ff02::1 ICMPv6 neighbour solicitation for fe80::2" },
	{ FRAME(report), "fe80::1 > ff02::1 ICMPv6 listener report v2" },
	{ FRAME(endless), "fe80::1 > ff02::1 IPv6 header, cut off" },
	{ FRAME(fragment6), "fe80::1 > ff02::1 fragment of protocol 17 at 1448, 4 bytes" },
	{ FRAME(vlan), "VLAN 7 ARP who has 10.0.0.2? tell 10.0.0.1" },
	{ FRAME(experimental), "02:01:7d:56:ae:80 > 02:79:64:8d:73:06 type 0x88b5, 3 bytes" },
	{ FRAME(old_length), "02:01:7d:56:ae:80 > 02:79:64:8d:73:06 802.3, 3 bytes" },
#undef FRAME
};

/* The frame ends where its memory does, so that a sanitizer sees who looks beyond. */
static char *describe(const uint8_t *data, size_t size)
{
	auto_free uint8_t *exact = malloc(size ? size : 1);
	struct line line = { 0 };

	assert_non_null(exact);
	if (size)
		memcpy(exact, data, size);
	line_add_frame(&line, exact, size);
	line_char(&line, '\0');
	assert_false(line.failed);
	return line.text;
}

static void usual_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		auto_free char *text = describe(known[i].data, known[i].size);

		assert_string_equal(text, known[i].text);
	}
}

static void assert_printable(const char *text)
{
	assert_true(*text);
	for (; *text; text++)
		assert_true(*text >= ' ' && *text <= '~' && *text != '"' && *text != '\\');
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		for (size_t size = 0; size < known[i].size; size++) {
			auto_free char *text = describe(known[i].data, size);

			assert_printable(text);
			if (size < 14)
				assert_non_null(strstr(text, "a frame of "));
		}
}

static void noise(void **state)
{
	struct sample_random random = { test_seed(4) };

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t which = sample_below(&random, ARRAY_SIZE(known));
		uint8_t data[128];
		size_t size = known[which].size;

		memcpy(data, known[which].data, size);
		for (uint64_t flips = sample_below(&random, 6); flips; flips--)
			data[12 + sample_below(&random, size - 12)] =
				(uint8_t)sample_random(&random);
		size -= sample_below(&random, 3) ? 0 : sample_below(&random, size);
		auto_free char *text = describe(data, size);
		assert_printable(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_frames),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
