# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The HCA model: built when its sources have changed, started and stopped with a run.

MODEL_DIR=$TREE/tools/testing/hca

# model_build DEST: builds the model and copies the binary, since another run may rebuild it
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

# model_ready LOG PID: waits until the model reports that all its sockets accept connections
model_ready() {
	local try
	for try in $(seq 200); do
		! grep -qsx ready "$1" || return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# model_verdict REPORT: prints in one line the number of violations and, for the first, what was
# done, the rule it breaks and what would have been right; nothing if there is none
model_verdict() {
	[ -e "$1" ] || return 0
	python3 - "$1" <<-'X'
		import json
		import sys

		found = []
		with open(sys.argv[1], encoding='utf-8', errors='replace') as report:
		    for line in report:
		        try:
		            found += [one for one in [json.loads(line)] if 'violation' in one]
		        except ValueError:  # the model died while it wrote this line
		            pass
		if found:
		    more = len(found) > 1
		    said = f'{len(found)} violation{"s" if more else ""} of the hardware interface'
		    said += ', first: ' if more else ': '
		    said += '{violation} (HCA {hca}, {object}: {detail}).'.format(**found[0])
		    print(said, 'Rule: {rule} Right: {right}'.format(**found[0]))
	X
}
