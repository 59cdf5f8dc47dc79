#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each call that allocates memory or asks the system for something fails once, in each process of our
# commands: they do without, or say what is short, with exit status 4. None crashes or waits for ever, takes it
# for a difference of a guest or for a damaged trace, or writes what is not valid.
#
#	tests/system/torture.sh [COMMAND]...	record, replay, show, ...: those that are named, else all
#
# TTREC_TEST_FAILURES: how many of the places that call fail, of each command (6), or "all"; then also so many
# of the first calls of each process: TTREC_TEST_CALLS (200).
# TTREC_TEST_SEED: which of them. TTREC_TEST_ONLY: a pattern of their lines, as "^0 malloc".
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
failures=${TTREC_TEST_FAILURES:-6}
seed=${TTREC_TEST_SEED:-1}
export TTREC_TEST_BIN=$bin
# With the address sanitizer: its malloc comes behind ours, and leaks are its findings, too.
export ASAN_OPTIONS=verify_asan_link_order=0:allocator_may_return_null=1:exitcode=99${ASAN_OPTIONS:+:$ASAN_OPTIONS}

# On one CPU, since what that says of itself is in a guest's memory.
cpu=$(sed -nE 's/^Cpus_allowed_list:\s*([0-9]+).*/\1/p' /proc/self/status)
run=("$bin/ttrec" run -q --cpu "$cpu" -o results/u.zst)
one=("$kernel" mem=32M initrd="$initrd" "do=random,say:hello,off")

# What all of them read.
traces=$work/traces
mkdir "$traces"
(
	cd "$traces" && mkdir results && "${run[@]}" "${one[@]}" && mv results/u.zst t.zst &&
		rmdir results && mkdir results && lab "$(guest 1 '')" "$(guest 2 '')" && "${run[@]}" -f lab.yaml && mv results/u.zst lab.zst &&
		head -c "$(($(stat -c %s t.zst) - 1000))" t.zst >cut.zst
) >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}

cat >"$work/serve" <<-'END'
	ttrec serve --socket tmp/s --clients 1 -o results/u.zst &
	until [[ -S tmp/s ]] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
	[[ ! -S tmp/s ]] || rogue_client tmp/s 1 short
	wait $!
END

# tortured NAME COMMAND...
tortured() {
	cp "$traces"/*.* .
	python3 "$source_dir/tests/system/torture.py" --failures "$failures" --calls "${TTREC_TEST_CALLS:-200}" --seed "$seed" \
		${TTREC_TEST_ONLY:+--only "$TTREC_TEST_ONLY"} "$@" >report || fail "seed $seed: $(cat report)"
}

# torture NAME COMMAND...: if it is wanted.
torture() {
	[[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $1 "* ]] || return 0
	proves "$1: $failures calls that fail, seed $seed" tortured "$@"
}

wanted=("$@")
torture record "${run[@]}" "${one[@]}"
torture record_lab "${run[@]}" -f lab.yaml
torture rerecord "${run[@]}" --rerecord t.zst
torture replay "$bin/ttreplay" t.zst
torture replay_lab "$bin/ttreplay" lab.zst
torture report "$bin/ttreplay" --report results/report --junit results/junit.xml t.zst
torture doctor "$bin/ttrec" doctor "$kernel"
torture serve bash "$work/serve"
torture show "$bin/ttdump" show lab.zst
torture show_json "$bin/ttdump" show --json lab.zst
torture stat "$bin/ttdump" stat lab.zst
torture diff "$bin/ttdump" diff t.zst lab.zst
torture verify "$bin/ttdump" verify lab.zst
torture salvage "$bin/ttdump" salvage -o results/u.zst cut.zst
torture extract "$bin/ttdump" extract -o results/files t.zst
for format in html perfetto pcapng json; do
	torture "$format" "$bin/ttdump" export "$format" -o results/text lab.zst
done
finish
