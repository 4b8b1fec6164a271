# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the tests of the examples in guide/: each is a module that logs a line per stage. The test
# sets the module's name ($example).

# shellcheck source=SCRIPTDIR/../tavor/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/../tavor/faults.bash"
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "needs root"
# What follows the device's name and precedes a stage in a line
way=
device=$(rdma_devices | head -n 1)

# log: prints the kernel's log since an example was last loaded
log() {
	dmesg | awk '/guide.bash: begins/ { text = ""; next } { text = text $0 "\n" }
		END { printf "%s", text }'
}

# away: unloads the example, and those that the bench has loaded before the port was active
away() {
	local module
	# shellcheck disable=SC2154 # the test that includes this file sets it
	for module in vrb_guide "$example"; do
		! loaded "$module" || rmmod "$module"
	done
}

# begin: loads the example anew
begin() {
	away
	echo "guide.bash: begins" >/dev/kmsg
	load_own "$example"
}

# stage STAGE [ERRNO]: the example has logged this stage, without an error, or with this one
stage() {
	log | grep "$example: $device: $way$1: ${2:-0}\$" >/dev/null
}

# show: prints what the example has logged
show() {
	log | sed -n "s/.*$example: /# /p"
}

# verdict NAME COMMAND...: reports whether the command succeeds
verdict() {
	local name=$1 result=fail
	shift
	"$@" && result=pass
	report "$name" "$result"
}

# stages STAGE...: loads the example, waits for the last of these stages, and reports each
stages() {
	local name
	begin
	until_true 60 stage "${*: -1}"
	show
	for name; do
		verdict "$name" stage "$name"
	done
}

# nothing_left_by: no object of the example was left to be destroyed by the engine
nothing_left_by() {
	! log | grep "client $example has left" >/dev/null
}
