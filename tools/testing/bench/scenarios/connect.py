# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 1: connections per second, by how many are made concurrently."""

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'Connections per second'
TEXT = """\
The life of a queue pair: created, connected from RESET to RTS, destroyed; a number of them at a
time. A client in softirq submits requests; threads of the kernel and of a process wait for each
verb. Each command takes 10 ms, and the HCA executes 64 at once. Where less than half of the rate
that this allows was reached, the guest is the limit, and there is no number."""
LIMIT = 'the latency of commands up to the depth where the guest\'s own work takes as long'
SHOWN = ('commands, all',)
OPTIONS = ['--sm', '--timeout', '1800', '--hca', 'engines=64']
LATENCY, EACH = '10ms', 4
SECONDS, COMMANDS, SLOTS = 0.01, 6, 64    # a command's latency, commands of a life, at once
DEPTHS = [1, 8, 64, 256]
QUICK_ROUNDS, ROUNDS = 1, 5


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest."""
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver in DRIVERS:
            progress(f'round {number + 1}, ib_{driver}')
            whats = ['threads', 'user'] + (['softirq'] if driver == 'tavor' else [])
            pairs = [f'{what}:{depth}' for depth in DEPTHS for what in whats]
            found = machine.model_counts(driver, OPTIONS,
                                         guest.script('connect.sh', LATENCY, EACH, *pairs))
            number_of = {case: int(value) for case, metric, value in found if metric == 'lives'}
            for case, metric, value in found:
                if metric == 'lives per second':
                    samples.add('connect', case, metric, RATE, driver, float(value))
                elif metric != 'lives':
                    samples.add('connect', case, f'{metric}, a life', COUNT, driver,
                                int(value) / number_of[case])
    only_where_latency_dominates(samples)


def only_where_latency_dominates(samples):
    """Removes the other samples and reports that."""
    for key, drivers in list(samples.values.items()):
        if key[0] != 'connect' or key[2] != 'lives per second':
            continue
        possible = min(place(key[1])[0], SLOTS) / (COMMANDS * SECONDS)
        for driver in list(drivers):
            reached = samples.side(key, driver).median
            if reached < possible / 2:
                del drivers[driver]
                samples.not_measurable('connect', f'{key[1]}, ib_{driver}', key[2],
                                       f'{reached:.0f} where the HCA allows {possible:.0f}: the '
                                       'guest is what limits')
        if not drivers:
            del samples.values[key]
            del samples.kinds[key]


def figures(samples):
    """Rates against depth."""
    drawn = {}
    for (scenario, case, metric), drivers in samples.values.items():
        if scenario != 'connect' or metric != 'lives per second':
            continue
        for driver in drivers:
            depth, what = place(case)
            line = drawn.setdefault(f'{what}, ib_{driver}', [])
            line.append((depth, samples.side((scenario, case, metric), driver).median))
    return [{'lines': drawn, 'log_x': True, 'log_y': True, 'x': 'at a time',
             'y': 'lives per second', 'title': 'Connections per second, by how many at a time'}]


def place(case):
    """(depth, what) from the text of a case."""
    if case.startswith('softirq'):
        return int(case.rsplit(' ', 1)[1]), 'softirq'
    number, what = case.split(' ', 1)
    return int(number), what
