# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The HCA model: built when its sources changed, started and stopped with a run.

MODEL_DIR=$TREE/tools/testing/hca

# model_build DEST: build the model and copy the binary, since another run may build it anew
# meanwhile
model_build() {
	local out=$BUILD/hca log rc=0
	[ -e "$MODEL_DIR/Makefile" ] ||
		die "there is no HCA model in tools/testing/hca: only --hcas 0 can run"
	mkdir -p "$out"
	log=$(mktemp)
	(
		flock 9
		make -s -j2 -C "$MODEL_DIR" OUTPUT="$out" 9>&- && cp "$out/tavor-hca" "$1"
	) 9>"$out/.lock" >"$log" 2>&1 || rc=$?
	[ "$rc" = 0 ] || {
		tail -n 30 "$log" >&2
		rm -f "$log"
		die "FAILED: the HCA model does not build"
	}
	rm -f "$log"
}

# model_ready LOG PID: wait until the model says that all its sockets accept
model_ready() {
	local try
	for try in $(seq 200); do
		! grep -qsx ready "$1" || return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# model_verdict REPORT: the first violations, in a line; empty if there is none
model_verdict() {
	[ -e "$1" ] || return 0
	local count
	count=$(grep -c '^{"violation"' "$1") || return 0
	echo "$count violation(s) of the hardware interface, first: $(grep -m1 '^{"violation"' \
		"$1")"
}
