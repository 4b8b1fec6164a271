# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 6: load, unload, recovery."""

from lib import guest
from lib.samples import COUNT, DRIVERS

TITLE = 'Load, unload and recovery'
TEXT = """\
The commands that a driver posts when it is loaded and unloaded, and from a catastrophic error until
the device is back: by opcode, as the model counted them. "reads of tables" are those of MAD_IFC
that read a block of the tables of GIDs or P_Keys. No subnet manager runs."""
LIMIT = 'commands: what the driver asks for'
SHOWN = ('commands, all', 'MAD_IFC', 'reads of tables, a port')


def measure(machine, samples, _quick, progress):
    """Measures both drivers."""
    for driver in DRIVERS:
        progress(f'ib_{driver}')
        for case, metric, number in machine.model_counts(driver, ['--timeout', '300'],
                                                         guest.script('life.sh')):
            samples.add('life', case, metric, COUNT, driver, int(number))
            if metric == 'reads of tables':
                samples.add('life', case, 'reads of tables, a port', COUNT, driver,
                            int(number) / 2)
    samples.not_measurable('life', 'failure and recovery, ib_mthca', 'commands',
                           'it is not back after a minute: its commands to the dead device have to '
                           'time out first, one by one')
    samples.not_measurable('life', 'load', 'time',
                           'most of it is resets and waits that are not commands')
