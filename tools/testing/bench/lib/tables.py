# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The tables of Documentation/benchmarks.rst: which cells each has, and under which names."""

from lib.samples import DRIVERS
from scenarios import connect
from scenarios.targets import TARGETS

NAMES = tuple(f'ib_{driver}' for driver in DRIVERS)
MILLISECONDS = (10, 100)

DATA_PATH = (
    ('``ib_post_send()``, a send', 'post_send: send'),
    ('the same, an RDMA write', 'post_send: RDMA write'),
    ('the same, a send of 4 pieces', 'post_send: send of 4 pieces'),
    ('the same, a send of 16 pieces', 'post_send: send of 16 pieces'),
    ('the same, each of a chain of 16', 'post_send: each of a chain of 16'),
    ('``ib_post_recv()``', 'post_recv'),
    ('the same, 4 pieces', 'post_recv: 4 pieces'),
    ('the same, each of a chain of 16', 'post_recv: each of a chain of 16'),
    ('``ib_poll_cq()``, one of a send', 'poll_cq: one of a send'),
    ('the same, one of a receive', 'poll_cq: one of a receive'),
    ('the same, each of 16 of sends', 'poll_cq: each of 16 sends'),
    ('the same, each of 16 of receives', 'poll_cq: each of 16 receives'),
    ('the same, the CQ is empty', 'poll_cq: empty queue'),
    ('``ib_req_notify_cq()``', 'req_notify_cq'),
)
VERBS = (
    'open_device', 'close_device', 'alloc_pd', 'dealloc_pd', 'alloc_pd, key to all memory',
    'dealloc_pd, key to all memory', 'create_ah', 'destroy_ah', 'create_cq', 'resize_cq',
    'destroy_cq', 'create_srq', 'modify_srq: limit', 'query_srq', 'destroy_srq', 'create_qp',
    *(f'modify_qp: {change}' for change in ('RESET to INIT', 'INIT to RTR', 'RTR to RTS')),
    'query_qp',
    *(f'modify_qp: {change}' for change in ('RTS to SQD', 'SQD to RTS', 'RTS to ERR',
                                            'ERR to RESET')),
    'destroy_qp', 'attach_mcast', 'detach_mcast', 'query_port', 'query_pkey', 'modify_port',
    'reg_mr: 4 KiB', 'dereg_mr: 4 KiB',
)
SIZES = ('4 KiB', '64 KiB', '1 MiB', '16 MiB', '64 MiB', '256 MiB', '1 GiB')
LIFE = (
    ('load, all', 'life', 'load', 'commands, all'),
    ('load, MAD_IFC', 'life', 'load', 'MAD_IFC'),
    ('load, reads of tables, a port', 'life', 'load', 'reads of tables, a port'),
    ('unload, all', 'life', 'unload', 'commands, all'),
    ('recovery, all', 'life', 'failure and recovery', 'commands, all'),
    ('exit of a process, all', 'exit', 'exit of a process', 'commands, all'),
    ('exit of a process, interrupts', 'exit', 'exit of a process', 'msix'),
)
LATENCY = (
    ('idle', 'idle'),
    ('four processes that compute', 'four processes that compute'),
    ('a ``SCHED_FIFO`` process', 'a SCHED_FIFO process that computes'),
    ('half of the time in softirq', 'half of the time in softirq'),
)
SLOTS = ('one after the other', *(f'libvrbq, {how}' for how in (
    '1 thread', '6 threads', '16 threads', 'verb queue')))
STORMS = (('regions', 'register and deregister 4 KiB'), ('CQs', 'create and destroy a CQ'),
          ('joins', 'attach to a group and detach'))

OBJECTS = (('region', 'region'), ('completion queue', 'completion queue'),
           ('queue pair', 'queue pair'), ('connection', 'connection'))
SERVERS = (('ib_wq_server', 'mthca'), ('ib_wq_server', 'tavor'), ('ib_softirq_server', 'tavor'))


def whole(value):
    """A number without decimals, or nothing."""
    return '' if value is None else f'{value:.0f}'


def tenth(value, most=50):
    """A number with a decimal if it is small, or nothing."""
    return '' if value is None else f'{value:.{1 if value < most else 0}f}'


def ratio(theirs, ours):
    """A ratio, if there are both."""
    return f'{ours / theirs:.2f}' if theirs and ours is not None else ''


def both(cells, scenario, case, metric):
    """The numbers of both drivers."""
    return [cells.get(scenario, case, metric, driver) for driver in DRIVERS]


