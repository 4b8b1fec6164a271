# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The processes of a run: file servers, the HCA model, QEMU. Each is a child that the kernel kills
# if this script dies, and that boot_stop ends otherwise.

declare -A CHILD

# start NAME LOG PROGRAM...
start() {
	local name=$1 log=$2
	shift 2
	setpriv --pdeathsig KILL -- "$@" >"$log" 2>&1 </dev/null &
	CHILD[$name]=$!
}

running() {
	kill -0 "${CHILD[$1]}" 2>/dev/null
}

# stop NAME: sends SIGTERM, then SIGKILL. The exit status is in STOPPED.
stop() {
	local pid=${CHILD[$1]:-} try
	STOPPED=0
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null || :
	for try in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || break
		[ "$try" != 100 ] || kill -KILL "$pid" 2>/dev/null || :
		sleep 0.05
	done
	wait "$pid" 2>/dev/null || STOPPED=$?
	unset "CHILD[$1]"
}

boot_stop() {
	local name
	for name in qemu model "${!CHILD[@]}"; do
		stop "$name"
	done
}

# share TAG DIR CACHE [--readonly]: shares a folder of the host with the guest
share() {
	local tag=$1 dir=$2 cache=$3 program
	shift 3
	mapfile -t program < <(root_program "$TOOL" /usr/libexec/virtiofsd)
	start "fs-$tag" "$RUN/fs-$tag.log" "${program[@]}" --socket-path="$RUN/$tag.sock" \
		--shared-dir "$dir" --sandbox none --cache "$cache" "$@"
	QEMU_ARGS+=(-chardev "socket,id=fs-$tag,path=$RUN/$tag.sock"
		-device "vhost-user-fs-pci,chardev=fs-$tag,tag=$tag")
	SOCKETS+=("$RUN/$tag.sock")
}

# bridge_add NUMBER: adds QEMU's arguments for a bridge without interrupts and hot plug
bridge_add() {
	QEMU_ARGS+=(-device "pci-bridge,id=bridge$1,chassis_nr=$(($1 + 1)),shpc=off,msi=off")
}

# model_start COUNT: starts the model with COUNT HCAs, and adds QEMU's arguments for them
model_start() {
	local i vfio bus sockets=()
	for ((i = 0; i < $1; i++)); do
		sockets+=(--socket "$RUN/hca$i.sock")
		bus=
		if [ -n "$BRIDGE" ]; then
			bridge_add "$i"
			bus=',"bus":"bridge'$i'"'
		fi
		vfio='{"driver":"vfio-user-pci","socket":{"path":"%s","type":"unix"}%s}'
		# shellcheck disable=SC2059 # it is a format
		QEMU_ARGS+=(-device "$(printf "$vfio" "$RUN/hca$i.sock" "$bus")")
	done
	start model "$RESULTS/hca.out" "$RUN/tavor-hca" "${sockets[@]}" "${MODEL_ARGS[@]}" \
		--report "$RESULTS/hca-report.jsonl" --log "$RESULTS/hca.log" --control \
		"$RUN/control.sock"
	model_ready "$RESULTS/hca.out" "${CHILD[model]}" || {
		tail -n 20 "$RESULTS/hca.out" >&2
		die "the HCA model did not start"
	}
	# The model's control socket is the guest's second serial line.
	if [ -S "$RUN/control.sock" ]; then
		# shellcheck disable=SC2054 # QEMU's own commas
		QEMU_ARGS+=(-chardev "socket,id=control,path=$RUN/control.sock"
			-device isa-serial,chardev=control,index=1)
	fi
}

# guest_start VMLINUX SMP MEMORY-MIB COMMAND-LINE: the sockets must exist already
guest_start() {
	local program try socket
	for try in $(seq 100); do
		for socket in "${SOCKETS[@]}"; do
			[ -S "$socket" ] || { sleep 0.05; continue 2; }
		done
		break
	done
	[ -S "$socket" ] ||
		{ cat "$RUN"/fs-*.log >&2; die "a file server of the guest did not start"; }
	mapfile -t program < <(root_program "$TOOL" /usr/bin/qemu-system-x86_64)
	# shellcheck disable=SC2054 # QEMU's own commas
	program+=(-L "$TOOL/usr/share/qemu" -L "$TOOL/usr/share/seabios"
		-accel tcg,thread=multi -M q35,memory-backend=m0 -cpu max -smp "$2" -m "$3M"
		-object "memory-backend-memfd,id=m0,size=$3M,share=on"
		-display none -no-reboot -nodefaults -kernel "$1" -append "$4" "${QEMU_ARGS[@]}")
	if [ -n "$SHELL_WANTED" ]; then
		# QEMU owns the terminal; by default a shell gives background processes no input.
		exec 3<&0
		QEMU_MODULE_DIR=$TOOL/usr/lib/x86_64-linux-gnu/qemu setpriv --pdeathsig KILL -- \
			"${program[@]}" -chardev \
			"stdio,id=tty,signal=off,logfile=$RESULTS/console.log" \
			-serial chardev:tty <&3 &
		CHILD[qemu]=$!
	else
		export QEMU_MODULE_DIR=$TOOL/usr/lib/x86_64-linux-gnu/qemu
		start qemu "$RUN/qemu.log" "${program[@]}" -serial "file:$RESULTS/console.log"
		unset QEMU_MODULE_DIR
	fi
}
