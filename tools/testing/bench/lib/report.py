# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The summary: a row for each case and metric, and the targets."""

import csv
import dataclasses

from lib.origin import CELLS
from lib.samples import COUNT, KINDS

HEAD = ['scenario', 'case', 'metric', 'kind', 'ib_mthca low', 'ib_mthca median', 'ib_mthca p99',
        'ib_tavor low', 'ib_tavor median', 'ib_tavor p99', 'rounds', 'ratio', 'limited by', *CELLS]


@dataclasses.dataclass(frozen=True)
class Target:
    """
    The target of a cell: at most (with least, at least) a ratio to ib_mthca in the same run or,
    with absolute, a value of ib_tavor.
    """
    scenario: str
    case: str
    metric: str
    limit: float
    least: bool = False
    absolute: bool = False
    against: str = ''    # ib_mthca's case, where it has another name

    def key(self):
        """The key of the cell."""
        return self.scenario, self.case, self.metric

    def value(self, samples):
        """The value reached, or None."""
        ours = samples.side(self.key(), 'tavor')
        if not ours or self.absolute:
            return ours.median if ours else None
        if not self.against:
            return samples.ratio(self.key())
        theirs = samples.side((self.scenario, self.against, self.metric), 'mthca')
        return ours.median / theirs.median if theirs and theirs.median else None

    def met(self, value):
        """Whether the value meets the target."""
        return value >= self.limit if self.least else value <= self.limit

    def wanted(self):
        """The target as text."""
        unit = '' if self.absolute else ' times ib_mthca\'s'
        unit += f' {self.against}' if self.against else ''
        return f'{"≥" if self.least else "≤"} {self.limit:g}{unit}'


def number(value):
    """A number as short text; whole numbers are exact."""
    if value is None:
        return ''
    if value == int(value):
        return str(int(value))
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.3g}'


def rows(samples, scenario):
    """(case, metric, kind, mthca's Side, tavor's Side, ratio)"""
    for key in samples.values:
        if key[0] == scenario:
            yield (key[1], key[2], samples.kinds[key], samples.side(key, 'mthca'),
                   samples.side(key, 'tavor'), samples.ratio(key))


def targets_of(samples, targets):
    """(target, value or None, met or None)"""
    for target in targets:
        value = target.value(samples)
        yield target, value, None if value is None else target.met(value)


def write_summary(samples, scenarios, path):
    """Writes the rows as CSV."""
    with open(path, 'w', encoding='utf-8', newline='') as file:
        out = csv.writer(file, lineterminator='\n')
        out.writerow(HEAD)
        for name, scenario in scenarios.items():
            for case, metric, kind, theirs, ours, ratio in rows(samples, name):
                sides = [value for side in (theirs, ours)
                         for value in ((side.low, side.median, side.p99) if side else [None] * 3)]
                out.writerow([name, case, metric, KINDS[kind], *map(number, sides),
                              (ours or theirs).number,
                              '' if ratio is None else f'{ratio:.3f}', scenario.LIMIT,
                              *samples.origins[name].cells()])
        for (name, case, metric), why in samples.unmeasured.items():
            out.writerow([name, case, metric, 'not measurable here', *[''] * 8, why,
                          *samples.origins[name].cells()])


def show(samples, scenarios, targets):
    """Prints the metrics that matter to the terminal; the page has all that differ."""
    for name, scenario in scenarios.items():
        print(f'\n{scenario.TITLE}\n{samples.origins[name].text()}')
        print(f'{"":56}{"ib_mthca":>12}{"ib_tavor":>12}{"ratio":>8}')
        for case, metric, kind, theirs, ours, ratio in rows(samples, name):
            if kind == COUNT and metric not in getattr(scenario, 'SHOWN', ()):
                continue
            cells = [number(side.median) if side else '-' for side in (theirs, ours)]
            print(f'{case + ", " + metric:56.56}{cells[0]:>12}{cells[1]:>12}'
                  f'{"" if ratio is None else f"{ratio:.2f}":>8}')
        for (of, case, metric), why in samples.unmeasured.items():
            if of == name:
                print(f'{case + ", " + metric:56.56} not measurable here: {why}')
    print('\nTargets')
    for target, value, met in targets_of(samples, targets):
        if target.scenario in scenarios:
            verdict = 'no value' if value is None else 'met' if met else 'MISSED'
            reached = 'not measurable here' if value is None else number(round(value, 3))
            print(f'{verdict:10}{target.case}, {target.metric}: {reached} '
                  f'(wanted {target.wanted()})')
