#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests run --compare on invented samples: equal ones pass, and a planted difference fails by the
# name of its case. Also --record, and usage errors. By hand: run this script.
"""Prints TAP."""

import os
import sys
import tempfile

sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
# pylint: disable-next=wrong-import-position
import invented

SCENARIOS = ('end_to_end', 'data_path', 'engine', 'life')


def times(factor, scenario, case='', rounds=slice(None)):
    """A change: the instructions of ib_tavor become dearer in the cases that begin so."""
    def change(samples):
        for key, drivers in samples.values.items():
            if key[0] == scenario and key[1].startswith(case) and key[2] == 'instructions':
                values = drivers['tavor']
                values[rounds] = [value * factor for value in values[rounds]]
    return change


def counts(scenario, case, metric, values):
    """A change: these counts of ib_tavor."""
    def change(samples):
        samples.values[scenario, case, metric]['tavor'] = values
    return change


def without(scenario, case):
    """A change: the case was not measured."""
    def change(samples):
        for key in list(samples.values):
            if key[:2] == (scenario, case):
                del samples.values[key]
    return change


def new_verb(samples):
    """A change: a verb that is not in expected.csv."""
    samples.values['end_to_end', 'kernel: new', 'instructions'] = \
        {driver: [1000] * 21 for driver in ('mthca', 'tavor')}
    samples.kinds['end_to_end', 'kernel: new', 'instructions'] = 'instructions'


def failed(samples):
    """A change: a guest failed after all had been measured."""
    samples.origins['life'].failed = 'ib_tavor: status 1'


# text, change, the beginnings of the results that have to fail
PLANTED = [
    ('equal samples pass', lambda samples: None, []),
    ('a call that does not sleep, 3 % dearer', times(1.03, 'data_path', 'post_recv'),
     ['data_path, post_recv, instructions, ratio: ']),
    ('the same, 3 % cheaper', times(0.97, 'data_path', 'post_recv'),
     ['data_path, post_recv, instructions, ratio: ']),
    ('the same, 1 % dearer, is within the tolerance', times(1.01, 'data_path', 'post_recv'), []),
    ('a verb that waits, 8 % dearer', times(1.08, 'end_to_end', 'kernel: modify_qp'),
     ['end_to_end, kernel: modify_qp: INIT to RTR, instructions, ratio: ',
      'end_to_end, kernel: all verbs, instructions, ratio: ']),
    ('the create of a queue, 8 % dearer for a process', times(1.08, 'end_to_end', 'process: create'),
     ['end_to_end, process: create_qp, instructions, ratio: ',
      'end_to_end, process: all verbs, instructions, ratio: ']),
    ('every verb 3 % dearer: the sums', times(1.03, 'end_to_end'),
     ['end_to_end, kernel: all verbs, instructions, ratio: ',
      'end_to_end, process: all verbs, instructions, ratio: ']),
    ('every verb 1 % dearer is within the tolerance', times(1.01, 'end_to_end'), []),
    ('unrelated work in a third of the rounds', times(3, 'end_to_end', rounds=slice(0, 7)), []),
    ('the engine, 3 % dearer', times(1.03, 'engine', 'no deadlines, depth 64'),
     ['engine, no deadlines, depth 64, instructions, ib_tavor: ']),
    ('one command more', counts('life', 'load', 'commands, all', [79, 79]),
     ['life, load, commands, all, ib_tavor: 78, now 79']),
    ('a register access more',
     counts('end_to_end', 'kernel: create_cq', 'register reads', [2] * 21),
     ['end_to_end, kernel: create_cq, register reads, ib_tavor: 1, now 2']),
    ('a count that some rounds disturb',
     counts('end_to_end', 'kernel: create_cq', 'register reads', [1] * 15 + [2] * 6), []),
    ('interrupts of the model come by chance', counts('life', 'load', 'msix', [60, 60]), []),
    ('a case that was not measured', without('data_path', 'post_recv'),
     ['data_path, post_recv, instructions, ratio: ']),
    ('a verb of which nothing is expected', new_verb,
     ['end_to_end, kernel: new, instructions, ratio: nothing is expected']),
]


def compared(folder, expected, *names):
    """The status of a comparison, the results that failed, and what was printed."""
    done = invented.bench('--again', '--compare', '--out', folder, '--expected', expected,
                          *(names or SCENARIOS))
    lines = [line.split(' ', 3)[3] for line in done.stdout.splitlines() if line.startswith('not ok')]
    return done, lines