def with_ratio(values):
    """Two numbers and their ratio, as text."""
    return [*map(whole, values), ratio(*values)]


def table(widths, head, rows):
    """A simple table of reStructuredText. A head that is text is a line of its own."""
    def line(cells):
        return '  '.join(str(cell).ljust(width) for cell, width in zip(cells, widths)).rstrip()
    rule = '  '.join('=' * width for width in widths)
    return '\n'.join([rule, *(text if isinstance(text, str) else line(text) for text in head), rule,
                      *map(line, rows), rule])


def spanning(*groups):
    """Two lines of a head: (text, widths of the columns that it is for), and the rule below."""
    widths = [sum(columns) + 2 * (len(columns) - 1) for _, columns in groups]
    texts = '  '.join(text.ljust(width) for (text, _), width in zip(groups, widths))
    return texts.rstrip(), '  '.join('-' * width for width in widths)


def targets(scenario):
    """case -> the target for its instructions"""
    return {target.case: f'{target.limit:g}' for target in TARGETS
            if target.scenario == scenario and target.metric == 'instructions'}


def data_path(cells):
    """Calls of the data path."""
    wanted = targets('data_path')
    rows = [[label, *with_ratio(both(cells, 'data_path', case, 'instructions')),
             wanted.get(case, '')] for label, case in DATA_PATH]
    return table([37, 10, 10, 7, 7], [('call', *NAMES, 'ratio', 'target')], rows)


def end_to_end(cells):
    """Verbs of a kernel client and of a process, and their sum."""
    rows, sums = [], {client: [0, 0] for client in ('kernel', 'process')}
    for verb in VERBS:
        row = [verb]
        for client, total in sums.items():
            values = both(cells, 'end_to_end', f'{client}: {verb}', 'instructions')
            row += with_ratio(values)
            total[:] = [known + (value or 0) for known, value in zip(total, values)]
        rows.append(row)
    rows.append(['all', *(cell for total in sums.values() for cell in with_ratio(total))])
    widths = [37, 10, 10, 7, 10, 10, 7]
    return table(widths, [*spanning(('\\', [37]), ('kernel client', widths[1:4]),
                                    ('process', widths[4:])),
                          ('verb', *(NAMES + ('ratio',)) * 2)], rows)


def engine(cells):
    """The request engine, by depth."""
    rows = [(depth, *(whole(cells.get('engine', f'{how}, depth {depth}', 'instructions', 'tavor'))
                      for how in ('no deadlines', 'deadlines')))
            for depth in (1, 8, 64, 4096, 65536)]
    return table([10, 12, 10], [('depth', 'no deadlines', 'deadlines')], rows)


def regions(cells):
    """Registrations, by size."""
    rows = []
    for verb in ('reg_mr', 'dereg_mr'):
        for size in (*SIZES, *(f'{size}, huge' for size in SIZES)):
            values = both(cells, 'regions', f'{verb}: {size}', 'instructions')
            if None not in values:
                writes = both(cells, 'regions', f'{verb}: {size}', 'register writes')
                rows.append([f'{verb} {size}', *with_ratio(values), *map(whole, writes)])
    widths = [37, 10, 10, 7, 10, 10]
    return table(widths, [*spanning(('\\', [37]), ('instructions', widths[1:4]),
                                    ('register writes', widths[4:])),
                          ('call, size and pages', *NAMES, 'ratio', *NAMES)], rows)


def life(cells):
    """Commands of a load, an unload, a recovery, and the exit of a process."""
    return table([32, 10, 10, 7], [('commands', *NAMES, 'ratio')],
                 [[label, *with_ratio(both(cells, *key))] for label, *key in LIFE])


def latency(cells):
    """Percentiles of a connect, and the rounds that met the target."""
    rows = []
    for label, case in LATENCY:
        values = [tenth(value, 100) for metric in ('p50, ms', 'p99, ms', 'p99.9, ms')
                  for value in both(cells, 'latency', case, metric)]
        met, of = (both(cells, 'latency', case, metric)
                   for metric in ('rounds at most 1.5', 'rounds'))
        values += ['' if n is None else f'{n:.0f} of {m:.0f}' for n, m in zip(met, of)]
        rows.append([label, *(value or '--' for value in values)])
    heads = ('p50, ms', 'p99, ms', 'p99.9, ms', 'p99 ≤ 1.5 of idle')
    return table([28, *[8] * 8], [*spanning(('\\', [28]), *((text, [8, 8]) for text in heads)),
                                  ('beside', *NAMES * 4)], rows)


