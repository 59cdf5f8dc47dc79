#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The page of ttdump export html in a real browser, with generated traces.
# shellcheck source-path=SCRIPTDIR source=../../system/lib.sh
. "$(dirname "$0")/../../system/lib.sh"
# shellcheck source-path=SCRIPTDIR source=html_lib.sh
. "$(dirname "$0")/html_lib.sh"

need_browser

hostile() {
	"$bin/format_make_sample" t.zst markup
	expect 0 ttdump export html t.zst -o t.html
	never_says t.html 'broken'
	browses hostile t.html
}

damaged() {
	"$bin/format_make_sample" whole.zst
	head -c $(($(stat -c %s whole.zst) - 600)) whole.zst >t.zst
	expect 3 ttdump export html t.zst -o t.html
	says err 'cannot read the rest of t.zst'
	ttdump show --json t.zst >records 2>/dev/null || true
	browses shown t.html "$(grep -c "\"number\":" records)" 'This trace is incomplete.'
}

# Times that go back and forth, kinds in no order, guests that nobody introduced.
absurd() {
	local seed
	for seed in 1 2 3; do
		"$bin/format_make_sample" t.zst absurd $seed 3000
		expect 0 ttdump export html t.zst -o t.html
		browses shown t.html 3000 ''
	done
	"$bin/format_make_sample" t.zst stranger
	expect 0 ttdump export html t.zst -o t.html
	browses shown t.html 3 ''
}

empty_trace() {
	"$bin/format_make_sample" t.zst absurd 1 0
	expect 0 ttdump export html t.zst -o t.html
	browses shown t.html 0 ''
}

# It goes into a pipe as well.
million() {
	"$bin/format_make_long" t.zst 1000000
	ttdump export html t.zst | cat >t.html
	at_least $((12 * 1024 * 1024 - $(stat -c %s t.html))) 0 "12 MiB, less the bytes of a million records"
	browses smooth t.html
}

report() {
	"$bin/format_make_sample" t.zst
	"$bin/format_make_sample" other.zst network 1 busy
	uuid=$(ttdump export json t.zst | sed -n 1p | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
	echo "{\"version\":1,\"uuid\":\"$uuid\",\"guests\":[{\"verdict\":\"diverged\",\"record\":17,\"index\":1}]}" >r.json
	expect 0 ttdump export html --report r.json t.zst -o t.html
	browses shown t.html "$(ttdump show --json t.zst | grep -c "\"number\":")" 'diverged at record 17'
	expect 2 ttdump export json --report r.json t.zst
	says err 'json does not take --report'
	expect 2 ttdump export html --report none.json t.zst -o t.html
	says err 'cannot open none.json'
	for text in 'text' '{}' '[]' '{"version":2}' '{"version":1,"uuid":"x"}'; do
		echo "$text" >bad.json
		expect 4 ttdump export html --report bad.json t.zst -o t.html
		says err 'bad.json is not a replay report'
	done
	echo '{"version":1,"uuid":"x","guests":[]}' >bad.json
	expect 4 ttdump export html --report bad.json t.zst -o t.html
	says err 'bad.json is the report of another trace'
}

proves "nothing that a trace says becomes markup or script" hostile
proves "of a damaged trace is shown what there is, and that it is damaged" damaged
proves "absurd records are shown" absurd
proves "a trace without records is shown" empty_trace
proves "a report is shown, and none that is not of this trace" report
proves "a million records are smooth" million
finish
