# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Invented samples, for the tests of the comparison and of the page."""

import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
sys.path.append(os.path.dirname(HERE))

# pylint: disable=wrong-import-position
from lib.origin import Origin
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS, RATE, Samples

RUN = os.path.join(HERE, '../run')
VERBS = {'kernel: create_cq': (20000, 18000), 'kernel: destroy_qp': (11000, 13700),
         'kernel: modify_qp: INIT to RTR': (9000, 11200), 'process: create_qp': (45000, 29000),
         'process: query_qp': (11900, 14300)}
CALLS = {'post_recv': (165, 171), 'poll_cq: one of a send': (221, 177)}


def waiting(base, seed):
    """21 rounds of a verb that waits: unrelated work adds to most, one is too low, some far too
    high."""
    noise = random.Random(seed)
    rounds = [base * (1 + noise.uniform(0, 0.01)) for _ in range(10)]
    rounds += [base * (1 + noise.uniform(0.02, 0.05)) for _ in range(8)]
    rounds += [base * 0.6, base * 1.4, base * 2]
    noise.shuffle(rounds)
    return rounds


def add(samples, scenario, case, metric, kind, sides):
    """Adds the rounds of both drivers, or only of ib_tavor."""
    for driver, rounds in zip(DRIVERS if len(sides) > 1 else ['tavor'], sides):
        for value in rounds:
            samples.add(scenario, case, metric, kind, driver, value)


def costs(samples):
    """Adds scenarios of the quick set."""
    for seed, (case, sides) in enumerate(VERBS.items()):
        add(samples, 'end_to_end', case, 'instructions', INSTRUCTIONS,
            [waiting(base, f'{seed} {base}') for base in sides])
        add(samples, 'end_to_end', case, 'register reads', COUNT, [[2] * 21, [1] * 20 + [3]])
        add(samples, 'end_to_end', case, 'switches', COUNT, [[4] * 21, [2] * 21])
    for case, sides in CALLS.items():
        add(samples, 'data_path', case, 'instructions', INSTRUCTIONS, [[base] * 21 for base in sides])
    for depth, number in ((1, 2233), (64, 1381)):
        add(samples, 'engine', f'no deadlines, depth {depth}', 'instructions', INSTRUCTIONS,
            [[number] * 11])
    samples.not_measurable('engine', 'deadlines that come', 'time', 'wall clock')
    for metric, numbers in (('commands, all', (323, 78)), ('msix', (308, 61))):
        add(samples, 'life', 'load', metric, COUNT, [[number] * 2 for number in numbers])


def rates(samples):
    """Adds scenarios that have figures with lines."""
    for depth in (1, 64):
        add(samples, 'connect', f'softirq, depth {depth}, 10 ms', 'connections per second', RATE,
            [[16 * depth]])
        add(samples, 'connect', f'{depth} kernel threads, 10 ms', 'connections per second', RATE,
            [[14 * depth], [13 * depth]])
        add(samples, 'memory', f'connection: {depth}', 'instructions', INSTRUCTIONS,
            [[50000 + depth], [51000 + depth]])


def write(folder, change=lambda samples: None, run='2026-01-02 03:04 UTC'):
    """Writes the CSVs of all these scenarios, after a change of the samples."""
    samples = Samples()
    costs(samples)
    rates(samples)
    for scenario in {key[0]: None for key in samples.values}:
        samples.origins[scenario] = Origin(run, run, 'c0ffee', '6.12.34-test', True, 125)
    change(samples)
    for scenario in samples.origins:
        samples.write(scenario, os.path.join(folder, f'{scenario}.csv'))


def bench(*arguments):
    """Runs bench/run; what it printed, and its status."""
    return subprocess.run([RUN, *arguments], capture_output=True, text=True, check=False)


class Results:
    """Prints results as TAP."""

    def __init__(self):
        print('TAP version 13')
        self.number = self.failed = 0

    def __call__(self, good, text, done=None):
        self.number += 1
        print(f'{"" if good else "not "}ok {self.number} {text}')
        if not good:
            self.failed += 1
            for line in (done.stdout + done.stderr).splitlines()[-60:] if done else ():
                print(f'# {line}')

    def status(self):
        """Prints the plan, and returns the exit status."""
        print(f'1..{self.number}')
        return 1 if self.failed else 0
