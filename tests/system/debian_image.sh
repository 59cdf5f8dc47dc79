#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make-debian-image.sh with the packages of the tests (debian/packages.txt); options are passed on.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck disable=SC2046 # words
exec "$here/../../kernel/uml/make-debian-image.sh" "$@" $(sed 's/#.*//' "$here/debian/packages.txt")
