# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests of third-party software with the loaded driver: the tools of rdma-core, and opensm. Each
# test that passes with the distribution's ib_mthca must pass with ib_tavor.

# shellcheck source=SCRIPTDIR/../vm/guest/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/guest/test.bash"

test_one_device_with_two_ports() {
	[ "$(rdma_devices | wc -l)" = 1 ] || fail "RDMA devices: $(rdma_devices | tr '\n' ' ')"
	[ "$(find "/sys/class/infiniband/$(device)/ports/" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
}

test_both_ports_are_active() {
	local port
	for port in 1 2; do
		[ "$(port_file $port state)" = "4: ACTIVE" ] ||
			fail "port $port: $(port_file $port state)"
		[ "$(port_file $port phys_state)" = "5: LinkUp" ] ||
			fail "port $port: $(port_file $port phys_state)"
		[ "$(port_file $port link_layer)" = InfiniBand ]
		[ "$(port_file $port rate)" = "10 Gb/sec (4X SDR)" ] ||
			fail "port $port: $(port_file $port rate)"
		[ "$(lid $port)" -ge 1 ] && [ "$(lid $port)" -lt $((0xc000)) ] ||
			fail "port $port: LID $(lid $port)"
	done
	[ "$(lid 1)" != "$(lid 2)" ] || fail "both ports have LID $(lid 1)"
}

test_sysfs_names_the_board() {
	local dir
	dir=/sys/class/infiniband/$(device)
	[ "$(cat "$dir/hca_type")" = MT23108 ] || fail "hca_type: $(cat "$dir/hca_type")"
	grep -qE '^[0-9]+\.[0-9]+\.[0-9]+$' "$dir/fw_ver" || fail "fw_ver: $(cat "$dir/fw_ver")"
	grep -qE '^[0-9a-f]+$' "$dir/hw_rev" || fail "hw_rev: $(cat "$dir/hw_rev")"
	[ "$(cat "$dir/node_type")" = "1: CA" ]
	grep -qE '^([0-9a-f]{4}:){3}[0-9a-f]{4}$' "$dir/node_guid"
	[ "$(cat "$dir/node_guid")" != 0000:0000:0000:0000 ]
}

test_ibv_devices() {
	ibv_devices | tee /dev/stderr | grep -qE "^ +$(device)[[:space:]]+[0-9a-f]{16}"
}

test_ibv_devinfo() {
	ibv_devinfo -v >"$TEST_DIR/info"
	cat "$TEST_DIR/info"
	[ "$(grep -c 'PORT_ACTIVE (4)' "$TEST_DIR/info")" = 2 ]
	grep -q 'transport:.*InfiniBand (0)' "$TEST_DIR/info"
	grep -qE 'vendor_id:[[:space:]]*0x02c9' "$TEST_DIR/info"
	grep -qE 'vendor_part_id:[[:space:]]*23108' "$TEST_DIR/info"
	grep -qE 'phys_port_cnt:[[:space:]]*2' "$TEST_DIR/info"
	grep -qE 'active_mtu:[[:space:]]*2048 \(4\)' "$TEST_DIR/info"
	grep -qE 'max_qp:[[:space:]]*[1-9]' "$TEST_DIR/info"
	grep -qE 'atomic_cap:[[:space:]]*ATOMIC_HCA' "$TEST_DIR/info"
	absent 'failed|unknown' "$TEST_DIR/info"
}

test_ibstat() {
	ibstat >"$TEST_DIR/stat"
	cat "$TEST_DIR/stat"
	[ "$(grep -c 'State: Active' "$TEST_DIR/stat")" = 2 ]
	[ "$(grep -c 'Physical state: LinkUp' "$TEST_DIR/stat")" = 2 ]
	grep -q 'CA type: MT23108' "$TEST_DIR/stat"
	grep -q 'Number of ports: 2' "$TEST_DIR/stat"
}

test_rc_pingpong() {
	pair "ibv_rc_pingpong -c" "ibv_rc_pingpong -c"
}

test_rc_pingpong_with_events() {
	pair "ibv_rc_pingpong -c -e" "ibv_rc_pingpong -c -e"
}

test_rc_pingpong_from_port_1_to_port_2() {
	pair "ibv_rc_pingpong -c -i 2 -n 200" "ibv_rc_pingpong -c -i 1 -n 200"
}

test_rc_pingpong_of_every_size_and_mtu() {
	local size mtu
	for size in 1 1024 65536; do
		for mtu in 256 512 1024 2048; do
			pair "ibv_rc_pingpong -c -n 20 -s $size -m $mtu" \
				"ibv_rc_pingpong -c -n 20 -s $size -m $mtu"
		done
	done
}

test_uc_pingpong() {
	pair "ibv_uc_pingpong -c -n 500" "ibv_uc_pingpong -c -n 500"
}

test_uc_pingpong_with_events_between_ports() {
	pair "ibv_uc_pingpong -c -e -n 200 -i 2" "ibv_uc_pingpong -c -e -n 200 -i 1"
}

test_ud_pingpong() {
	pair "ibv_ud_pingpong -c" "ibv_ud_pingpong -c"
}

test_ud_pingpong_with_events_between_ports() {
	pair "ibv_ud_pingpong -c -e -n 200 -s 2048 -i 2" "ibv_ud_pingpong -c -e -n 200 -s 2048 -i 1"
}

test_srq_pingpong() {
	pair "ibv_srq_pingpong -c -n 500" "ibv_srq_pingpong -c -n 500"
}

test_srq_pingpong_with_events_between_ports() {
	pair "ibv_srq_pingpong -c -e -q 4 -n 200 -i 2" "ibv_srq_pingpong -c -e -q 4 -n 200 -i 1"
}

test_ibping() {
	ibping -S -C "$(device)" -P 2 &
	sleep 0.5
	ibping -c 10 -f -C "$(device)" -P 1 -L "$(lid 2)" | tee "$TEST_DIR/ping"
	grep -q '10 packets transmitted, 10 received, 0% packet loss' "$TEST_DIR/ping"
}

test_the_driver_unloads_and_loads_again() {
	sm_away
	driver_unload
	[ -z "$(rdma_devices)" ]
	driver_load
	sm_restart
	test_both_ports_are_active
	pair "ibv_rc_pingpong -c -n 100" "ibv_rc_pingpong -c -n 100"
}

# Last: apart from errors, opensm writes to its log only when it ends, as it did above.
test_opensm_reports_no_error() {
	[ -n "$(ls /results/opensm-*.log)" ]
	absent ' ERR |error|subnet down' /results/opensm-*.log
	grep -hq 'SUBNET UP' /results/opensm-*.log
}
