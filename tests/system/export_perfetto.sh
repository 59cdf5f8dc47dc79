#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttdump export perfetto of real labs: tracks, slices, flows and counters are what was recorded.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel "${1:-6.12}"
pack_guests

# agrees TRACE [DELAY]: see there.
agrees() {
	expect 0 "$source_dir/tests/format/ttdump/perfetto_compare.py" "$bin/ttdump" \
		"$source_dir/format/ttdump/export/perfetto/perfetto.proto" "$@"
}

pings() {
	lab "$(guest 1 ping:2:20:0.1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --grant "$1"
	agrees t.zst 100000
	says out ' [4-9][0-9] frames, '
}

# Devices of all kinds, something typed, and a guest that has none of them.
devices() {
	local all='devices: [{net: lan}, {disk: ./disk.img}, rng, {console: ["at 1s send \"end\\n\""]}]'
	truncate -s 1M disk.img
	lab "$(guest 1 rng:16,sum:vda,console:hvc0,ping:2:5:0.1,tell:2 "$all")" \
		"$(guest 2 sum:vda,rng:16,console:hvc0,wait "$all")" "$(guest 3 sleep:1 'devices: []')"
	expect 0 record_lab
	agrees t.zst 100000
}

proves "a lab is exported as it was recorded" pings each
proves "and one recorded in windows" pings window
proves "all kinds of devices have their tracks" devices
finish
