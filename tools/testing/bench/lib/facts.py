# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Sentences of the documents with numbers of benchmarks.csv."""

PAGE, README = 'Documentation/benchmarks.rst', 'README.md'
CHANGES = ('RESET to INIT', 'INIT to RTR', 'RTR to RTS', 'RTS to SQD', 'SQD to RTS', 'RTS to ERR',
           'ERR to RESET')
RATE = 'connections per second'


class Missing(Exception):
    """There is no such number."""


def number(cells, *key, driver='tavor'):
    """A number of a driver: scenario, case, and metric unless that is instructions."""
    key = key if len(key) == 3 else (*key, 'instructions')
    value = cells.get(*key, driver)
    if value is None:
        raise Missing(f'{", ".join(key)}, ib_{driver}')
    return value


def numbers(cells, *key):
    """The numbers of ib_mthca and of ib_tavor."""
    return [number(cells, *key, driver=driver) for driver in ('mthca', 'tavor')]


def ratio(cells, *key):
    """The ratio of ib_tavor to ib_mthca."""
    theirs, ours = numbers(cells, *key)
    return ours / theirs


def modifies(cells, client, changes):
    """The lowest and the highest ratio of these changes of a queue pair."""
    ratios = [ratio(cells, 'end_to_end', f'{client}: modify_qp: {change}') for change in changes]
    return f'{min(ratios):.2f} to {max(ratios):.2f}'


def of_engine(cells):
    """The request engine."""
    one, most = (number(cells, 'engine', f'no deadlines, depth {depth}') for depth in (1, 64))
    spread = number(cells, 'engine', 'depths 8 to 65536', 'most above least, %')
    yield PAGE, f'From 8 to 65536 the most is {spread:.0f} % above the least'
    for text, case in (('the submit takes {:.0f} instead of', 'submit, no slot free'),
                       ('A cancel of a queued request takes {:.0f} instructions,',
                        'cancel of a queued one'),
                       ('that completes before the wait {:.0f}.', 'vrb_submit_wait()'),
                       ('The longest run of the pump (the engine\'s softirq function) has {:.0f} '
                        'instructions', 'longest run of the pump')):
        yield PAGE, text.format(number(cells, 'engine', case))
    yield PAGE, f'At depth 1 the engine executes {one:.0f} instructions'
    yield PAGE, f'With 64 outstanding requests the engine executes {most:.0f}.'
    yield README, f'a request costs {most:.0f} instructions with 64 requests outstanding'
    dearest = max(number(cells, 'engine', f'{deadlines}deadlines, depth {depth}')
                  for deadlines in ('', 'no ') for depth in (8, 64, 4096, 65536))
    yield README, f'request costs at most {dearest:.0f} instructions.'


def of_verbs(cells):
    """Verbs of a kernel client and of a process."""
    first = ratio(cells, 'end_to_end', f'process: modify_qp: {CHANGES[0]}')
    create, destroy = (ratio(cells, 'end_to_end', f'process: {verb}_cq')
                       for verb in ('create', 'destroy'))
    yield PAGE, f'is {modifies(cells, "kernel", CHANGES)} for a kernel client'
    yield PAGE, (f'and {modifies(cells, "process", CHANGES[1:])} for a process, but {first:.1f} for '
                 'a process\'s first transition')
    yield PAGE, f'``ibv_destroy_cq()`` have ratios of {create:.2f} and {destroy:.2f} '


def of_polls(cells):
    """Polls of a completion queue that is empty."""
    theirs, ours = numbers(cells, 'data_path', 'poll_cq: empty queue')
    yield PAGE, (f'A poll of an empty completion queue takes {ours - theirs:.0f} instructions more, '
                 f'a ratio of {ours / theirs:.2f}.')


def of_table(cells):
    """The table of README.md."""
    for text, unit, *key in (
            ('`ib_mthca` with threads that wait, `ib_tavor` with a client in softirq', '.0f} ms',
             'latency', 'a SCHED_FIFO process that computes', 'p99, ms'),
            ('HCA commands to load the driver, two ports', '.0f}', 'life', 'load', 'commands, all'),
            ('`ib_poll_cq()`, each of 16 receives (no command)', '.0f} instructions', 'data_path',
             'poll_cq: each of 16 receives'),
            ('`ibv_create_qp()`; with `ib_tavor` it does not wait for the registration of its ring',
             '.0f} instructions', 'end_to_end', 'process: create_qp'),
            ('`ibv_modify_qp()`, RESET to INIT; with `ib_tavor` it waits for that registration',
             '.0f} instructions', 'end_to_end', 'process: modify_qp: RESET to INIT'),
            ('`ibv_modify_qp()`, INIT to RTR', '.0f} instructions', 'end_to_end',
             'process: modify_qp: INIT to RTR'),
            ('`ibv_dereg_mr()`, 4 KiB', '.0f} instructions', 'regions', 'dereg_mr: 4 KiB')):
        yield README, f'{text} | {{:{unit} | {{:{unit} |'.format(*numbers(cells, *key))


def of_life(cells):
    """The unload of a driver, the exit of a process."""
    theirs, ours = numbers(cells, 'life', 'unload', 'commands, all')
    yield PAGE, f'An unload executes {ours:.0f} commands, ``ib_mthca``\'s {theirs:.0f}.'
    theirs, ours = numbers(cells, 'exit', 'exit of a process', 'seconds')
    yield PAGE, (f'The exit took {theirs:.1f} s with ``ib_mthca``, one command after another, and '
                 f'{ours:.2f} s with ``ib_tavor``: {theirs / ours:.0f} times faster')
    yield README, ('100 CQs, 100 regions, 10 ms a command; the HCA executes up to 64 at once | '
                   f'{theirs:.1f} s | {ours:.2f} s |')


def of_servers(cells):
    """The servers of connections, and cmtime."""
    threads = number(cells, 'servers', 'ib_wq_server, 64 at a time, 200ms', 'threads, most')
    theirs, ours = numbers(cells, 'servers', 'cmtime', 'full connect, a second')
    yield PAGE, f'the work queue gets {threads:.0f} more threads from the kernel'
    yield PAGE, (f'with {theirs:.1f} connections a second with ``ib_mthca`` and {ours:.1f} with '
                 '``ib_tavor``')


def of_connections(cells):
    """Connections per second."""
    user, kernel, few = (ratio(cells, 'connect', f'{case} ms', RATE)
                         for case in ('64 user threads, 100', '64 kernel threads, 100',
                                      '8 user threads, 10'))
    yield PAGE, (f'At 100 ms 64 threads of a process have a ratio of {user:.2f} and 64 threads of '
                 f'the kernel one of {kernel:.2f}')
    yield PAGE, f'At 10 ms 8 threads of a process have a ratio of {few:.2f}.'
    one = number(cells, 'connect', '1 kernel threads, 100 ms', RATE, driver='mthca')
    fewer, more = (number(cells, 'connect', f'softirq, depth {depth}, 100 ms', RATE) / one
                   for depth in (64, 256))
    yield PAGE, (f'made {fewer:.0f} times as many connections as one thread of ``ib_mthca`` at 100 '
                 f'ms with 64 at a time, and {more:.0f} times with 256')


def sentences(cells):
    """(document, what it says), or ('', which number there is not)"""
    for part in (of_engine, of_verbs, of_polls, of_table, of_life, of_servers,
                 of_connections):
        try:
            yield from part(cells)
        except Missing as missing:
            yield '', str(missing)
