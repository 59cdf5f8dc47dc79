#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Init of the guests of wifi.sh: an access point (role=ap), a station (role=sta), or both (role=both), with
# the programs of the machine that the test runs on. secure=wpa2 or sae; pass= is the station's passphrase.

# shellcheck disable=SC2154 # role, secure and pass are words of the kernel command line
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mkdir -p /run
# OpenSSL would take bytes of the processor's, which no recording has.
export OPENSSL_ia32cap=~0x4000000000000000:~0x40000
for word in $(cat /proc/cmdline); do
	case $word in role=* | secure=* | pass=*) eval "$word" ;; esac
done

start_access_point() {
	cat >/tmp/hostapd.conf <<-CONF
		interface=$1
		driver=nl80211
		ssid=lab
		hw_mode=g
		channel=1
		wpa=2
		rsn_pairwise=CCMP
		$(if [ "$secure" = sae ]; then
			printf 'wpa_key_mgmt=SAE\nieee80211w=2\nsae_password=correct horse\n'
		else
			printf 'wpa_key_mgmt=WPA-PSK\nwpa_passphrase=correct horse\n'
		fi)
	CONF
	hostapd /tmp/hostapd.conf
}

start_station() {
	cat >/tmp/station.conf <<-CONF
		network={
			ssid="lab"
			scan_freq=2412
			$(if [ "$secure" = sae ]; then
				printf 'key_mgmt=SAE\nieee80211w=2\n'
			else
				printf 'key_mgmt=WPA-PSK\n'
			fi)
			psk="$(echo "$pass" | tr _ ' ')"
		}
	CONF
	wpa_supplicant -i "$1" -D nl80211 -c /tmp/station.conf
}

case $role in
ap) start_access_point wlan0 & ;;
# Not the first: the radios of all guests have the same addresses, counted from 0.
sta) start_station wlan1 & ;;
both)
	start_access_point wlan0 &
	sleep 1
	start_station wlan1 &
	;;
esac
sleep 8
poweroff -f
