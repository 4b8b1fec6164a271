# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 5: the end of a process that has many objects."""

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'A process ends'
TEXT = """\
A process that has many connected queue pairs, completion queues and memory regions is killed. The
drivers take turns; each command takes 10 ms, and the HCA executes 64 at once."""
LIMIT = 'how many commands are under way at a time'
SHOWN = ('commands, all', 'msix')
OPTIONS = ['--sm', '--timeout', '1800', '--hca', 'engines=64']
QUICK, FULL = (100, 10, 10), (1000, 100, 100)
QUICK_ROUNDS, ROUNDS = 2, 3


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest, since a guest keeps its driver."""
    objects = QUICK if quick else FULL
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver in DRIVERS:
            progress(f'{objects[0]} queue pairs, round {number + 1}, ib_{driver}')
            found = machine.model_counts(driver, OPTIONS, guest.script('exit.sh', 1, *objects))
            for case, metric, value in found:
                kind = RATE if metric == 'seconds' else COUNT
                samples.add('exit', case, metric, kind, driver,
                            float(value) if kind == RATE else int(value))
    samples.not_measurable('exit', 'exit of a process', 'with less latency',
                           'the guest\'s own time dominates, and the machine is shared')
