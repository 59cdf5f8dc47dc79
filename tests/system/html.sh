#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The page of ttdump export html in a real browser, of a lab that was recorded and replayed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"
# shellcheck source-path=SCRIPTDIR source=../format/ttdump/html_lib.sh
. "$(dirname "$0")/../format/ttdump/html_lib.sh"

need_browser
need_kernel 6.12
pack_guests

# A bit is flipped in the middle of n1's life.
diverged_lab() {
	local record
	lab "$(guest 1 ping:2:3:1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab
	record=$(ttdump show --json t.zst | awk -F '[:,]' '/"guest":0/ && /"op":"REQUEST"/ {
		numbers[count++] = $2 } END { print numbers[int(count / 2)] }')
	expect 1 ttreplay --flip-bit "$record:0:0x1000:3" --report r.json t.zst
	expect 0 ttdump export html --report r.json t.zst -o t.html
	record=$(python3 -c 'import json; print(json.load(open("r.json"))["guests"][0]["record"])')
	browses lab t.html "$record" n1
}

proves "a lab is seen and searched, and where its replay diverged" diverged_lab
finish
