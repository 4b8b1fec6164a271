#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Level: all
# Runs: host DRIVER=mthca
# Runs: host DRIVER=tavor
#
# Tests that tshark decodes the traffic of two HCAs on a switch without a complaint: all transports
# and operations, IPoIB, the connection manager, and the queries of opensm and infiniband-diags. By
# hand:
#   DRIVER=tavor tools/testing/interop/capture_fabric.sh

# shellcheck source=SCRIPTDIR/capture.bash
. "$(dirname "$0")/capture.bash"

echo "TAP version 13"
sent_by all_of_a_fabric.bash --hcas 2 --hca cable=switch --packages "iperf3 fio" --timeout 1500
sent_management_and_sends
some 'infiniband.bth.opcode == 11' "RC RDMA WRITE Only with Immediate is there"
some 'infiniband.bth.opcode == 101' "UD SEND Only with Immediate is there"
some 'infiniband.bth.opcode == 10' "RC RDMA WRITE Only is there"
some 'infiniband.bth.opcode == 6' "RC RDMA WRITE First is there"
some 'infiniband.bth.opcode == 12' "RC RDMA READ Request is there"
some 'infiniband.bth.opcode == 13 || infiniband.bth.opcode == 16' "RC RDMA READ Response is there"
some 'infiniband.bth.opcode == 19' "RC CmpSwap is there"
some 'infiniband.bth.opcode == 20' "RC FetchAdd is there"
some 'infiniband.bth.opcode == 18' "RC Atomic Acknowledge is there"
some 'infiniband.bth.opcode == 42' "UC RDMA WRITE Only is there"
some 'infiniband.grh' "packets with a global header are there"
some 'infiniband.lrh.dlid >= 0xc000 && infiniband.lrh.dlid != 0xffff' "multicast is there"
some 'infiniband.mad.mgmtclass == 0x81 && infiniband.mad.status == 0x8000' \
	"directed-route answers are there"
some 'infiniband.mad.mgmtclass == 0x01' "LID-routed subnet management is there"
some 'infiniband.mad.mgmtclass == 0x03' "subnet administration is there"
some 'infiniband.mad.mgmtclass == 0x04' "performance management is there"
some 'infiniband.mad.mgmtclass == 0x07' "connection management is there"
some 'arp' "ARP of IPoIB is there"
some 'icmp' "ICMP over IPoIB is there"
some 'infiniband.invariant.crc && infiniband.variant.crc' "frames have both CRCs"
finish
