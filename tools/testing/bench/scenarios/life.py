# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 6: load, unload, recovery."""

from lib import guest
from lib.samples import COUNT, DRIVERS, RATE

TITLE = 'Load, unload and recovery'
TEXT = """\
The commands that a driver posts when it is loaded and unloaded, and from a catastrophic error until
the device is back: by opcode, as the model counted them. "reads of tables" are those of MAD_IFC
that read a block of the tables of GIDs or P_Keys. Then the same at 10 ms a command: the time until
the device is there, the time from its first command to the end of its last one, and the mean number
of commands under way in between. A time of which the commands take less than half has no number. No
subnet manager runs."""
LIMIT = 'commands: what the driver asks for'
SHOWN = ('commands, all', 'MAD_IFC', 'reads of tables, a port')
ALL, COMMANDS, SLOTS = 'seconds', 'commands, seconds', 'slots in use, mean'


def measure(machine, samples, _quick, progress):
    """Measures both drivers."""
    for driver in DRIVERS:
        progress(f'ib_{driver}')
        timed = {}
        for case, metric, number in machine.model_counts(driver, ['--timeout', '300'],
                                                         guest.script('life.sh')):
            if metric in (ALL, COMMANDS, SLOTS):
                timed.setdefault(case, {})[metric] = float(number)
                continue
            samples.add('life', case, metric, COUNT, driver, int(number))
            if metric == 'reads of tables':
                samples.add('life', case, 'reads of tables, a port', COUNT, driver,
                            int(number) / 2)
        for case, values in timed.items():
            only_where_latency_dominates(samples, driver, case, values)
    samples.not_measurable('life', 'failure and recovery, ib_mthca', 'commands',
                           'not run: its commands to the dead device have to time out first, one '
                           'after another, which takes minutes')


def only_where_latency_dominates(samples, driver, case, values):
    """Adds the times of which the commands take at least half, and reports the others."""
    busy = values[SLOTS] * values[COMMANDS]
    for metrics, seconds in (((ALL,), values[ALL]), ((COMMANDS, SLOTS), values[COMMANDS])):
        for metric in metrics:
            if busy >= seconds / 2:
                samples.add('life', case, metric, RATE, driver, values[metric])
            else:
                samples.not_measurable('life', f'{case}, ib_{driver}', metric,
                                       f'commands take {busy:.1f} of {seconds:.1f} s')
