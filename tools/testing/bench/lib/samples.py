# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The raw samples, and statistics over the samples of one kind."""

import csv
import dataclasses
import statistics

from lib import origin

COUNT, INSTRUCTIONS, RATE = 'count', 'instructions', 'rate'
KINDS = {
    COUNT: 'exact count',
    INSTRUCTIONS: 'guest instructions',
    RATE: 'rate, the model\'s latency dominates',
}
NOT_MEASURABLE = 'not measurable here'
DRIVERS = ['mthca', 'tavor']
FIELDS = ['scenario', 'case', 'metric', 'kind', 'driver', 'round', 'value']


@dataclasses.dataclass
class Side:
    """Statistics over one driver's samples."""
    low: float    # the lower quartile
    median: float
    p99: float
    number: int


class Samples:
    """The samples of one or several scenarios."""

    def __init__(self):
        self.origins = {}    # scenario -> Origin
        self.values = {}    # (scenario, case, metric) -> driver -> [value], in order
        self.kinds = {}
        self.unmeasured = {}    # (scenario, case, metric) -> why there is no number

    def add(self, scenario, case, metric, kind, driver, value):
        """Adds one sample."""
        key = (scenario, case, metric)
        self.kinds[key] = kind
        self.values.setdefault(key, {}).setdefault(driver, []).append(value)

    def not_measurable(self, scenario, case, metric, why):
        """Records a cell that has no number, with the reason."""
        self.unmeasured[scenario, case, metric] = why

    def remove_if_guest_limits(self, key, driver, possible):
        """
        Removes a driver's rates, and says so, if their median is less than half of what the
        commands' latency allows: then the guest is what limits them.
        """
        side = self.side(key, driver)
        if not side or side.median >= possible / 2:
            return
        del self.values[key][driver]
        if not self.values[key]:
            del self.values[key]
            del self.kinds[key]
        scenario, case, metric = key
        self.not_measurable(scenario, f'{case}, ib_{driver}', metric,
                            f'{side.median:.3g} where the HCA allows {possible:.3g}: the guest is '
                            'what limits')

    def side(self, key, driver):
        """A driver's Side, or None."""
        values = self.values.get(key, {}).get(driver)
        if not values:
            return None
        ordered = sorted(values)
        return Side(ordered[(len(ordered) - 1) // 4], statistics.median(ordered),
                    ordered[max(0, -(-99 * len(ordered) // 100) - 1)], len(ordered))

    def ratio(self, key):
        """
        The ratio of ib_tavor's median to ib_mthca's, or None. For instructions, that of the lower
        quartiles: unrelated work can only add instructions.
        """
        ours, theirs = self.side(key, 'tavor'), self.side(key, 'mthca')
        if not ours or not theirs or not theirs.median:
            return None
        if self.kinds[key] == INSTRUCTIONS:
            return ours.low / theirs.low
        return ours.median / theirs.median

    def write(self, scenario, path):
        """Writes the samples of a scenario, a line each, with the reason where there is no
        number. The first line has their origin."""
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(self.origins[scenario].line())
            out = csv.writer(file, lineterminator='\n')
            out.writerow(FIELDS)
            for key, drivers in self.values.items():
                if key[0] != scenario:
                    continue
                for driver, values in drivers.items():
                    for number, value in enumerate(values):
                        out.writerow([*key, self.kinds[key], driver, number, f'{value:.9g}'])
            for key, why in self.unmeasured.items():
                if key[0] == scenario:
                    out.writerow([*key, NOT_MEASURABLE, '', '', why])

    def read(self, scenario, path):
        """Adds what write() has written."""
        with open(path, encoding='utf-8', newline='') as file:
            self.origins[scenario] = origin.read(file.readline())
            if not self.origins[scenario].date:
                file.seek(0)
            for row in csv.DictReader(file):
                key = row['scenario'], row['case'], row['metric']
                if row['kind'] == NOT_MEASURABLE:
                    self.not_measurable(*key, row['value'])
                else:
                    self.add(*key, row['kind'], row['driver'], float(row['value']))