def connects():
    """(label, case without its latency, client, depth)"""
    for what, whose, depths in (('kernel threads', 'the kernel', (1, 8, 64, 256)),
                                ('user threads', 'a process', (1, 8, 64))):
        for depth in depths:
            threads = 'thread' if depth == 1 else 'threads'
            yield f'{depth} {threads} of {whose}', f'{depth} {what}', what, depth
    for depth in (1, 8, 64, 256):
        yield f'softirq, {depth}', f'softirq, depth {depth}', 'softirq', depth


def connections(cells):
    """Connections per second, by client and depth."""
    rows = []
    for label, case, what, depth in connects():
        row = [label]
        for profile in connect.PROFILES[:2]:
            measured = depth in profile.depths
            values = both(cells, 'connect', f'{case}, {profile.text()}', connect.RATE_METRIC)
            row += [tenth(value) or
                    ('guest' if measured and (driver, what) != ('mthca', 'softirq') else '--')
                    for driver, value in zip(DRIVERS, values)]
            row.append(tenth(profile.possible(depth)) if measured else '--')
        rows.append(row)
    widths = [10, 10, 18]
    return table([25, *widths * 2],
                 [*spanning(('\\', [25]), *((f'{ms} ms a command', widths) for ms in MILLISECONDS)),
                  ('at a time', *(NAMES + ('the HCA allows',)) * 2)], rows)


def slots(cells):
    """Command slots in use, percent."""
    rows = [[way, *(whole(value) or '--' for ms in (10, 200) for value in
                    both(cells, 'slots', f'{way}, {ms}ms', 'slots in use, % of the share'))]
            for way in SLOTS]
    widths = [10, 10]
    return table([24, *widths * 2],
                 [*spanning(('\\', [24]), *((f'{ms} ms a command', widths) for ms in (10, 200))),
                  ('way', *NAMES * 2)], rows)


def storms(cells):
    """Registrations, completion queues and joins per second."""
    rows = []
    for kind, label in STORMS:
        for depth in (1, 8, 64):
            values = [*both(cells, 'storms', f'{kind}, {depth} user threads', 'per second'),
                      cells.get('storms', f'{kind}, softirq, {depth} at a time', 'per second',
                                'tavor')]
            rows.append([label if depth == 1 else '\\', depth,
                         *(tenth(value) or 'guest' for value in values)])
    widths = [30, 10, 10, 10, 14]
    return table(widths, [*spanning(('\\', [30]), ('', [10]), ('a process\'s threads', [10, 10]),
                                    ('client in', [14])),
                          ('what', 'at a time', *NAMES, 'softirq')], rows)


def memory(cells):
    """Bytes of an object, and instructions of one more."""
    rows = []
    for case, label in OBJECTS:
        for many in (1000, 30000):
            rows.append([label if many == 1000 else '\\', many,
                         *(whole(value) for metric in ('kernel, bytes each', 'instructions')
                           for value in both(cells, 'memory', f'{case}: {many}', metric))])
    widths = [16, 10, 10, 10, 10, 10]
    return table(widths, [*spanning(('\\', [16]), ('', [10]), ('bytes', [10, 10]),
                                    ('instructions', [10, 10])),
                          ('one more of', 'exist', *NAMES * 2)], rows)


def servers(cells):
    """What a server of connections reaches, and what it takes."""
    rows = []
    for many in (1, 64):
        for metric, label, text in (
                ('connections per second', 'a second', tenth),
                ('wait, median, ms', 'wait of the client, median, ms', whole),
                ('wait, p99, ms', 'wait of the client, p99, ms', whole),
                ('threads, most', 'more threads of the kernel', whole)):
            values = [cells.get('servers', f'{server}, {many} at a time, 200ms', metric, driver)
                      for server, driver in SERVERS]
            if any(value is not None for value in values):
                rows.append([f'{many} at a time, {label}',
                             *('guest' if value is None else text(value) for value in values)])
    widths = [46, 10, 10, 17]
    return table(widths, [*spanning(('\\', [46]), ('ib_wq_server', [10, 10]),
                                    ('ib_softirq_server', [17])),
                          ('how many, and what', *(f'ib_{driver}' for _, driver in SERVERS))], rows)


def of(cells):
    """name -> text"""
    return {'data path': data_path(cells), 'verbs': end_to_end(cells), 'engine': engine(cells),
            'regions': regions(cells), 'life': life(cells), 'latency': latency(cells),
            'connections': connections(cells), 'storms': storms(cells), 'slots': slots(cells),
            'memory': memory(cells), 'servers': servers(cells)}
