# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The targets, which are never adjusted to results. Documentation/benchmarks.rst has those
missed."""

from lib.report import Target

MODIFIES = ('RESET to INIT', 'INIT to RTR', 'RTR to RTS')
LOADS = ('four processes that compute', 'a SCHED_FIFO process that computes',
         'half of the time in softirq')

TARGETS = [
    Target('engine', 'no deadlines, depth 64', 'instructions', 1500, absolute=True),
    Target('engine', 'deadlines, depth 64', 'instructions', 1500, absolute=True),
    Target('engine', 'depths 8 to 65536', 'most above least, %', 10, absolute=True),
    Target('engine', 'longest run of the pump', 'instructions', 100000, absolute=True),
    Target('engine', 'no deadlines, depth 64', 'wake-ups', 0, absolute=True),
    Target('engine', 'no deadlines, depth 64', 'allocations', 0, absolute=True),
    Target('engine', 'vrb_submit_wait()', 'wake-ups', 1, absolute=True),
    *(Target('end_to_end', f'{client}: modify_qp: {to}', 'instructions', 1.0)
      for client in ('kernel', 'process') for to in MODIFIES),
    *(Target('end_to_end', f'{client}: {verb}', 'instructions', 1.0)
      for client in ('kernel', 'process') for verb in ('create_cq', 'destroy_cq')),
    Target('data_path', 'post_send: send', 'instructions', 1.05),
    Target('data_path', 'post_send: RDMA write', 'instructions', 1.05),
    Target('data_path', 'post_send: each of a chain of 16', 'instructions', 1.05),
    Target('data_path', 'post_recv', 'instructions', 1.05),
    Target('data_path', 'poll_cq: one of a send', 'instructions', 1.1),
    Target('data_path', 'poll_cq: one of a receive', 'instructions', 1.1),
    Target('data_path', 'poll_cq: each of 16 sends', 'instructions', 1.1),
    Target('data_path', 'poll_cq: each of 16 receives', 'instructions', 1.1),
    Target('data_path', 'req_notify_cq', 'instructions', 1.1),
    Target('data_path', 'message: notify, send, event, poll', 'register writes', 1.0),
    Target('data_path', 'message: notify, send, event, poll', 'device interrupts', 1.0),
    Target('life', 'load', 'reads of tables, a port', 10, absolute=True),
    *(Target('regions', f'reg_mr: 64 MiB{pages}', metric, 1 / 20)
      for pages in ('', ', huge') for metric in ('instructions', 'register writes')),
    Target('exit', 'exit of a process', 'seconds', 1 / 20),
    *(Target('connect', f'softirq, depth 64, {latency} ms', 'connections per second', 40,
             least=True, against=f'1 kernel threads, {latency} ms') for latency in (10, 100)),
    # 95 % of what 64 slots allow: 64 / (6 commands * latency)
    *(Target('connect', f'softirq, depth {depth}, {latency} ms', 'connections per second',
             0.95 * 64 / (6 * latency / 1000), least=True, absolute=True)
      for depth in (64, 256) for latency in (10, 100)),
    Target('slots', 'libvrbq, verb queue, 10ms', 'slots in use, % of the share', 95, least=True,
           absolute=True),
    Target('slots', 'libvrbq, verb queue, 200ms', 'slots in use, % of the share', 95, least=True,
           absolute=True),
    *(Target('latency', load, 'p99, of idle', 1.5, absolute=True) for load in LOADS),
    *(Target('connect', f'64 user threads, {latency} ms', 'connections per second', 0.97,
             least=True) for latency in (10, 100)),
]
