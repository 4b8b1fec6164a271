# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 2: how long a connect takes, beside other work."""

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'Connect latency beside other work'
TEXT = """\
The time from the creation of a queue pair to RTS: four commands of 10 ms each, 40 ms. Eight
connections are in progress at a time, in eight kernel threads that wait for each verb on ib_mthca,
and of one client in softirq on ib_tavor. The guest has one processor, and the model runs on another
one of the host. Nothing is subtracted. Beside the connections the processor is idle; or executes
four processes that compute; or one such process with SCHED_FIFO; or a timer in softirq that
computes for 2 of each 4 ms. A p99.9 needs 1000 connections, so there is none where the load allows
only fewer. "Of idle" is the p99 divided by the idle p99 of the same driver in the same round.
"Rounds at most 1.5" says in how many rounds it was at most 1.5. If the idle median is more
than 60 ms, the machine was too busy, and the round does not count."""
LIMIT = 'how soon the client runs when a command has completed'
LATENCY, SECONDS, COMMANDS, DEPTH = '10ms', 0.01, 4, 8
CLIENTS = {'mthca': f'connect_threads,threads={DEPTH}', 'tavor': f'connect_softirq,depth={DEPTH}'}
TOTALS = {'idle': 1000, 'cpu': 1000, 'softirq': 1000, 'fifo': 200}
TEXTS = {'idle': 'idle', 'cpu': 'four processes that compute',
         'fifo': 'a SCHED_FIFO process that computes', 'softirq': 'half of the time in softirq'}
QUICK_ROUNDS, ROUNDS = 1, 5
BUSY, HELD = 1.5, 1.5
SHOWN = ('rounds', 'rounds at most 1.5')
OPTIONS = ['--sm', '--smp', '1', '--timeout', '1200', '--hca', 'engines=64']


def one_round(machine, driver):
    """load -> metric -> value"""
    found = {}
    wanted = [f'{load}:{total}' for load, total in TOTALS.items()]
    for load, metric, value in machine.model_counts(
            driver, OPTIONS, guest.script('latency.sh', CLIENTS[driver], LATENCY, *wanted)):
        found.setdefault(load, {})[metric] = float(value)
    return found


def add_round(samples, driver, found, held):
    """Adds a round's percentiles, and in held for each load whether the p99 was that of idle."""
    idle = found['idle']['p99, ms']
    for load, metrics in found.items():
        for metric, value in metrics.items():
            kind = COUNT if metric == 'connections' else RATE
            samples.add('latency', TEXTS[load], metric, kind, driver, value)
        if load != 'idle':
            ratio = metrics['p99, ms'] / idle
            samples.add('latency', TEXTS[load], 'p99, of idle', RATE, driver, ratio)
            held.setdefault((load, driver), []).append(ratio <= HELD)


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest."""
    held = {}
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver in DRIVERS:
            progress(f'round {number + 1}, ib_{driver}')
            found = one_round(machine, driver)
            median = found['idle']['p50, ms']
            if median > BUSY * COMMANDS * SECONDS * 1000:
                samples.not_measurable('latency', f'round {number + 1}, ib_{driver}', 'all',
                                       f'the idle median is {median:.0f} ms: the machine was busy')
            else:
                add_round(samples, driver, found, held)
    for (load, driver), results in held.items():
        samples.add('latency', TEXTS[load], 'rounds', COUNT, driver, len(results))
        samples.add('latency', TEXTS[load], 'rounds at most 1.5', COUNT, driver,
                    sum(results))
    samples.not_measurable('latency', TEXTS['fifo'], 'p99.9, ms',
                           'too few connections: the scheduler leaves 5 % to others')


def figures(_samples):
    """There is none: the tables say it."""
    return []
