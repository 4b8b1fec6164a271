# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 3: the connection server, written both ways."""

import os

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'A connection server, both ways'
TEXT = """\
conn_client makes, uses and ends connections to ib_wq_server, which uses work items, and to
ib_softirq_server, which never leaves softirq. Counts are per connection and cover the whole guest,
including the client. Context switches are numbers of one run, and depend on the host's load.
For rates, client and server have an HCA each, and only the server's is slow: each command takes
200 ms, and it executes 64 at once. A wait is that of the client, from its request to the server's
answer. "Threads" are how many threads for work items the kernel had more than before. If less than
half of the rate was reached that the commands of a connection allow, one after another, then the
guest is the limit, and there is no rate.
cmtime is rdma-core's: it connects its two halves through IPoIB and rdma_cm, between the two ports
of one HCA whose commands take 50 ms, 64 at once. Its verbs wait with both drivers, one after
another. "Full connect" is 50 connections by its time for them. The commands are those of both halves,
of a connection to warm up, too, and of opening the device."""
LIMIT = 'counts: what server and client do; rates: how many commands the server has in progress'
RATE_METRIC, COMMANDS = 'connections per second', 'commands, all'
SHOWN = (COMMANDS, 'commands of the server', 'msix', 'switches away from kworker',
         'switches away from ksoftirqd', 'threads, most', 'lines of C')
QUICK_COUNT, FULL_COUNT = 64, 1000
AT_A_TIME = [1, 64]
LATENCY, SECONDS, SLOTS = '200ms', 0.2, 64
QUICK_ROUNDS, ROUNDS = 1, 1
RATES = {1: 8, 64: 512}    # at a time, and altogether
PERCENTILES = 100    # waits from which there is a p99
SLOW = ['--sm', '--hcas', '2', '--hca', 'cable=0.1-1.1', '--hca', f'engines={SLOTS}',
        '--timeout', '1800']
CMTIME, CMTIME_MS = 50, 50
PLACES = [('mthca', 'ib_wq_server'), ('tavor', 'ib_wq_server'), ('tavor', 'ib_softirq_server')]


def lines(server):
    """The lines of C, without empty lines and lines that are comments."""
    folder = os.path.join(guest.TREE, 'drivers/infiniband/ulp', server.removeprefix('ib_'))
    number = 0
    for name in os.listdir(folder):
        if not name.endswith(('.c', '.h')):
            continue
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            number += sum(1 for line in file if line.strip() and
                          not line.lstrip().startswith(('/*', '*', '//')))
    return number


def of_rates(samples, driver, found):
    """Adds what a guest with a slow HCA reached; returns what the commands allow, by key."""
    cases, possible = {}, {}
    for case, metric, value in found:
        cases.setdefault(case, {})[metric] = int(value)
    for case, numbers in cases.items():
        name, many = f'{case}, {LATENCY}', numbers['connections']
        commands = (numbers[COMMANDS] - numbers.get('MAD_IFC', 0)) / many
        samples.add('servers', name, 'commands of the server', COUNT, driver, commands)
        samples.add('servers', name, 'threads, most', COUNT, driver, numbers['threads, most'])
        samples.add('servers', name, RATE_METRIC, RATE, driver, 1000 * many / numbers['ms'])
        possible['servers', name, RATE_METRIC] = \
            min(int(case.split(', ')[1].split()[0]), SLOTS) / (commands * SECONDS)
        for wait in ('median', 'p99') if many >= PERCENTILES else ('median',):
            samples.add('servers', name, f'wait, {wait}, ms', RATE, driver,
                        numbers[f'{wait}, us'] / 1000)
    return possible


def rates(machine, samples, quick, progress):
    """The servers alternate; each round has a guest for each."""
    allowed = {}
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver, server in PLACES:
            progress(f'round {number + 1}, {server}, ib_{driver}, {LATENCY} a command')
            pairs = [f'{many}:{count}' for many, count in RATES.items()]
            found = machine.model_counts(driver, [*SLOW, '--modules', server], guest.script(
                'servers_rate.sh', server, LATENCY, *pairs))
            for key, possible in of_rates(samples, driver, found).items():
                allowed[key, driver] = possible
    for (key, driver), possible in allowed.items():
        samples.remove_if_guest_limits(key, driver, possible)


def of_cmtime(samples, driver, found):
    """Adds what cmtime and the model counted; returns how many a second the commands allow."""
    numbers = {metric: float(value) for _, metric, value in found}
    for metric, value in numbers.items():
        if metric.endswith(('_QPEE', '_MPT', '_CQ')) or metric == COMMANDS:
            samples.add('servers', 'cmtime', metric, COUNT, driver, int(value))
    samples.add('servers', 'cmtime', 'full connect, a second', RATE, driver,
                1e6 / numbers['full connect'])
    return CMTIME * 1000 / (numbers[COMMANDS] * CMTIME_MS)


def cmtime(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest."""
    allowed = {}
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver in DRIVERS:
            progress(f'round {number + 1}, cmtime, ib_{driver}')
            allowed[driver] = of_cmtime(samples, driver, machine.model_counts(
                driver, ['--sm', '--timeout', '900', '--hca', f'engines={SLOTS}'],
                guest.script('servers_cmtime.sh', f'{CMTIME_MS}ms', CMTIME)))
    for driver, possible in allowed.items():
        samples.remove_if_guest_limits(('servers', 'cmtime', 'full connect, a second'), driver,
                                       possible)


def measure(machine, samples, quick, progress):
    """Measures each server on each driver that it runs on."""
    count = QUICK_COUNT if quick else FULL_COUNT
    for driver, server in PLACES:
        progress(f'{server}, ib_{driver}')
        options = ['--sm', '--modules', server, '--timeout', '1800']
        found = machine.model_counts(driver, options,
                                     guest.script('servers.sh', server, count, *AT_A_TIME))
        for case, metric, value in found:
            if metric != 'connections':
                samples.add('servers', case, metric, COUNT, driver, int(value) / count)
        samples.add('servers', server, 'lines of C', COUNT, driver, lines(server))
    rates(machine, samples, quick, progress)
    cmtime(machine, samples, quick, progress)