def differences(result, work, expected):
    """Each planted difference."""
    for text, change, wanted in PLANTED:
        folder = tempfile.mkdtemp(dir=work)
        invented.write(folder, change)
        done, lines = compared(folder, expected)
        good = len(lines) == len(wanted) and all(any(line.startswith(begin) for line in lines)
                                                 for begin in wanted)
        plan = f'1..{sum("ok " in line for line in done.stdout.splitlines())}'
        result(good and done.returncode == (1 if wanted else 0) and
               plan in done.stdout.splitlines(), text, done)


def not_all(result, work, expected):
    """What else must not pass."""
    folder = tempfile.mkdtemp(dir=work)
    invented.write(folder, failed)
    done, lines = compared(folder, expected)
    result(done.returncode == 1 and not lines, 'a scenario of which not all was measured', done)
    os.remove(os.path.join(folder, 'life.csv'))
    done, lines = compared(folder, expected)
    result(done.returncode == 1 and len(lines) == 2 and lines[0].startswith('life, '),
           'a scenario without samples', done)
    invented.write(folder)
    done, lines = compared(folder, os.path.join(work, 'none'), 'life')
    result(done.returncode == 1 and not lines, 'no expectations', done)
    done = invented.bench('--again', '--compare', '--out', tempfile.mkdtemp(dir=work))
    result(done.returncode == 1 and 'no samples' in done.stderr, 'no samples at all', done)


def recording(result, work, expected):
    """One scenario anew: its values; the widest tolerance, and what belongs to others, remain."""
    with open(expected, encoding='utf-8') as file:
        before = file.read().splitlines()
    folder = tempfile.mkdtemp(dir=work)
    for change in (times(1.2, 'data_path', 'poll_cq', slice(3, None)), lambda samples: None):
        invented.write(folder, change)
        invented.bench('--again', '--record', '--compare', '--out', folder, '--expected', expected,
                       'data_path')
    with open(expected, encoding='utf-8') as file:
        after = file.read().splitlines()
    changed = [(old, new) for old, new in zip(before, after) if old != new]
    result(len(before) == len(after) and changed == [
        ('data_path,poll_cq: one of a send,instructions,ratio,0.8009,2',
         'data_path,poll_cq: one of a send,instructions,ratio,0.8009,10')],
           f'--record keeps the wider tolerance, and the other scenarios: {changed}')
    folder = tempfile.mkdtemp(dir=work)
    invented.write(folder, failed)
    done = invented.bench('--again', '--record', '--out', folder, '--expected', expected, 'life')
    with open(expected, encoding='utf-8') as file:
        result(file.read().splitlines() == after and 'nothing is recorded' in done.stderr,
               'nothing is recorded if not all was measured', done)


def guest_limits(result):
    """Rates that are removed."""
    samples = invented.Samples()
    key = 'connect', '64 user threads, 10 ms', 'connections per second'
    rounds = {'mthca': [49, 49, 90], 'tavor': [51, 51, 20]}
    for driver, values in rounds.items():
        for value in values:
            samples.add(*key, invented.RATE, driver, value)
        samples.remove_if_guest_limits(key, driver, 100)
    result(list(samples.values[key]) == ['tavor'] and len(samples.unmeasured) == 1,
           'a rate is removed if its median is less than half of what the HCA allows')
    samples.remove_if_guest_limits(key, 'tavor', 103)
    result(key not in samples.values and len(samples.unmeasured) == 2,
           'the last of a case is removed with the case')


def usage(result):
    """Usage errors."""
    for wrong in ('nothing', '--nothing'):
        done = invented.bench(wrong)
        result(done.returncode == 2 and wrong in done.stderr, f'run {wrong} is a usage error', done)


def main():
    result = invented.Results()
    with tempfile.TemporaryDirectory() as work:
        expected = os.path.join(work, 'expected.csv')
        folder = tempfile.mkdtemp(dir=work)
        invented.write(folder)
        invented.bench('--again', '--record', '--compare', '--out', folder, '--expected', expected,
                       *SCENARIOS)
        differences(result, work, expected)
        not_all(result, work, expected)
        recording(result, work, expected)
    guest_limits(result)
    usage(result)
    return result.status()


if __name__ == '__main__':
    sys.exit(main())
