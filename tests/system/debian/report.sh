#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Run by report.service: waits until the boot is complete, reports on it and ends the guest.

state=$(systemctl is-system-running --wait)
systemctl --no-pager --full list-units --type=service --state=running --plain --no-legend
systemctl --no-pager list-units --failed --plain --no-legend | while read -r unit _; do
	echo "failed: $unit"
	journalctl --no-pager -o cat -n 8 -u "$unit"
done
if [[ $state == running ]] && systemctl is-active multi-user.target; then
	echo "ok 1 - systemd: multi-user without failed units"
else
	echo "not ok 1 - systemd: $state"
fi
systemctl poweroff
