#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds everything and runs every test; the last line says how many passed, failed, were skipped.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "$0")")")
build_uml=$root/kernel/uml/build-uml.sh
# Whoever runs this for the first time waits for kernels; past this many seconds no further one is begun.
kernel_budget=${TTREC_KERNEL_BUDGET:-2400}

usage() {
	cat <<'END'
Usage: tests/run.sh [OPTION]...

Installs what is missing, builds, gets the kernels and runs every test.

  --all-kernels  build 5.10, 6.1, 7.2 and those of build-uml.sh --kasan, --distro and --wireless
                 as well, however long it takes; without it they are built on a first run as
                 far as time allows, then used when cached
  --quick        the tests that need no kernel
  -h, --help     print this and exit

Kernels are cached, see kernel/uml/build-uml.sh. TTREC_TEST_KERNEL_6_12 (_5_10, _6_1, _7_2, _KUNIT,
_KASAN, _DISTRO, _WIRELESS) name kernels of one's own. TTREC_KERNEL_BUDGET: seconds after which no optional kernel is begun.
END
}

say() {
	printf '\n== %s\n' "$*"
}

parse_arguments() {
	all_kernels='' quick=''
	for argument; do
		case $argument in
		--all-kernels) all_kernels=yes ;;
		--quick) quick=yes ;;
		-h | --help) usage; exit ;;
		*) echo "run.sh: unknown option $argument, see --help" >&2; exit 2 ;;
		esac
	done
}

build() {
	local preset
	for preset in release asan; do
		say "building: $preset"
		cmake --preset "$preset" >"$results/configure-$preset.log" 2>&1 || {
			cat "$results/configure-$preset.log" >&2
			exit 1
		}
		cmake --build --preset "$preset"
	done
}

# kernel_of NAME: the words for build-uml.sh.
kernel_of() {
	case $1 in
	kunit) echo --kunit 6.12 ;;
	kasan) echo --kasan --kunit 6.12 ;;
	distro) echo --distro 6.12 ;;
	wireless) echo --wireless 6.12 ;;
	*) echo "$1" ;;
	esac
}

# have_kernel NAME: it is given or cached.
have_kernel() {
	local given=TTREC_TEST_KERNEL_${1//./_}
	given=${given^^}
	# shellcheck disable=SC2046 # a list of words
	[[ -n ${!given:-} ]] || "$build_uml" --print-path $(kernel_of "$1") >/dev/null 2>&1
}

# get_kernel NAME: built unless it is there; how long that took goes to $longest.
get_kernel() {
	local start=$SECONDS
	have_kernel "$1" && return
	say "building the kernel $1"
	# shellcheck disable=SC2046
	"$build_uml" $(kernel_of "$1") || return
	((SECONDS - start <= longest)) || longest=$((SECONDS - start))
}

# The tests need 6.12 and KUnit. The others are for whoever has time: what is not there is skipped.
get_kernels() {
	local kernel longest=0
	for kernel in 6.12 kunit; do
		get_kernel "$kernel" || failed+=(--failed "the kernel $kernel could not be built")
	done
	((longest)) || [[ -n $all_kernels ]] || return 0
	for kernel in distro 5.10 7.2 6.1 wireless kasan; do
		[[ -n $all_kernels ]] || ((SECONDS + longest <= kernel_budget)) || continue
		get_kernel "$kernel" || echo "run.sh: NO KERNEL $kernel: its tests are skipped" >&2
	done
}

# get_image: the Debian image of the tests, where its kernel is there.
get_image() {
	have_kernel distro || return 0
	say "the Debian image"
	tests/system/debian_image.sh || echo "run.sh: NO DEBIAN IMAGE: its tests are skipped" >&2
}

# run_tests PRESET [CTEST-OPTION]...: leaves $results/PRESET.xml.
run_tests() {
	local preset=$1
	shift
	say "testing: $preset"
	ctest --test-dir "build/$preset" --output-on-failure --output-junit "$results/$preset.xml" \
		--test-output-size-passed 10000000 --test-output-size-failed 10000000 \
		--parallel "$(nproc)" "$@" </dev/null || true
}

# run_script NAME COMMAND...: counts what it prints as TAP.
run_script() {
	local name=$1
	shift
	say "testing: $name"
	"$@" </dev/null | tee "$results/$name.tap" || true
	scripts+=(--tap "$name" "$results/$name.tap")
}

main() {
	parse_arguments "$@"
	cd "$root"
	results=$root/build/results failed=() scripts=()
	rm -rf "$results"
	mkdir -p "$results"
	.ci/install.sh
	build
	[[ -n $quick ]] || { get_kernels && get_image; }
	# Every test prints one line a case (TAP); count_cases.py counts them.
	export CMOCKA_MESSAGE_OUTPUT=TAP
	run_tests asan --label-regex unit
	if [[ -n $quick ]]; then
		run_tests release --label-regex unit
	else
		run_tests release
	fi
	run_script fuzz tests/fuzz/run.sh
	run_script checks tests/checks.sh
	say "results"
	python3 tests/count_cases.py "${failed[@]}" "${scripts[@]}" "$results"/asan.xml "$results"/release.xml
}

main "$@"
