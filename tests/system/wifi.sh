#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Wi-Fi with programs as users have them: the machine's hostapd and wpa_supplicant, as they are, on the
# kernel's simulated radios. Recorded, replayed, and looked at with tshark.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel wireless
PATH=$PATH:/usr/sbin:/sbin
if ! hostapd=$(command -v hostapd) || ! supplicant=$(command -v wpa_supplicant); then
	echo "1..0 # SKIP no hostapd, no wpa_supplicant: install the packages hostapd and wpasupplicant"
	exit 77
fi

pack_wifi() {
	"$source_dir/kernel/uml/make-initramfs.sh" -o "$work/initrd.gz" \
		-i "$source_dir/tests/system/wifi_init.sh" \
		-a "$hostapd:/bin/hostapd" -a "$supplicant:/bin/wpa_supplicant" || exit 1
	chmod 644 "$work/initrd.gz"
}

# wifi_lab PERCENT GUEST...: on a medium that loses so much; GUEST: a name and the kernel's words.
wifi_lab() {
	local loss=$1 guest
	shift
	place_files
	{
		echo "programs: [{name: air, id: 29, timed: true, command: 'vhost_program air {socket} --time {time}" \
			"--delay 100000 --seed {seed} --loss $loss'}]"
		echo guests:
		for guest; do
			echo "  - {name: ${guest%% *}, kernel: ./linux, initrd: ./initrd.gz, memory: 128M," \
				"append: '${guest#* }', devices: [{program: air}]}"
		done
	} >lab.yaml
}

connected='CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:00 completed'

# What the access point and the station said in one guest.
associates() {
	says out 'AP-ENABLED'
	says out "$connected"
	says out 'EAPOL-4WAY-HS-COMPLETED 02:00:00:00:01:00'
}

# frames FILTER: of the capture.
frames() {
	tshark -n -r t.pcapng -Y "$1" -T fields -e frame.interface_name -e radiotap.channel.freq \
		-e radiotap.dbm_antsignal -e frame.time_epoch -e frame.comment 2>/dev/null
}

# shows NAME FILTER: there is such a frame, with a channel, a signal and its virtual time.
shows() {
	frames "$2" >seen
	grep -qP '^program air\t2412\t-4[05]\t[0-9]\.[0-9]{9}\t' seen || fail "tshark shows no $1: $(head -n 3 seen)"
}

wpa2() {
	wifi_lab 0 "n1 role=both secure=wpa2 pass=correct_horse"
	expect 0 ttrec run -f lab.yaml -o t.zst --cpu 0 --expect "$connected"
	associates
	replays_all 1 t.zst
	never_says out 'not compared'
	at_least "$(records t.zst digest)" 10 digests
	mv t.zst first.zst
	expect 0 record_lab --cpu 0
	same_history t.zst first.zst
}

sae() {
	wifi_lab 0 "n1 role=both secure=sae pass=correct_horse"
	expect 0 ttrec run -f lab.yaml -o t.zst --expect "$connected"
	associates
	ttdump show --op taken t.zst >shown
	says shown 'authentication SAE commit'
	says shown 'authentication SAE confirm'
	replays_all 1 t.zst
	never_says out 'not compared'
}

wrong_passphrase() {
	wifi_lab 0 "n1 role=both secure=wpa2 pass=wrong_horse"
	expect 1 record_lab --fail-on 'pre-shared key may be incorrect'
	says err '^  why: console output: .*WPA: 4-Way Handshake failed - pre-shared key may be incorrect'
	expect 0 record_lab
	console 0 t.zst >n1
	never_says n1 'CTRL-EVENT-CONNECTED'
	replays_all 1 t.zst
}

captured() {
	local key
	need_tshark
	wifi_lab 0 "n1 role=both secure=wpa2 pass=correct_horse"
	expect 0 record_lab
	expect 0 ttdump export pcapng t.zst -o t.pcapng
	chmod 644 t.pcapng
	shows beacon 'wlan.fc.type_subtype == 8 && wlan.ssid == "lab"'
	shows authentication 'wlan.fc.type_subtype == 11'
	shows 'association request' 'wlan.fc.type_subtype == 0'
	shows 'association response' 'wlan.fc.type_subtype == 1'
	for key in 1 2 3 4; do
		shows "EAPOL key $key" "eapol && wlan_rsna_eapol.keydes.msgnr == $key"
	done
	ttdump show t.zst >shown
	for key in 1 2 3 4; do
		says shown "<- taken .* EAPOL key $key of 4 at 2412 MHz"
		says shown "-> used .* EAPOL key $key of 4 at 2412 MHz, .*-4[05] dBm"
	done
}

# The seed decides what is lost: a frame that is not received is in the capture, and marked.
lossy() {
	need_tshark
	wifi_lab 20 "n1 role=ap secure=wpa2" "n2 role=sta secure=wpa2 pass=correct_horse"
	expect 0 record_lab --cpu 0
	replays_all 2 t.zst
	never_says out 'not compared'
	expect 0 ttreplay --only n2 t.zst
	expect 0 ttdump export pcapng t.zst -o t.pcapng
	chmod 644 t.pcapng
	frames 'wlan && radiotap.txflags == 1' >lost
	at_least "$(grep -c 'from n1, lost: not received; record [0-9]' lost)" 5 "lost frames"
	frames 'wlan && !(radiotap.txflags == 1)' >got
	at_least "$(grep -c 'from n1 to n2 (100us, -4[05] dBm); record [0-9]' got)" 20 "frames that were received"
	mv t.zst first.zst
	expect 0 record_lab --cpu 0
	same_history t.zst first.zst
	expect 0 record_lab --cpu 0 --seed 9
	! cmp -s <(chains t.zst) <(chains first.zst) || fail "another seed, the same losses"
}

pack_wifi
proves "WPA2: hostapd and wpa_supplicant are recorded, twice the same, and replayed" wpa2
proves "SAE is recorded and replayed" sae
proves "a wrong passphrase fails the run by what the console says" wrong_passphrase
proves "tshark and show have the association and its four EAPOL messages" captured
proves "lost frames are marked, and follow from the seed" lossy
finish
