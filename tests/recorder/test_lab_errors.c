// SPDX-License-Identifier: BSD-3-Clause
/* Each mistake in a lab file is refused with its place, what is wrong and what would be right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/recorder/lab_sample.h"

struct mistake {
	const char *text, *what, *advice;
};

static const struct mistake files_that_are_no_lab[] = {
	{ "", "lab.yaml is empty", "name a lab file, see ttrec-lab(5)" },
	{ "# nothing\n", "lab.yaml is empty", "name a lab file, see ttrec-lab(5)" },
	{ "hello\n", "lab.yaml:1:1: a lab is a mapping; this is none",
	  "give a mapping of these: networks, programs, guests, seed, tod, grant, work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "- a\n", "lab.yaml:1:1: a lab is a mapping; this is none",
	  "give a mapping of these: networks, programs, guests, seed, tod, grant, work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "[]\n", "lab.yaml:1:1: a lab is a mapping; this is none",
	  "give a mapping of these: networks, programs, guests, seed, tod, grant, work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "{}\n", "lab.yaml:1:1: a lab needs 'guests'",
	  "guests: a list of guests, each with a name and a kernel" },
	{ "guests:\n", "lab.yaml:1:8: 'guests' is nothing, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
	{ "guests: []\n", "lab.yaml:1:9: a lab has guests; this list is empty",
	  "give at least one, with a name and a kernel" },
	{ "guests: {}\n", "lab.yaml:1:9: 'guests' is a mapping, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
	{ "guests: a\n", "lab.yaml:1:9: 'guests' is a single value, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
	{ "guests: [a\n",
	  "lab.yaml:2:1: this is no YAML: did not find expected ',' or ']' while parsing a flow "
	  "sequence that begins in line 1",
	  "look at the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "guests:\n\t- name: a\n",
	  "lab.yaml:2:1: this is no YAML: found character that cannot start any token",
	  "look at the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "a: b: c\n",
	  "lab.yaml:1:5: this is no YAML: mapping values are not allowed in this context",
	  "look at the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "guests: [{name: a, kernel: k}]\n---\nguests: []\n",
	  "lab.yaml:3:1: a second document begins here",
	  "a lab is one document: remove the line with '---'" },
	{ "*x\n", "lab.yaml:1:1: this is no YAML: found undefined alias",
	  "before an alias (*name) stands its anchor (&name), once" },
	{ "a: &x 1\nb: &x 2\n", "lab.yaml:2:4: this anchor stands in line 1 already",
	  "before an alias (*name) stands its anchor (&name), once" },
	{ "guests: \001\n", "lab.yaml:1:9: a control character (0x01) has no place here",
	  "write the file as UTF-8 text; in double quotes, \\xHH stands for a character" },
	{ "guests: [{name: \200}]\n", "lab.yaml:1:17: the byte 0x80 is no UTF-8 text",
	  "write the file as UTF-8 text; in double quotes, \\xHH stands for a character" },
};

static const struct mistake keys[] = {
	{ "guest: [{name: a, kernel: k}]\n", "lab.yaml:1:1: unknown key 'guest' of a lab",
	  "did you mean 'guests'? known here: networks, programs, guests, seed, tod, grant, "
	  "work-cost, "
	  "limits, expect, fail-on, allow-line" },
	{ "networks:\n  - name: lan\n    dealy: 1ms\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:3:5: unknown key 'dealy' of a network",
	  "did you mean 'delay'? known here: name, delay, jitter, loss, bandwidth, reorder" },
	{ "networks: [{name: lan, delay: 1ms, delay: 2ms}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:36: 'delay' stands twice in a network", "say it once" },
	{ "networks: [{name: lan, [a]: b}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:24: a key is no word", "give a word before the ':'" },
	{ "networks: [{name: lan, colour: red}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:24: unknown key 'colour' of a network",
	  "known here: name, delay, jitter, loss, bandwidth, reorder" },
	{ "seeed: 1\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:1: unknown key 'seeed' of a lab",
	  "did you mean 'seed'? known here: networks, programs, guests, seed, tod, grant, "
	  "work-cost, limits, "
	  "expect, fail-on, allow-line" },
	{ "limits: {virtuel: 1s}\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:10: unknown key 'virtuel' of limits",
	  "did you mean 'virtual'? known here: virtual, wall" },
	{ "limits: 10s\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:9: limits is a mapping; this is none",
	  "give a mapping of these: virtual, wall" },
	{ "guests: [{name: a}]\n", "lab.yaml:1:10: a guest needs 'kernel'",
	  "kernel: the path of a User-Mode-Linux kernel" },
	{ "guests: [{kernel: k}]\n", "lab.yaml:1:10: a guest needs 'name'",
	  "name: what reports call it" },
	{ "guests: [{name: a, kernel: }]\n", "lab.yaml:1:28: 'kernel' is nothing",
	  "give the path of a file" },
	{ "guests: [{name: a, kernel: [k]}]\n", "lab.yaml:1:28: 'kernel' is a list",
	  "give the path of a file" },
	{ "guests: [{name: a, kernel: !file k}]\n",
	  "lab.yaml:1:28: the tag '!file' means nothing here", "leave the tag out" },
	{ "guests: [{name: a, kernel: \"\"}]\n", "lab.yaml:1:28: 'kernel' cannot be ''",
	  "give the path of a file" },
	{ "guests: [{name: a, kernel: \"k\\0\"}]\n", "lab.yaml:1:28: 'kernel' holds a NUL byte",
	  "leave \\0 out" },
	{ "guests: [{<<: 1, name: a}]\n", "lab.yaml:1:15: a guest is a mapping; this is none",
	  "give a mapping of these: name, kernel, initrd, memory, append, id, seed, count, expect, "
	  "fail-on, allow-line, devices" },
	{ "guests: [&g {<<: *g, name: a, kernel: k}]\n",
	  "lab.yaml:1:10: merges are nested too deep",
	  "merge a mapping that is complete without this one" },
};

static const struct mistake values[] = {
	{ "networks: [{name: lan, delay: 5}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: 'delay' cannot be '5'", "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 5 apples}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: 'delay' cannot be '5 apples'", "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: -1ms}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: 'delay' cannot be '-1ms'", "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 1e3us}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: 'delay' cannot be '1e3us'", "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 101ns}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: half of the delay is on each side, and this one has no half",
	  "give an even number of nanoseconds" },
	{ "networks: [{name: lan, delay: 3000000h}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: 'delay' cannot be '3000000h': it is too large",
	  "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, jitter: [1ms]}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:32: 'jitter' is a list", "give a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, loss: 2}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be more than 1 (100%)",
	  "give a share from 0 to 1, or 0% to 100%" },
	{ "networks: [{name: lan, loss: 101%}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be more than 1 (100%)",
	  "give a share from 0 to 1, or 0% to 100%" },
	{ "networks: [{name: lan, loss: -1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be '-1'", "give a share such as 0.01 or 1%" },
	{ "networks: [{name: lan, loss: lots}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be 'lots'", "give a share such as 0.01 or 1%" },
	{ "networks: [{name: lan, bandwidth: 0bit}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: 'bandwidth' cannot be '0bit': it is at least 1bit",
	  "give a rate such as 10Mbit or 1Gbit; or leave it out" },
	{ "networks: [{name: lan, bandwidth: 10MB}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: 'bandwidth' cannot be '10MB'", "give a rate such as 10Mbit or 1Gbit" },
	{ "networks: [{name: lan, bandwidth: 1000}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: 'bandwidth' cannot be '1000'", "give a rate such as 10Mbit or 1Gbit" },
	{ "networks: [{name: lan, bandwidth: 99999999999Gbit}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: 'bandwidth' cannot be '99999999999Gbit': it is too large",
	  "give a rate such as 10Mbit or 1Gbit; or leave it out" },
	{ "guests: [{name: a, kernel: k, memory: 8M}]\n",
	  "lab.yaml:1:39: 'memory' cannot be '8M': it is at least 16M",
	  "give a size such as 64M or 1G; or leave it out" },
	{ "guests: [{name: a, kernel: k, memory: 65G}]\n",
	  "lab.yaml:1:39: 'memory' cannot be '65G': it is at most 64G",
	  "give a size such as 64M or 1G; or leave it out" },
	{ "guests: [{name: a, kernel: k, memory: 64MB}]\n",
	  "lab.yaml:1:39: 'memory' cannot be '64MB'", "give a size such as 64M or 1G" },
	{ "guests: [{name: a, kernel: k, memory: 16777217}]\n",
	  "lab.yaml:1:39: memory comes in pages of 4 KiB", "give a size such as 64M" },
	{ "guests: [{name: a, kernel: k, memory: 1.33M}]\n",
	  "lab.yaml:1:39: 'memory' cannot be '1.33M'", "give a size such as 64M or 1G" },
	{ "guests: [{name: a, kernel: k, id: -1}]\n", "lab.yaml:1:35: 'id' cannot be '-1'",
	  "give a whole number" },
	{ "guests: [{name: a, kernel: k, id: 010}]\n", "lab.yaml:1:35: 'id' cannot be '010'",
	  "give a whole number" },
	{ "guests: [{name: a, kernel: k, id: 0x}]\n", "lab.yaml:1:35: 'id' cannot be '0x'",
	  "give a whole number" },
	{ "guests: [{name: a, kernel: k, seed: 18446744073709551615}]\n",
	  "lab.yaml:1:37: 'seed' cannot be '18446744073709551615': it is at most "
	  "18446744073709551614",
	  "give a whole number" },
	{ "guests: [{name: a, kernel: k, id: 18446744073709551616}]\n",
	  "lab.yaml:1:35: 'id' cannot be '18446744073709551616': it is at most "
	  "18446744073709551614",
	  "give a whole number" },
	{ "tod: yesterday\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: 'tod' cannot be 'yesterday'",
	  "give a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "tod: 1960-01-01T00:00:00Z\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: 'tod' cannot be '1960-01-01T00:00:00Z'",
	  "give a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "tod: 2300-01-01T00:00:00Z\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: 'tod' cannot be '2300-01-01T00:00:00Z'",
	  "give a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "grant: all\nguests: [{name: a, kernel: k}]\n", "lab.yaml:1:8: 'grant' cannot be 'all'",
	  "give each or window" },
	{ "limits: {wall: 0}\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:16: 'wall' cannot be '0': it is at least 1ns",
	  "give a time such as 100us, 1.5ms or 2s; or leave it out" },
	{ "expect: '('\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:9: the pattern '(' is none: Unmatched ( or \\(",
	  "give a POSIX extended regular expression, see regex(7)" },
	{ "expect: [a, [b]]\nguests: [{name: a, kernel: k}]\n", "lab.yaml:1:13: 'expect' is a list",
	  "give a regular expression, or a list of them" },
	{ "fail-on: a{2000}\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:10: the pattern 'a{2000}' is too long or repeats too much",
	  "give a simpler one" },
	{ "fail-on: '(a{100}){100}'\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:10: the pattern '(a{100}){100}' is too long or repeats too much",
	  "give a simpler one" },
	{ "guests: [{name: a b, kernel: k}]\n", "lab.yaml:1:17: 'name' cannot be 'a b'",
	  "give a name of at most 63 letters, digits, '.', '_' and '-' that begins with a letter "
	  "or digit" },
	{ "guests: [{name: -a, kernel: k}]\n", "lab.yaml:1:17: 'name' cannot be '-a'",
	  "give a name of at most 63 letters, digits, '.', '_' and '-' that begins with a letter "
	  "or digit" },
	{ "guests: [{name: a, kernel: k, append: mem=32M}]\n",
	  "lab.yaml:1:39: 'append' cannot have mem=", "say 'memory: 64M' instead" },
	{ "guests: [{name: a, kernel: k, append: 'a=\"b c'}]\n",
	  "lab.yaml:1:39: a double quote is not closed",
	  "close it; if the quote is YAML's own, put the whole value in single quotes" },
};

static const struct mistake names[] = {
	{ "networks: [{name: a}, {name: a}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: the name 'a' is taken already", "give each a name of its own" },
	{ "guests: [{name: a, kernel: k}, {name: a, kernel: k}]\n",
	  "lab.yaml:1:39: the name 'a' is taken already", "give each a name of its own" },
	{ "guests: [{name: a, kernel: k, id: 2}, {name: b, kernel: k}]\n",
	  "lab.yaml:1:39: the id 2 of 'b' is that of 'a' already",
	  "give an 'id' to each guest, or to none" },
	{ "guests: [{name: a, kernel: k, id: 7}, {name: b, kernel: k, id: 7}]\n",
	  "lab.yaml:1:64: the id 7 of 'b' is that of 'a' already",
	  "give an 'id' to each guest, or to none" },
	{ "guests: [{name: a, kernel: k, count: 3}]\n",
	  "lab.yaml:1:17: guests with 'count' cannot have the same name",
	  "put %d where its number belongs, such as n%d" },
	{ "guests: [{name: a, kernel: k, count: 0}]\n",
	  "lab.yaml:1:38: 'count' cannot be '0': it is at least 1",
	  "give a whole number; or leave it out" },
	{ "guests: [{name: a, kernel: k, count: 1025}]\n",
	  "lab.yaml:1:38: 'count' cannot be '1025': it is at most 1024",
	  "give a whole number; or leave it out" },
	{ "guests: [{name: n%d, kernel: k, count: 2, seed: 1}]\n",
	  "lab.yaml:1:49: guests with 'count' cannot have the same 'seed'",
	  "leave it out: each gets one from the lab's seed and its id" },
	{ "guests: [{name: n%d, kernel: k, count: 2, id: 18446744073709551614}]\n",
	  "lab.yaml:1:47: there are not so many ids", "begin with a smaller one" },
	{ "guests: [{name: n%d, kernel: k, count: 1024}, {name: a, kernel: k}]\n",
	  "lab.yaml:1:47: more than 1024 guests", "make the lab smaller" },
	{ "guests: [{name: n%d, kernel: k}]\n", "lab.yaml:1:17: 'name' cannot be 'n%d'",
	  "give a name of at most 63 letters, digits, '.', '_' and '-' that begins with a letter "
	  "or digit" },
};

static const struct mistake devices[] = {
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lna}]}]\n",
	  "lab.yaml:2:47: 'lna' is not the name of a network",
	  "did you mean 'lan'? networks here: lan, wan" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "internet}]}]\n",
	  "lab.yaml:2:47: 'internet' is not the name of a network", "networks here: lan, wan" },
	{ "guests: [{name: a, kernel: k, devices: [{net: lan}]}]\n",
	  "lab.yaml:1:47: 'lan' is not the name of a network",
	  "this lab has none: describe it under 'networks:'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{nett: "
	  "lan}]}]\n",
	  "lab.yaml:2:41: what device is 'nett'?",
	  "did you mean 'net'? it has one of these keys: net, disk, rng, console, program" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [net]}]\n",
	  "lab.yaml:2:41: 'net' alone does not say which", "give a mapping such as {net: lan}" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: "
	  "[serial]}]\n",
	  "lab.yaml:2:41: what device is 'serial'?",
	  "it has one of these keys: net, disk, rng, console, program" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{}]}]\n",
	  "lab.yaml:2:41: this is no device",
	  "it has one of these keys: net, disk, rng, console, program" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: "
	  "[[net]]}]\n",
	  "lab.yaml:2:41: this is no device",
	  "it has one of these keys: net, disk, rng, console, program" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, disk: x}]}]\n",
	  "lab.yaml:2:52: unknown key 'disk' of a net device",
	  "known here: net, mac, mtu, delay, jitter, loss, bandwidth, reorder" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: 1}]}]\n",
	  "lab.yaml:2:57: 'mac' cannot be '1'", "give a MAC address such as 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '01:00:00:00:00:00'}]}]\n",
	  "lab.yaml:2:57: '01:00:00:00:00:00' is not the address of one device",
	  "give one such as 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '00:00:00:00:00:00'}]}]\n",
	  "lab.yaml:2:57: '00:00:00:00:00:00' is not the address of one device",
	  "give one such as 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '02:00:00:00:00:01'}, {net: lan, mac: '02:00:00:00:00:01'}]}]\n",
	  "lab.yaml:2:95: the network 'lan' has this address already",
	  "give each its own, or leave 'mac' out to have one made" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mtu: 60}]}]\n",
	  "lab.yaml:2:57: 'mtu' cannot be '60': it is at least 68",
	  "give a whole number; or leave it out" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mtu: 65536}]}]\n",
	  "lab.yaml:2:57: 'mtu' cannot be '65536': it is at most 65535",
	  "give a whole number; or leave it out" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: "
	  "null}]}]\n",
	  "lab.yaml:2:41: a disk without an image has no size", "name an image, or give 'size'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: "
	  "null, size: 1000}]}]\n",
	  "lab.yaml:2:60: a disk comes in sectors of 512 bytes", "give a size such as 64M" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "size: 0}]}]\n",
	  "lab.yaml:2:57: 'size' cannot be '0': it is at least 512",
	  "give a size such as 64M or 1G; or leave it out" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "read-only: maybe}]}]\n",
	  "lab.yaml:2:62: 'read-only' cannot be 'maybe'", "give true or false" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "bandwidth: 0}]}]\n",
	  "lab.yaml:2:62: 'bandwidth' cannot be '0': it is at least 1",
	  "give bytes per second such as 200M/s; or leave it out" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "serial: 123456789012345678901}]}]\n",
	  "lab.yaml:2:59: 'serial' cannot be '123456789012345678901'", "give at most 20 bytes" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{rng: "
	  "1}]}]\n",
	  "lab.yaml:2:47: 'rng' takes no value", "leave the value out" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{program: "
	  "p}]}]\n",
	  "lab.yaml:2:51: 'p' is not the name of a program",
	  "this lab has none: describe it under 'programs:'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng]}]\n",
	  "lab.yaml:2:40: a guest has at most 64 devices; these are 65", "leave some out" },
	{ "guests: [{name: a, kernel: k, devices: rng}]\n",
	  "lab.yaml:1:40: 'devices' is a single value, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
};

static const struct mistake consoles[] = {
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at "
	  "1s\n",
	  "lab.yaml:6:13: a console cannot follow 'at 1s'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at 1 "
	  "send \"x\"\n",
	  "lab.yaml:6:13: a console cannot follow 'at 1 send \"x\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at "
	  "soon send \"x\"\n",
	  "lab.yaml:6:13: a console cannot follow 'at soon send \"x\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "x\n",
	  "lab.yaml:6:13: a console cannot follow 'send x'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\"\n",
	  "lab.yaml:6:13: a console cannot follow 'send \"\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"x\" now\n",
	  "lab.yaml:6:13: a console cannot follow 'send \"x\" now'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\\q\"\n",
	  "lab.yaml:6:13: a console cannot follow 'send \"\\q\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\\x00\"\n",
	  "lab.yaml:6:13: a console cannot follow 'send \"\\x00\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "// send \"x\"\n",
	  "lab.yaml:6:13: a console cannot follow 'expect // send \"x\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/x send \"x\"\n",
	  "lab.yaml:6:13: a console cannot follow 'expect /x send \"x\"'",
	  "give a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/(/ then send \"x\"\n",
	  "lab.yaml:6:13: the pattern '(' is none: Unmatched ( or \\(",
	  "give a POSIX extended regular expression, see regex(7)" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/a: / then send \"x\"\n",
	  "lab.yaml:6:13: unknown key 'expect /a' of a step of a console",
	  "if the line is one text, put it in single quotes: its ': ' makes a mapping of it" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {at: "
	  "1s, expect: x, send: y}\n",
	  "lab.yaml:6:18: a step has 'at' or 'expect', not both",
	  "say 'after' for a time after the match" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - "
	  "{after: 1s, send: y}\n",
	  "lab.yaml:6:21: 'after' needs 'expect'", "say 'at' for a time" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {at: "
	  "1s}\n",
	  "lab.yaml:6:13: a step of a console needs 'send'",
	  "send: what is typed, \"\\n\" at its end included" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {send: "
	  "''}\n",
	  "lab.yaml:6:20: 'send' cannot be ''", "give a text that is not empty" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{console: "
	  "x}]}]\n",
	  "lab.yaml:2:51: 'console' is a single value, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
};

static const struct mistake programs[] = {
	{ "programs: [{name: p, id: 1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: the program 'p' cannot be reached",
	  "give 'command' to have it started, or 'socket' where it listens" },
	{ "programs: [{name: p, command: x, id: 1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: nobody tells the program 'p' where to listen",
	  "put {socket} where the command takes its vhost-user socket, or give 'socket'" },
	{ "programs: [{name: p, command: 'x {socket}'}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: a program needs 'id'", "id: the virtio id of its device" },
	{ "programs: [{name: p, command: 'x {socket}', id: 0}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:49: 'id' cannot be '0': it is at least 1", "give a whole number" },
	{ "programs: [{name: p, command: 'x {socket}', id: 256}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:49: 'id' cannot be '256': it is at most 255", "give a whole number" },
	{ "programs: [{name: p, command: 'x {socket}', id: 1, timed: true}]\nguests: [{name: a, "
	  "kernel: k}]\n",
	  "lab.yaml:1:31: nobody tells the program 'p' where time comes from",
	  "put {time} where the command takes the time-travel socket, or leave 'timed' out" },
	{ "programs: [{name: p, socket: s, id: 1, timed: true}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: nobody tells the program 'p' where time comes from",
	  "put {time} where the command takes the time-travel socket, or leave 'timed' out" },
	{ "programs: [{name: p, socket: s, id: 1}, {name: p, socket: s, id: 1}]\nguests: [{name: "
	  "a, kernel: k, id: 1}]\n",
	  "lab.yaml:1:48: the name 'p' is taken already", "give each a name of its own" },
};

static const struct mistake vlab[] = {
	{ "nodes: []\n", "lab.yaml:1:8: these are 0 nodes", "give from 1 to 1024" },
	{ "nodes: a\n", "lab.yaml:1:8: 'nodes' is a single value, not a list",
	  "begin each item with '- ' in a line of its own, or put all of them in brackets" },
	{ "nodes: [{mem: lots}]\n", "lab.yaml:1:15: 'mem' cannot be 'lots'",
	  "give a number of MiB such as 256" },
	{ "nodes: [{mem: 1}]\n", "lab.yaml:1:15: 'mem' cannot be '1': it is at least 16M",
	  "give a number of MiB such as 256; or leave it out" },
	{ "nodes: [{name: a}, {name: a}]\n", "lab.yaml:1:20: the name 'a' is taken already",
	  "give each a name of its own" },
	{ "nodes: [{hwsim: true}]\n", "lab.yaml:1:1: nodes with 'hwsim' need a medium",
	  "say 'wmediumd: {config: FILE}'" },
	{ "nodes: [{name: a}]\nnet: {delay: fast}\n", "lab.yaml:2:14: 'delay' cannot be 'fast'",
	  "give milliseconds such as 5 or 0.1" },
	{ "nodes: [{name: a}]\nnet:\n", "lab.yaml:2:5: net is a mapping; this is none",
	  "give a mapping of these: delay" },
	{ "nodes: [{name: a}]\nwmediumd: {}\n", "lab.yaml:2:11: wmediumd needs 'config'",
	  "config: wmediumd's configuration" },
	{ "nodes: [{name: a}]\nttrec: {kernal: x}\n", "lab.yaml:2:9: unknown key 'kernal' of ttrec",
	  "did you mean 'kernel'? known here: kernel, initrd, append" },
	{ "nodes: [{name: a}]\ncontroller: {start-time: now}\n",
	  "lab.yaml:2:26: 'start-time' cannot be 'now'", "give nanoseconds since 1970" },
};

static void refuse(const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mistake *mistake = &mistakes[i];
		struct lab *lab = NULL;
		struct diagnosis why;

		if (!lab_sample_load(mistake->text, strlen(mistake->text), &lab, &why))
			fail_msg("accepted: %s", mistake->text);
		assert_null(lab);
		assert_string_equal(why.what, mistake->what);
		assert_string_equal(why.advice, mistake->advice);
		assert_int_equal(why.status, EXIT_USAGE);
	}
}

static void test_files_that_are_no_lab(void **state)
{
	(void)state;
	refuse(files_that_are_no_lab, ARRAY_SIZE(files_that_are_no_lab));
}

static void test_keys(void **state)
{
	(void)state;
	refuse(keys, ARRAY_SIZE(keys));
}

static void test_values(void **state)
{
	(void)state;
	refuse(values, ARRAY_SIZE(values));
}

static void test_names(void **state)
{
	(void)state;
	refuse(names, ARRAY_SIZE(names));
}

static void test_devices(void **state)
{
	(void)state;
	refuse(devices, ARRAY_SIZE(devices));
}

static void test_consoles(void **state)
{
	(void)state;
	refuse(consoles, ARRAY_SIZE(consoles));
}

static void test_programs(void **state)
{
	(void)state;
	refuse(programs, ARRAY_SIZE(programs));
}

static void test_vlab(void **state)
{
	(void)state;
	refuse(vlab, ARRAY_SIZE(vlab));
}

static void test_a_file_that_is_not_there(void **state)
{
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;

	(void)state;
	assert_int_equal(lab_load("nowhere.yaml", &lab, &why), -ENOENT);
	assert_string_equal(why.what,
			    "cannot read the lab nowhere.yaml: No such file or directory");
	assert_int_equal(lab_load("/", &lab, &why), -EISDIR);
	assert_null(lab);
}

/* The position is there however long the path is. */
static void test_a_long_path_keeps_the_position(void **state)
{
	char path[600];
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;
	FILE *file = fopen("lab.yaml", "w");

	(void)state;
	fputs("guests: 1\n", file);
	fclose(file);
	memset(path, '/', sizeof(path));
	getcwd(path + 300, sizeof(path) - 300);
	strcat(path, "/lab.yaml");
	assert_int_equal(lab_load(path, &lab, &why), -EINVAL);
	assert_non_null(strstr(why.what, "/lab.yaml:1:9: 'guests' is a single value, not a list"));
	assert_true(strlen(why.what) < 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_that_are_no_lab),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_consoles),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_vlab),
		cmocka_unit_test(test_a_file_that_is_not_there),
		cmocka_unit_test(test_a_long_path_keeps_the_position),
	};

	return cmocka_run_group_tests(tests, lab_sample_setup, lab_sample_teardown);
}
