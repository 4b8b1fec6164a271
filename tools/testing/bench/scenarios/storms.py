# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 4: registrations, completion queues and multicast joins, many at a time."""

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'Registrations, completion queues and joins, many at a time'
TEXT = """\
Threads of a process on both drivers, and a client in softirq on ib_tavor, register and deregister
one page; create and destroy a completion queue; or attach a queue pair to a multicast group and
detach it. Each thread has a queue pair and a group of its own. Each command takes 10 ms, and the
HCA executes 64 at once. Commands that create what a thread needs before it begins are not counted.
There is no number where less than half of the rate that this allows was reached, unless that is
about the rate of one at a time: then the driver is the limit, not the guest."""
LIMIT = 'the latency of commands, and how many of them the driver has in progress'
SHOWN = ('commands, all, each',)
OPTIONS = ['--sm', '--timeout', '1800', '--hca', 'engines=64']
LATENCY, SECONDS, SLOTS, EACH = '10ms', 0.01, 64, 4
KINDS = {'mr': 'regions', 'cq': 'CQs', 'mcast': 'joins'}
DEPTHS = [1, 8, 64]
QUICK_ROUNDS, ROUNDS = 1, 1
RATE_METRIC, COMMANDS, SETUP = 'per second', 'commands, all, each', 'setup '


def name(case):
    """The text for KIND:WHAT:N of the script."""
    kind, what, depth = case.split(':')
    how = f'softirq, {depth} at a time' if what == 'softirq' else f'{depth} user threads'
    return f'{KINDS[kind]}, {how}'


def add(samples, driver, found):
    """Adds what a guest counted."""
    times = {case: int(value) for case, metric, value in found if metric == 'times'}
    setup = {(case.removeprefix(SETUP), metric): int(value) for case, metric, value in found
             if case.startswith(SETUP)}
    for case, metric, value in found:
        if case.startswith(SETUP) or metric == 'times':
            continue
        if metric == 'times per second':
            samples.add('storms', name(case), RATE_METRIC, RATE, driver, float(value))
            continue
        number = int(value) - setup.get((case, metric), 0)
        # What a thread does not cause each time, such as a datagram, may happen in the setup only.
        if number > 0:
            samples.add('storms', name(case), f'{metric}, each', COUNT, driver,
                        number / times[case])


def only_where_latency_dominates(samples, depths):
    """Removes the other rates and reports that."""
    for case, depth in depths.items():
        key = 'storms', case, RATE_METRIC
        for driver in list(samples.values.get(key, ())):
            commands = samples.side(('storms', case, COMMANDS), driver).median
            reached = samples.side(key, driver).median
            one = 1 / (commands * SECONDS)
            if not one / 2 <= reached <= 1.5 * one:
                samples.remove_if_guest_limits(key, driver, min(depth, SLOTS) * one)


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest."""
    depths = {}
    try:
        for number in range(QUICK_ROUNDS if quick else ROUNDS):
            for driver in DRIVERS:
                progress(f'round {number + 1}, ib_{driver}')
                whats = ['user'] + (['softirq'] if driver == 'tavor' else [])
                cases = [f'{kind}:{what}:{depth}' for kind in KINDS for depth in DEPTHS
                         for what in whats]
                depths.update({name(case): int(case.rsplit(':', 1)[1]) for case in cases})
                add(samples, driver, machine.model_counts(
                    driver, OPTIONS, guest.script('storms.sh', LATENCY, EACH, *cases)))
    finally:
        # Also of the rounds before one that failed.
        only_where_latency_dominates(samples, depths)


def figures(_samples):
    """There is none: the table says it."""
    return []
