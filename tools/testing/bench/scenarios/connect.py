# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 1: connections per second, by how many are made concurrently."""

import dataclasses

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'Connections per second'
TEXT = """\
The life of a queue pair: created, connected from RESET to RTS, destroyed; a number of them at a
time. A client in softirq submits requests; threads of the kernel and of a process wait for each
verb. The HCA executes 64 commands at once, of 10 ms or 100 ms each, or one after the other
("serial"). Each thread of a process has opened the device itself, since libmthca destroys one queue
pair of a context at a time. Where less than half of the rate that this allows was reached, the
guest is the limit, and there is no number."""
LIMIT = 'the latency of commands up to the depth where the guest\'s own work takes as long'
SHOWN = ('commands, all, a connection',)
COMMANDS = 6    # of a connection
EACH, ALONE = 4, 16    # connections of each thread, and of one alone
USERS_MAX = 64    # threads of a process: as many as the HCA executes commands at once
QUICK_ROUNDS, ROUNDS = 1, 2


@dataclasses.dataclass(frozen=True)
class Profile:
    """What the HCA takes for its commands."""
    latency: int    # ms a command
    slots: int    # commands that it executes at once
    depths: tuple

    def text(self):
        """As part of the text of a case."""
        return f'{self.latency} ms{"" if self.slots > 1 else ", serial"}'

    def possible(self, depth):
        """Connections per second that it allows."""
        return min(depth, self.slots) / (COMMANDS * self.latency / 1000)


PROFILES = [Profile(10, 64, (1, 8, 64, 256)), Profile(100, 64, (1, 64, 256)),
            Profile(10, 1, (1, 8, 64))]
RATE_METRIC = 'connections per second'
WHATS = ('threads', 'user', 'softirq')


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round and profile has its own guest."""
    try:
        for number in range(QUICK_ROUNDS if quick else ROUNDS):
            for profile in PROFILES:
                for driver in DRIVERS:
                    progress(f'round {number + 1}, {profile.text()}, ib_{driver}')
                    one_guest(machine, samples, profile, driver)
    finally:
        # Also of the rounds before one that failed.
        only_where_latency_dominates(samples)


def one_guest(machine, samples, profile, driver):
    """Adds what one driver reaches with one profile."""
    options = ['--sm', '--timeout', '1800', '--hca', f'engines={profile.slots}']
    wanted = [f'{what}:{depth}:{ALONE if depth == 1 else EACH * depth}'
              for depth in profile.depths for what in WHATS
              if (driver == 'tavor' or what != 'softirq') and
              (depth <= USERS_MAX or what != 'user')]
    found = machine.model_counts(driver, options,
                                 guest.script('connect.sh', f'{profile.latency}ms', *wanted))
    number_of = {case: int(value) for case, metric, value in found if metric == 'connections'}
    for case, metric, value in found:
        if metric == RATE_METRIC:
            samples.add('connect', f'{case}, {profile.text()}', metric, RATE, driver, float(value))
        elif metric != 'connections':
            samples.add('connect', f'{case}, {profile.text()}', f'{metric}, a connection', COUNT,
                        driver, int(value) / number_of[case])


def only_where_latency_dominates(samples):
    """Removes the other samples and reports that."""
    for key, drivers in list(samples.values.items()):
        if key[0] != 'connect' or key[2] != RATE_METRIC:
            continue
        profile, depth, _ = place(key[1])
        possible = profile.possible(depth)
        for driver in list(drivers):
            samples.remove_if_guest_limits(key, driver, possible)


def figures(samples):
    """Rates against depth, a figure for each profile."""
    drawn = {profile: {} for profile in PROFILES}
    for (scenario, case, metric), drivers in samples.values.items():
        if scenario != 'connect' or metric != RATE_METRIC:
            continue
        for driver in drivers:
            profile, depth, what = place(case)
            line = drawn[profile].setdefault(f'{what}, ib_{driver}', [])
            line.append((depth, samples.side((scenario, case, metric), driver).median))
    return [{'lines': lines, 'log_x': True, 'log_y': True, 'x': 'at a time',
             'y': RATE_METRIC,
             'title': f'Connections per second, by how many at a time, {profile.text()}'}
            for profile, lines in drawn.items() if lines]


def place(case):
    """(profile, depth, what) from the text of a case."""
    profile = next(one for one in PROFILES if case.endswith(f' {one.text()}'))
    name = case.removesuffix(f', {profile.text()}')
    if name.startswith('softirq'):
        return profile, int(name.rsplit(' ', 1)[1]), 'softirq'
    number, what = name.split(' ', 1)
    return profile, int(number), what
