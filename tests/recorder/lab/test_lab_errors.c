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
#include "tests/recorder/lab/lab_sample.h"

struct mistake {
	const char *text, *what, *advice;
};

#define TWO "guests: [{name: a, kernel: k}, {name: b, kernel: k}]\nfaults:\n"

static const struct mistake wrong_faults[] = {
	{ TWO "- {for: 1s, partition: a}\n", "lab.yaml:3:3: a fault needs 'at'",
	  "at: virtual time at which it begins" },
	{ TWO "- {at: 1s, for: 0s, partition: a}\n",
	  "lab.yaml:3:17: invalid for '0s': must be at least 1ns",
	  "expected a time such as 100us, 1.5ms or 2s" },
	{ TWO "- {at: 1s, for: 1s}\n", "lab.yaml:3:3: a fault has neither 'partition' nor 'link'",
	  "give 'partition', or 'link'" },
	{ TWO "- {at: 1s, for: 1s, partition: a, link: b, loss: 1%}\n",
	  "lab.yaml:3:3: a fault has both 'partition' and 'link'", "give 'partition', or 'link'" },
	{ TWO "- {at: 1s, for: 1s, partition: a | c}\n", "lab.yaml:3:32: no guest 'c'",
	  "guests: a, b" },
	{ TWO "- {at: 1s, for: 1s, partition: a | b a}\n", "lab.yaml:3:32: duplicate guest 'a'",
	  "name each guest once" },
	{ TWO "- {at: 1s, for: 1s, partition: a | }\n",
	  "lab.yaml:3:32: a group of the partition has no guest", "expected e.g. n1 | n2 n3" },
	{ TWO "- {at: 1s, for: 1s, partition: a, delay: 1ms}\n",
	  "lab.yaml:3:42: a partition has no 'delay'", "remove it" },
	{ TWO "- {at: 1s, for: 1s, link: a}\n",
	  "lab.yaml:3:3: the fault of the link changes nothing",
	  "give 'loss', 'delay' or 'jitter'" },
	{ TWO "- {at: 1s, for: 1s, link: a, loss: 1%, net: lan}\n",
	  "lab.yaml:3:45: no network 'lan'", "networks: " },
};

