# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 8: the data path."""

import os
import re

from lib import guest
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS

TITLE = 'Data path'
TEXT = """\
Post, poll and notify of a kernel client on RC queue pairs that are connected to each other.
Instructions exclude interrupts; "each of 16" is a sixteenth of a call with sixteen. With both
drivers, a process posts and polls through libmthca."""
LIMIT = 'instructions: the function itself; no command, no sleep'
BOTH = ['--sm', '--timeout', '900']


def cases():
    """(text, number of requests in an interval) of verbs_cost.c, in the order of the ids."""
    with open(os.path.join(guest.BENCH, 'verbs/data.h'), encoding='utf-8') as file:
        return [(text, int(many)) for many, text in
                re.findall(r'^\t\w+,\t/\* (\d+): (.*) \*/$', file.read(), re.M)]


def measure(machine, samples, _quick, progress):
    """Measures both drivers."""
    texts = cases()
    for driver in DRIVERS:
        progress(f'ib_{driver}')
        found, _ = machine.counted(driver, BOTH, guest.load('verbs_cost'))
        for mark, intervals in sorted(found.items()):
            if mark >= len(texts):
                continue
            case, many = texts[mark]
            for interval in intervals:
                whole = case.startswith('message')
                samples.add('data_path', case, 'instructions', INSTRUCTIONS, driver,
                            (interval.instructions if whole else interval.outside) / many)
                for name, number in interval.counts():
                    if whole or name.startswith('register') or name == 'spin locks':
                        samples.add('data_path', case, name, COUNT, driver, number / many)
