# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 9: one command end to end."""

import os
import re

from lib import guest
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS

TITLE = 'One command end to end'
TEXT = """\
From a verb's entry to its return: a kernel client of ib_core, and a process through libibverbs.
Each command takes 5 ms, so that the caller always sleeps. The instructions include the verb, its
interrupts, and the switches to the idle loop and back, but neither that loop nor timer interrupts.
The guest has one processor. Unrelated work, such as another process, adds to them, so ratios
compare lower quartiles."""
LIMIT = 'instructions: the verb, interrupts, two switches a command'
USERS = 64    # the first marker's id of a process
ROUNDS = 51
BOTH = ['--sm', '--hca', 'latency=5ms', '--hca', 'engines=64', '--timeout', '900']


def cases():
    """The texts of verbs/cases.h; the index of each is its marker's id."""
    with open(os.path.join(guest.BENCH, 'verbs/cases.h'), encoding='utf-8') as file:
        return re.findall(r'^\t\w+, /\* (.*) \*/$', file.read(), re.M)


def measure(machine, samples, _quick, progress):
    """Measures both drivers, each with the kernel client and the process in the same guest."""
    texts = cases()
    for driver in DRIVERS:
        progress(f'ib_{driver}')
        found, _ = machine.counted(driver, BOTH, guest.script('end_to_end.sh', ROUNDS))
        for mark, intervals in sorted(found.items()):
            client, place = divmod(mark, USERS)
            case = f'{"process" if client else "kernel"}: {texts[place]}'
            for interval in intervals:
                samples.add('end_to_end', case, 'instructions', INSTRUCTIONS, driver,
                            interval.instructions)
                for name, number in interval.counts():
                    samples.add('end_to_end', case, name, COUNT, driver, number)