static const struct mistake files_that_are_no_lab[] = {
	{ "", "lab.yaml is empty", "give a lab file, see ttrec-lab(5)" },
	{ "# nothing\n", "lab.yaml is empty", "give a lab file, see ttrec-lab(5)" },
	{ "hello\n", "lab.yaml:1:1: a lab must be a mapping",
	  "expected a mapping of these: networks, programs, guests, faults, seed, tod, grant, "
	  "work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "- a\n", "lab.yaml:1:1: a lab must be a mapping",
	  "expected a mapping of these: networks, programs, guests, faults, seed, tod, grant, "
	  "work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "[]\n", "lab.yaml:1:1: a lab must be a mapping",
	  "expected a mapping of these: networks, programs, guests, faults, seed, tod, grant, "
	  "work-cost, "
	  "limits, expect, "
	  "fail-on, allow-line" },
	{ "{}\n", "lab.yaml:1:1: a lab needs 'guests'",
	  "guests: a list of guests, each with a name and a kernel" },
	{ "guests:\n", "lab.yaml:1:8: 'guests' is nothing, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
	{ "guests: []\n", "lab.yaml:1:9: empty list of guests",
	  "give at least one, with a name and a kernel" },
	{ "guests: {}\n", "lab.yaml:1:9: 'guests' is a mapping, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
	{ "guests: a\n", "lab.yaml:1:9: 'guests' is a single value, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
	{ "guests: [a\n",
	  "lab.yaml:2:1: invalid YAML: did not find expected ',' or ']' while parsing a flow "
	  "sequence that begins in line 1",
	  "check the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "guests:\n\t- name: a\n",
	  "lab.yaml:2:1: invalid YAML: found character that cannot start any token",
	  "check the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "a: b: c\n", "lab.yaml:1:5: invalid YAML: mapping values are not allowed in this context",
	  "check the indentation (spaces, no tabs), the brackets and the quotes here and in the "
	  "line before" },
	{ "guests: [{name: a, kernel: k}]\n---\nguests: []\n", "lab.yaml:3:1: second YAML document",
	  "a lab is one document: remove the line with '---'" },
	{ "*x\n", "lab.yaml:1:1: invalid YAML: found undefined alias",
	  "an alias (*name) needs exactly one anchor (&name) before it" },
	{ "a: &x 1\nb: &x 2\n", "lab.yaml:2:4: duplicate anchor, defined in line 1",
	  "an alias (*name) needs exactly one anchor (&name) before it" },
	{ "guests: \001\n", "lab.yaml:1:9: invalid control character 0x01",
	  "write the file as UTF-8 text; in double quotes, \\xHH stands for a character" },
	{ "guests: [{name: \200}]\n", "lab.yaml:1:17: byte 0x80 is not valid UTF-8",
	  "write the file as UTF-8 text; in double quotes, \\xHH stands for a character" },
};

static const struct mistake keys[] = {
	{ "guest: [{name: a, kernel: k}]\n", "lab.yaml:1:1: unknown key 'guest' of a lab",
	  "did you mean 'guests'? known here: networks, programs, guests, faults, seed, tod, "
	  "grant, "
	  "work-cost, "
	  "limits, expect, fail-on, allow-line" },
	{ "networks:\n  - name: lan\n    dealy: 1ms\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:3:5: unknown key 'dealy' of a network",
	  "did you mean 'delay'? known here: name, delay, jitter, loss, bandwidth, reorder" },
	{ "networks: [{name: lan, delay: 1ms, delay: 2ms}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:36: duplicate key 'delay' in a network", "give it once" },
	{ "networks: [{name: lan, [a]: b}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:24: a key must be a word", "put a word before the ':'" },
	{ "networks: [{name: lan, colour: red}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:24: unknown key 'colour' of a network",
	  "known here: name, delay, jitter, loss, bandwidth, reorder" },
	{ "seeed: 1\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:1: unknown key 'seeed' of a lab",
	  "did you mean 'seed'? known here: networks, programs, guests, faults, seed, tod, grant, "
	  "work-cost, limits, "
	  "expect, fail-on, allow-line" },
	{ "limits: {virtuel: 1s}\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:10: unknown key 'virtuel' of limits",
	  "did you mean 'virtual'? known here: virtual, wall" },
	{ "limits: 10s\nguests: [{name: a, kernel: k}]\n", "lab.yaml:1:9: limits must be a mapping",
	  "expected a mapping of these: virtual, wall" },
	{ "guests: [{name: a}]\n", "lab.yaml:1:10: a guest needs 'kernel'",
	  "kernel: the path of a User-Mode-Linux kernel" },
	{ "guests: [{kernel: k}]\n", "lab.yaml:1:10: a guest needs 'name'",
	  "name: its name, as used in reports" },
	{ "guests: [{name: a, kernel: }]\n", "lab.yaml:1:28: 'kernel' is nothing",
	  "expected the path of a file" },
	{ "guests: [{name: a, kernel: [k]}]\n", "lab.yaml:1:28: 'kernel' is a list",
	  "expected the path of a file" },
	{ "guests: [{name: a, kernel: !file k}]\n", "lab.yaml:1:28: unsupported tag '!file'",
	  "remove the tag" },
	{ "guests: [{name: a, kernel: \"\"}]\n", "lab.yaml:1:28: invalid kernel ''",
	  "expected the path of a file" },
	{ "guests: [{name: a, kernel: \"k\\0\"}]\n", "lab.yaml:1:28: 'kernel' contains a NUL byte",
	  "remove the \\0" },
	{ "guests: [{<<: 1, name: a}]\n", "lab.yaml:1:15: a guest must be a mapping",
	  "expected a mapping of these: name, kernel, initrd, root, memory, append, id, seed, "
	  "count, "
	  "expect, "
	  "fail-on, allow-line, devices" },
	{ "guests: [&g {<<: *g, name: a, kernel: k}]\n",
	  "lab.yaml:1:10: merges are nested too deep", "remove the recursive merge" },
};

static const struct mistake values[] = {
	{ "networks: [{name: lan, delay: 5}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: invalid delay '5'", "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 5 apples}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: invalid delay '5 apples'", "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: -1ms}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: invalid delay '-1ms'", "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 1e3us}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: invalid delay '1e3us'", "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, delay: 101ns}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: odd delay: each side of the network has half of it",
	  "give an even number of nanoseconds" },
	{ "networks: [{name: lan, delay: 3000000h}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: invalid delay '3000000h': too large",
	  "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, jitter: [1ms]}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:32: 'jitter' is a list", "expected a time such as 100us, 1.5ms or 2s" },
	{ "networks: [{name: lan, loss: 2}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be more than 1 (100%)",
	  "expected a share from 0 to 1, or 0% to 100%" },
	{ "networks: [{name: lan, loss: 101%}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: 'loss' cannot be more than 1 (100%)",
	  "expected a share from 0 to 1, or 0% to 100%" },
	{ "networks: [{name: lan, loss: -1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: invalid loss '-1'", "expected a share such as 0.01 or 1%" },
	{ "networks: [{name: lan, loss: lots}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: invalid loss 'lots'", "expected a share such as 0.01 or 1%" },
	{ "networks: [{name: lan, bandwidth: 0bit}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: invalid bandwidth '0bit': must be at least 1bit",
	  "expected a rate such as 10Mbit or 1Gbit; or remove it" },
	{ "networks: [{name: lan, bandwidth: 10MB}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: invalid bandwidth '10MB'", "expected a rate such as 10Mbit or 1Gbit" },
	{ "networks: [{name: lan, bandwidth: 1000}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: invalid bandwidth '1000'", "expected a rate such as 10Mbit or 1Gbit" },
	{ "networks: [{name: lan, bandwidth: 99999999999Gbit}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:35: invalid bandwidth '99999999999Gbit': too large",
	  "expected a rate such as 10Mbit or 1Gbit; or remove it" },
	{ "guests: [{name: a, kernel: k, memory: 8M}]\n",
	  "lab.yaml:1:39: invalid memory '8M': must be at least 16M",
	  "expected a size such as 64M or 1G; or remove it" },
	{ "guests: [{name: a, kernel: k, memory: 65G}]\n",
	  "lab.yaml:1:39: invalid memory '65G': must be at most 64G",
	  "expected a size such as 64M or 1G; or remove it" },
	{ "guests: [{name: a, kernel: k, memory: 64MB}]\n", "lab.yaml:1:39: invalid memory '64MB'",
	  "expected a size such as 64M or 1G" },
	{ "guests: [{name: a, kernel: k, memory: 16777217}]\n",
	  "lab.yaml:1:39: the memory must be a multiple of 4 KiB", "give a size such as 64M" },
	{ "guests: [{name: a, kernel: k, memory: 1.33M}]\n",
	  "lab.yaml:1:39: invalid memory '1.33M'", "expected a size such as 64M or 1G" },
	{ "guests: [{name: a, kernel: k, id: -1}]\n", "lab.yaml:1:35: invalid id '-1'",
	  "expected a whole number" },
	{ "guests: [{name: a, kernel: k, id: 010}]\n", "lab.yaml:1:35: invalid id '010'",
	  "expected a whole number" },
	{ "guests: [{name: a, kernel: k, id: 0x}]\n", "lab.yaml:1:35: invalid id '0x'",
	  "expected a whole number" },
	{ "guests: [{name: a, kernel: k, seed: 18446744073709551615}]\n",
	  "lab.yaml:1:37: invalid seed '18446744073709551615': must be at most "
	  "18446744073709551614",
	  "expected a whole number" },
	{ "guests: [{name: a, kernel: k, id: 18446744073709551616}]\n",
	  "lab.yaml:1:35: invalid id '18446744073709551616': must be at most "
	  "18446744073709551614",
	  "expected a whole number" },
	{ "tod: yesterday\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: invalid tod 'yesterday'",
	  "expected a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "tod: 1960-01-01T00:00:00Z\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: invalid tod '1960-01-01T00:00:00Z'",
	  "expected a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "tod: 2300-01-01T00:00:00Z\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:6: invalid tod '2300-01-01T00:00:00Z'",
	  "expected a date such as 2026-01-01T00:00:00Z, or seconds since 1970" },
	{ "grant: all\nguests: [{name: a, kernel: k}]\n", "lab.yaml:1:8: invalid grant 'all'",
	  "expected each or window" },
	{ "limits: {wall: 0}\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:16: invalid wall '0': must be at least 1ns",
	  "expected a time such as 100us, 1.5ms or 2s; or remove it" },
	{ "expect: '('\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:9: invalid pattern '(': missing closing parenthesis (at byte 2)",
	  "expected a Perl-compatible regular expression, see pcre2pattern(3)" },
	{ "expect: [a, [b]]\nguests: [{name: a, kernel: k}]\n", "lab.yaml:1:13: 'expect' is a list",
	  "expected a regular expression, or a list of them" },
	{ "fail-on: '((ab){500}){500}'\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:10: invalid pattern '((ab){500}){500}': regular expression is too large (at "
	  "byte 17)",
	  "expected a Perl-compatible regular expression, see pcre2pattern(3)" },
	{ "guests: [{name: a b, kernel: k}]\n", "lab.yaml:1:17: invalid name 'a b'",
	  "expected a name of at most 63 letters, digits, '.', '_' and '-' that begins with a "
	  "letter "
	  "or digit" },
	{ "guests: [{name: -a, kernel: k}]\n", "lab.yaml:1:17: invalid name '-a'",
	  "expected a name of at most 63 letters, digits, '.', '_' and '-' that begins with a "
	  "letter "
	  "or digit" },
	{ "guests: [{name: a, kernel: k, append: mem=32M}]\n",
	  "lab.yaml:1:39: 'append' cannot have mem=", "use 'memory: 64M' instead" },
	{ "guests: [{name: a, kernel: k, append: 'a=\"b c'}]\n",
	  "lab.yaml:1:39: unterminated double quote",
	  "close it; if it is YAML's own quote, put the whole value in single quotes" },
};

static const struct mistake names[] = {
	{ "networks: [{name: a}, {name: a}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:30: duplicate name 'a'", "use unique names" },
	{ "guests: [{name: a, kernel: k}, {name: a, kernel: k}]\n",
	  "lab.yaml:1:39: duplicate name 'a'", "use unique names" },
	{ "guests: [{name: a, kernel: k, id: 2}, {name: b, kernel: k}]\n",
	  "lab.yaml:1:39: duplicate id 2 of 'b' and 'a'",
	  "give an 'id' to each guest, or to none" },
	{ "guests: [{name: a, kernel: k, id: 7}, {name: b, kernel: k, id: 7}]\n",
	  "lab.yaml:1:64: duplicate id 7 of 'b' and 'a'",
	  "give an 'id' to each guest, or to none" },
	{ "guests: [{name: a, kernel: k, count: 3}]\n",
	  "lab.yaml:1:17: guests with 'count' cannot have the same name",
	  "add %d for its number, such as n%d" },
	{ "guests: [{name: a, kernel: k, count: 0}]\n",
	  "lab.yaml:1:38: invalid count '0': must be at least 1",
	  "expected a whole number; or remove it" },
	{ "guests: [{name: a, kernel: k, count: 1025}]\n",
	  "lab.yaml:1:38: invalid count '1025': must be at most 1024",
	  "expected a whole number; or remove it" },
	{ "guests: [{name: n%d, kernel: k, count: 2, seed: 1}]\n",
	  "lab.yaml:1:49: guests with 'count' cannot have the same 'seed'",
	  "remove it: each guest's seed is derived from the lab's seed and its id" },
	{ "guests: [{name: n%d, kernel: k, count: 2, id: 18446744073709551614}]\n",
	  "lab.yaml:1:47: the ids exceed the maximum", "use a smaller one" },
	{ "guests: [{name: n%d, kernel: k, count: 1024}, {name: a, kernel: k}]\n",
	  "lab.yaml:1:47: more than 1024 guests", "use fewer guests" },
	{ "guests: [{name: n%d, kernel: k}]\n", "lab.yaml:1:17: invalid name 'n%d'",
	  "expected a name of at most 63 letters, digits, '.', '_' and '-' that begins with a "
	  "letter "
	  "or digit" },
};

static const struct mistake devices[] = {
	{ "guests: [{name: a, kernel: k, devices: [{share: d}, {share: e}]}]\n",
	  "lab.yaml:1:53: duplicate tag 'share'",
	  "give each share of a guest its own, such as 'tag: data'" },
	{ "guests: [{name: a, kernel: k, devices: [{share: d, tag: x}, {share: e, tag: x}]}]\n",
	  "lab.yaml:1:77: duplicate tag 'x'",
	  "give each share of a guest its own, such as 'tag: data'" },
	{ "guests: [{name: a, kernel: k, devices: [{share: d, tag: a/b}]}]\n",
	  "lab.yaml:1:57: invalid tag 'a/b'",
	  "expected at most 36 letters, digits and marks, without blanks or slashes" },
	{ "guests: [{name: a, kernel: k, devices: [{share: d, write: yes}]}]\n",
	  "lab.yaml:1:59: invalid write 'yes'", "expected no, copy or through" },
	{ "guests: [{name: a, kernel: k, devices: [share]}]\n",
	  "lab.yaml:1:41: 'share' needs a value", "give a mapping such as {net: lan}" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lna}]}]\n",
	  "lab.yaml:2:47: 'lna' is not the name of a network",
	  "did you mean 'lan'? networks here: lan, wan" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "internet}]}]\n",
	  "lab.yaml:2:47: 'internet' is not the name of a network", "networks here: lan, wan" },
	{ "guests: [{name: a, kernel: k, devices: [{net: lan}]}]\n",
	  "lab.yaml:1:47: 'lan' is not the name of a network",
	  "the lab has none: define it under 'networks:'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{nett: "
	  "lan}]}]\n",
	  "lab.yaml:2:41: unknown device 'nett'",
	  "did you mean 'net'? expected one of these keys: net, disk, rng, console, program, "
	  "share" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [net]}]\n",
	  "lab.yaml:2:41: 'net' needs a value", "give a mapping such as {net: lan}" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: "
	  "[serial]}]\n",
	  "lab.yaml:2:41: unknown device 'serial'",
	  "expected one of these keys: net, disk, rng, console, program, share" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{}]}]\n",
	  "lab.yaml:2:41: not a device",
	  "expected one of these keys: net, disk, rng, console, program, share" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: "
	  "[[net]]}]\n",
	  "lab.yaml:2:41: not a device",
	  "expected one of these keys: net, disk, rng, console, program, share" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, disk: x}]}]\n",
	  "lab.yaml:2:52: unknown key 'disk' of a net device",
	  "known here: net, mac, mtu, delay, jitter, loss, bandwidth, reorder" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: 1}]}]\n",
	  "lab.yaml:2:57: invalid mac '1'", "expected a MAC address such as 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '01:00:00:00:00:00'}]}]\n",
	  "lab.yaml:2:57: '01:00:00:00:00:00' is not the address of a single device",
	  "expected e.g. 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '00:00:00:00:00:00'}]}]\n",
	  "lab.yaml:2:57: '00:00:00:00:00:00' is not the address of a single device",
	  "expected e.g. 02:00:00:00:00:01" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mac: '02:00:00:00:00:01'}, {net: lan, mac: '02:00:00:00:00:01'}]}]\n",
	  "lab.yaml:2:95: duplicate address in the network 'lan'",
	  "use unique addresses, or remove 'mac' to have one generated" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mtu: 60}]}]\n",
	  "lab.yaml:2:57: invalid mtu '60': must be at least 68",
	  "expected a whole number; or remove it" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{net: "
	  "lan, mtu: 65536}]}]\n",
	  "lab.yaml:2:57: invalid mtu '65536': must be at most 65535",
	  "expected a whole number; or remove it" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: "
	  "null}]}]\n",
	  "lab.yaml:2:41: a disk without an image needs a size", "give an image, or 'size'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: "
	  "null, size: 1000}]}]\n",
	  "lab.yaml:2:60: the size must be a multiple of 512 bytes", "give a size such as 64M" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "size: 0}]}]\n",
	  "lab.yaml:2:57: invalid size '0': must be at least 512",
	  "expected a size such as 64M or 1G; or remove it" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "read-only: maybe}]}]\n",
	  "lab.yaml:2:62: invalid read-only 'maybe'", "expected true or false" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "bandwidth: 0}]}]\n",
	  "lab.yaml:2:62: invalid bandwidth '0': must be at least 1",
	  "expected bytes per second such as 200M/s; or remove it" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{disk: a, "
	  "serial: 123456789012345678901}]}]\n",
	  "lab.yaml:2:59: invalid serial '123456789012345678901'", "expected at most 20 bytes" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{rng: "
	  "1}]}]\n",
	  "lab.yaml:2:47: 'rng' takes no value", "remove the value" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{program: "
	  "p}]}]\n",
	  "lab.yaml:2:51: 'p' is not the name of a program",
	  "the lab has none: define it under 'programs:'" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, "
	  "rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng, rng]}]\n",
	  "lab.yaml:2:40: a guest has at most 64 devices, got 65", "remove some" },
	{ "guests: [{name: a, kernel: k, devices: rng}]\n",
	  "lab.yaml:1:40: 'devices' is a single value, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
};

static const struct mistake consoles[] = {
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at "
	  "1s\n",
	  "lab.yaml:6:13: invalid console step 'at 1s'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at 1 "
	  "send \"x\"\n",
	  "lab.yaml:6:13: invalid console step 'at 1 send \"x\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - at "
	  "soon send \"x\"\n",
	  "lab.yaml:6:13: invalid console step 'at soon send \"x\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "x\n",
	  "lab.yaml:6:13: invalid console step 'send x'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\"\n",
	  "lab.yaml:6:13: invalid console step 'send \"\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"x\" now\n",
	  "lab.yaml:6:13: invalid console step 'send \"x\" now'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\\q\"\n",
	  "lab.yaml:6:13: invalid console step 'send \"\\q\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - send "
	  "\"\\x00\"\n",
	  "lab.yaml:6:13: invalid console step 'send \"\\x00\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "// send \"x\"\n",
	  "lab.yaml:6:13: invalid console step 'expect // send \"x\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/x send \"x\"\n",
	  "lab.yaml:6:13: invalid console step 'expect /x send \"x\"'",
	  "expected a line such as at 1.5s send \"ls\\n\" or expect /login:/ then after 1ms send "
	  "\"root\\n\"" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/(/ then send \"x\"\n",
	  "lab.yaml:6:13: invalid pattern '(': missing closing parenthesis (at byte 2)",
	  "expected a Perl-compatible regular expression, see pcre2pattern(3)" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - expect "
	  "/a: / then send \"x\"\n",
	  "lab.yaml:6:13: unknown key 'expect /a' of a step of a console",
	  "if the line is one string, put it in single quotes: ': ' makes it a mapping" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {at: "
	  "1s, expect: x, send: y}\n",
	  "lab.yaml:6:18: a step has 'at' or 'expect', not both",
	  "use 'after' for a time after the match" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - "
	  "{after: 1s, send: y}\n",
	  "lab.yaml:6:21: 'after' needs 'expect'", "use 'at' for a time" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {at: "
	  "1s}\n",
	  "lab.yaml:6:13: a step of a console needs 'send'",
	  "send: the text to type, including \"\\n\" at its end" },
	{ "guests:\n  - name: a\n    kernel: k\n    devices:\n      - console:\n          - {send: "
	  "''}\n",
	  "lab.yaml:6:20: invalid send ''", "expected a non-empty string" },
	{ "networks: [{name: lan}, {name: wan}]\nguests: [{name: a, kernel: k, devices: [{console: "
	  "x}]}]\n",
	  "lab.yaml:2:51: 'console' is a single value, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
};

static const struct mistake programs[] = {
	{ "programs: [{name: p, id: 1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: the program 'p' has neither 'command' nor 'socket'",
	  "give 'command' to start it, or 'socket' where it listens" },
	{ "programs: [{name: p, command: x, id: 1}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:31: the command of the program 'p' has no {socket}",
	  "add {socket} to the command, or give 'socket'" },
	{ "programs: [{name: p, command: 'x {socket}'}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: a program needs 'id'", "id: the virtio id of its device" },
	{ "programs: [{name: p, command: 'x {socket}', id: 0}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:49: invalid id '0': must be at least 1", "expected a whole number" },
	{ "programs: [{name: p, command: 'x {socket}', id: 256}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:49: invalid id '256': must be at most 255", "expected a whole number" },
	{ "programs: [{name: p, command: 'x {socket}', id: 1, timed: true}]\nguests: [{name: a, "
	  "kernel: k}]\n",
	  "lab.yaml:1:31: the command of the timed program 'p' has no {time}",
	  "add {time} to the command, or remove 'timed'" },
	{ "programs: [{name: p, socket: s, id: 1, timed: true}]\nguests: [{name: a, kernel: k}]\n",
	  "lab.yaml:1:12: the command of the timed program 'p' has no {time}",
	  "add {time} to the command, or remove 'timed'" },
	{ "programs: [{name: p, socket: s, id: 1}, {name: p, socket: s, id: 1}]\nguests: [{name: "
	  "a, kernel: k, id: 1}]\n",
	  "lab.yaml:1:48: duplicate name 'p'", "use unique names" },
};

static const struct mistake vlab[] = {
	{ "nodes: []\n", "lab.yaml:1:8: 0 nodes", "expected 1 to 1024" },
	{ "nodes: a\n", "lab.yaml:1:8: 'nodes' is a single value, not a list",
	  "begin each item with '- ' on its own line, or put all of them in brackets" },
	{ "nodes: [{mem: lots}]\n", "lab.yaml:1:15: invalid mem 'lots'",
	  "expected a number of MiB such as 256" },
	{ "nodes: [{mem: 1}]\n", "lab.yaml:1:15: invalid mem '1': must be at least 16M",
	  "expected a number of MiB such as 256; or remove it" },
	{ "nodes: [{name: a}, {name: a}]\n", "lab.yaml:1:20: duplicate name 'a'",
	  "use unique names" },
	{ "nodes: [{hwsim: true}, {hwsim: true}]\n",
	  "lab.yaml:1:1: nodes with 'hwsim' need wmediumd", "add 'wmediumd: {config: FILE}'" },
	{ "nodes: [{name: a}]\nnet: {delay: fast}\n", "lab.yaml:2:14: invalid delay 'fast'",
	  "expected milliseconds such as 5 or 0.1" },
	{ "nodes: [{name: a}]\nnet:\n", "lab.yaml:2:5: net must be a mapping",
	  "expected a mapping of these: delay" },
	{ "nodes: [{name: a}]\nwmediumd: {}\n", "lab.yaml:2:11: wmediumd needs 'config'",
	  "config: wmediumd's configuration" },
	{ "nodes: [{name: a}]\nttrec: {kernal: x}\n", "lab.yaml:2:9: unknown key 'kernal' of ttrec",
	  "did you mean 'kernel'? known here: kernel, initrd, root, append, command" },
	{ "nodes: [{name: a}]\ncontroller: {start-time: now}\n",
	  "lab.yaml:2:26: invalid start-time 'now'", "expected nanoseconds since 1970" },
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

static void test_faults(void **state)
{
	(void)state;
	refuse(wrong_faults, ARRAY_SIZE(wrong_faults));
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
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_vlab),
		cmocka_unit_test(test_a_file_that_is_not_there),
		cmocka_unit_test(test_a_long_path_keeps_the_position),
	};

	return cmocka_run_group_tests(tests, lab_sample_setup, lab_sample_teardown);
}
