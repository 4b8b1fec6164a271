# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 7: the engine alone."""

import statistics

from lib import guest
from lib.samples import COUNT, INSTRUCTIONS

TITLE = 'The request engine alone'
TEXT = """\
Requests on hardware that answers at once, with 64 slots: from submit to callback, by how many are
submitted before the first is served, without deadlines and with them. ib_mthca has nothing like it,
so there is no ratio. Instructions are per request and exclude interrupts."""
LIMIT = 'instructions: the engine'
DEPTHS = [1, 8, 64, 4096, 65536]    # engine/cost.c has the same, and these ids
CALLBACK, SUBMIT, CANCEL, SUBMIT_WAIT, RUN, RUN_OF_NOTHING = range(6)
PER_VERB = ('wake-ups', 'allocations', 'switches')
SHOWN = ('wake-ups', 'allocations')


def measure(machine, samples, _quick, progress):
    """Measures the engine, without a driver."""
    progress('submit to callback, cancel, longest run')
    options = ['--hcas', '0', '--modules', 'ib_vrb vrb_cost', '--timeout', '1800']
    found, _ = machine.counted('none', options, ['true'])
    depths(samples, found[CALLBACK])
    for case, mark in (('submit, no slot free', SUBMIT), ('cancel of a queued one', CANCEL),
                       ('vrb_submit_wait()', SUBMIT_WAIT)):
        for interval in found[mark]:
            samples.add('engine', case, 'instructions', INSTRUCTIONS, 'tavor', interval.outside)
            for name, number in interval.counts():
                if name in PER_VERB:
                    samples.add('engine', case, name, COUNT, 'tavor', number)
    of_nothing = statistics.median(interval.outside for interval in found[RUN_OF_NOTHING])
    samples.add('engine', 'longest run of the pump', 'instructions', INSTRUCTIONS, 'tavor',
                max(interval.outside for interval in found[RUN]) - of_nothing)
    samples.not_measurable('engine', 'deadlines that come', 'time', 'wall clock')


def depths(samples, intervals):
    """Adds the intervals of CALLBACK: depth by depth, first without deadlines, the same number of
    each."""
    times = len(intervals) // (2 * len(DEPTHS))
    medians = []
    for place, interval in enumerate(intervals):
        with_deadlines, at = divmod(place // times, len(DEPTHS))
        depth = DEPTHS[at]
        case = f'{"deadlines" if with_deadlines else "no deadlines"}, depth {depth}'
        samples.add('engine', case, 'instructions', INSTRUCTIONS, 'tavor', interval.outside / depth)
        for name, number in interval.counts():
            if name in PER_VERB:
                samples.add('engine', case, name, COUNT, 'tavor', number / depth)
    for with_deadlines in ('deadlines', 'no deadlines'):
        medians += [samples.side(('engine', f'{with_deadlines}, depth {depth}', 'instructions'),
                                 'tavor').median for depth in DEPTHS if depth >= 8]
    samples.add('engine', 'depths 8 to 65536', 'most above least, %', INSTRUCTIONS, 'tavor',
                100 * (max(medians) / min(medians) - 1))
