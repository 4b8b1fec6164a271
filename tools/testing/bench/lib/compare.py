# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Compares a run with expected.csv: has the cost of the drivers changed?"""

import csv
import os
import statistics

from lib import report
from lib.origin import Origin
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS

HEAD = ['scenario', 'case', 'metric', 'of', 'value', 'tolerance, %']
RATIO = 'ratio'

# For verbs that sleep, these also count the work of whatever runs meanwhile.
OF_OTHERS = {'wake-ups', 'switches', 'spin locks', 'allocations'}
SLEEPING = {'end_to_end', 'regions'}
# Two events of the model may have one interrupt, by chance.
BY_CHANCE = {'db_eq', 'msix'}

# Tolerance in percent, by how far the median of the rounds is above low(), at most: the first is for
# what is exactly reproducible.
TOLERANCES = ((0.005, 2), (0.04, 5), (0.1, 10))
WIDEST = 25
# Scenarios whose cases, "CLIENT: VERB", are also compared as a sum for each client, and its
# tolerance: what the verbs vary by cancels out.
SUMMED, OF_SUM = {'end_to_end'}, 2


def low(values):
    """
    The mean of the lowest quarter of the rounds, without the lowest one: unrelated work adds to most
    rounds, and in a rare one the verb did not have to wait.
    """
    ordered = sorted(values)
    return statistics.mean(ordered[1 if len(ordered) > 4 else 0:max(2, -(-len(ordered) // 4))])


def tolerance(*sides):
    """The tolerance for the instructions of these rounds."""
    spread = max(statistics.median(values) / low(values) - 1 for values in sides)
    return next((percent for most, percent in TOLERANCES if spread <= most), WIDEST)


def instructions(samples, scenario):
    """(key, value, tolerance): ratios, or numbers of what only ib_tavor has, and the sums."""
    sums = {}
    for key, drivers in samples.values.items():
        if key[0] != scenario or samples.kinds[key] != INSTRUCTIONS or key[2] != 'instructions':
            continue
        if set(drivers) != set(DRIVERS):
            if 'tavor' in drivers:
                yield (*key, 'ib_tavor'), low(drivers['tavor']), tolerance(drivers['tavor'])
            continue
        sides = [low(drivers[driver]) for driver in DRIVERS]
        yield (*key, RATIO), sides[1] / sides[0], tolerance(*drivers.values())
        if scenario in SUMMED:
            sums.setdefault(key[1].split(': ')[0], []).append(sides)
    for client, sides in sums.items():
        theirs, ours = map(sum, zip(*sides))
        yield (scenario, f'{client}: all verbs', 'instructions', RATIO), ours / theirs, OF_SUM


def counts(samples, scenario, wanted=lambda values: True):
    """(key, value, tolerance): the median count of each driver, if all of its rounds are wanted."""
    for key, drivers in samples.values.items():
        if key[0] != scenario or samples.kinds[key] != COUNT:
            continue
        if key[2] in BY_CHANCE or (scenario in SLEEPING and key[2] in OF_OTHERS) or \
                not all(map(wanted, drivers.values())):
            continue
        for driver in DRIVERS:
            if driver in drivers:
                yield (*key, f'ib_{driver}'), statistics.median(drivers[driver]), 0


def steady(values):
    """
    Whether there were several rounds and nine of ten agree: unrelated work may by chance disturb
    any round.
    """
    middle = sorted(values)[len(values) // 2]
    return len(values) > 1 and values.count(middle) * 10 >= len(values) * 9


def read(path):
    """key -> (value as text, tolerance in percent)"""
    if not os.path.exists(path):
        return {}
    with open(path, encoding='utf-8', newline='') as file:
        rows = csv.reader(file)
        next(rows, None)
        return {tuple(row[:4]): (row[4], float(row[5])) for row in rows}


def record(samples, scenarios, path):
    """
    Writes what is expected of these scenarios anew. A tolerance that was wider before remains: it is
    the widest of all recorded runs.
    """
    before, rows = read(path), []
    for scenario in dict.fromkeys([*(key[0] for key in before), *scenarios]):
        if scenario not in scenarios:
            rows += [[*key, *rest] for key, rest in before.items() if key[0] == scenario]
            continue
        for key, value, percent in instructions(samples, scenario):
            percent = max(percent, before.get(key, (0, 0))[1])
            rows.append([*key, f'{value:.4f}' if key[3] == RATIO else f'{value:.0f}', percent])
        for key, value, percent in counts(samples, scenario, steady):
            rows.append([*key, report.number(value), percent])
    with open(path, 'w', encoding='utf-8', newline='') as file:
        out = csv.writer(file, lineterminator='\n')
        out.writerow(HEAD)
        out.writerows([*row[:5], f'{row[5]:g}'] for row in rows)


def judged(samples, scenarios, path):
    """(good, text): what is expected, and instructions of which nothing is known."""
    expected = {key: wanted for key, wanted in read(path).items() if key[0] in scenarios}
    found = {key: value for scenario in scenarios
             for part in (counts, instructions) for key, value, _ in part(samples, scenario)}
    for key, (value, percent) in expected.items():
        now = found.get(key)
        within = f' within {percent:g} %' if percent else ''
        if now is None:
            yield False, f'{", ".join(key)}: {value}{within}, now not measured'
        elif percent:
            yield (abs(now / float(value) - 1) <= percent / 100,
                   f'{", ".join(key)}: {value}{within}, now {now:.6g}')
        else:
            now = report.number(now)
            yield now == value, f'{", ".join(key)}: {value}, now {now}'
    for scenario in scenarios:
        for key, _, _ in instructions(samples, scenario):
            if key not in expected:
                yield False, f'{", ".join(key)}: nothing is expected of it'


def compare(samples, scenarios, path):
    """Prints TAP. Returns whether all is as expected."""
    results = list(judged(samples, scenarios, path))
    print(f'TAP version 13\n1..{len(results)}')
    for scenario in scenarios:
        print(f'# {scenario}: {samples.origins.get(scenario, Origin()).text()}')
    for n, (good, text) in enumerate(results, 1):
        print(f'{"" if good else "not "}ok {n} {text}')
    return bool(results) and all(good for good, _ in results)
