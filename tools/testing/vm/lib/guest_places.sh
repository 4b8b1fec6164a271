# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Places for guests: one more than the machine has cores, for all that runs on it. More guests would
# not be done sooner, but their time-outs would strike.

# places_try COUNT MAX: so many, or none. They are given back when this shell and what it started
# have ended.
# shellcheck disable=SC2153 # CACHE is common.sh's
places_try() {
	local n fd taken=()
	for ((n = 0; n < $2 && ${#taken[@]} < $1; n++)); do
		exec {fd}>"$CACHE/lock/guest.$n"
		if flock -n "$fd"; then
			taken+=("$fd")
		else
			exec {fd}>&-
		fi
	done
	[ ${#taken[@]} -lt "$1" ] || return 0
	for fd in "${taken[@]}"; do
		exec {fd}>&-
	done
	return 1
}

# places_take COUNT: waits for them. Guests that need each other take their places together, so that
# none waits in vain for one that has none; what is started from here on needs no other.
places_take() {
	local said='' max=${IB_VRB_GUESTS:-$(($(nproc) + 1))}
	[ -z "${IB_VRB_PLACED:-}" ] || return 0
	mkdir -p "$CACHE/lock"
	until places_try "$(($1 < max ? $1 : max))" "$max"; do
		[ -n "$said" ] || say "guests run already, $max at most: waiting for one to end"
		said=1
		sleep 0.5
	done
	export IB_VRB_PLACED=1
}
