# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tests of ttdump export html, after lib.sh.
# shellcheck shell=bash disable=SC2154 # lib.sh has set them

# What a script measured is said beside the result.
exec 3>&1
export TTREC_TEST_MODULES=$bin/../format/ttdump/export/html/page/node_modules

# Ends the script as skipped where a page cannot be made or looked at.
need_browser() {
	command -v node >/dev/null && [[ -x /usr/bin/chromium && -d $TTREC_TEST_MODULES ]] && return
	echo "1..0 # SKIP no node, no chromium, or built without the page of ttdump export html"
	exit 77
}

# browses SCRIPT ARGUMENT...: that script of html/ finds nothing wrong.
browses() {
	timeout --foreground 120 node "$source_dir/tests/format/ttdump/html/$1.mjs" "${@:2}" >browser ||
		fail "$1: $(head -c 2000 browser)"
	[[ ! -s browser ]] || sed 's/^/# /' browser >&3
}
