# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Places for guests: one more than the machine has cores, shared by everything that runs on it. More
# guests would not finish sooner, but would run into their time-outs.

# places_try COUNT MAX: takes COUNT places, or none. They are released when this shell and its
# children have ended. A place is a locked file that names its holder.
# shellcheck disable=SC2153 # CACHE is common.sh's
places_try() {
	local n fd file taken=()
	for ((n = 0; n < $2 && ${#taken[@]} < $1; n++)); do
		file=$CACHE/lock/guest.$n
		exec {fd}<>"$file"
		if flock -n "$fd"; then
			echo "${PLACE_FOR:-${0##*/}} (process $$, in $TREE)" >"$file"
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

# places_held MAX: prints a line for each place that is taken: who holds it
places_held() {
	local n fd file
	for ((n = 0; n < $1; n++)); do
		file=$CACHE/lock/guest.$n
		exec {fd}<>"$file"
		if ! flock -n "$fd"; then
			[ -s "$file" ] && head -n 1 "$file" || echo "a run without a name"
		fi
		exec {fd}>&-
	done
}

# places_take COUNT: waits for COUNT places. Guests that need each other take their places together,
# so that none waits for another that gets no place. What is started from here on needs none of its
# own.
places_take() {
	local said='' max=${IB_VRB_GUESTS:-$(($(nproc) + 1))}
	[ -z "${IB_VRB_PLACED:-}" ] || return 0
	mkdir -p "$CACHE/lock"
	until places_try "$(($1 < max ? $1 : max))" "$max"; do
		[ -n "$said" ] || {
			say "guests run already, $max at most: waiting for one of these to end"
			places_held "$max" | sort -u | sed 's/^/vm:   /' >&2
		}
		said=1
		sleep 0.5
	done
	export IB_VRB_PLACED=1
}
