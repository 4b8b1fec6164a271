# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 9: how much of the HCA one thread of a process keeps busy while it connects."""

from lib import guest
from lib.samples import DRIVERS, RATE

TITLE = 'Command slots in use while a process connects'
TEXT = """\
vrbq_connect connects queue pairs from RESET to RTS: one after the other, with threads of libvrbq,
and with a verb queue, which takes one thread. Each of the three commands takes 10 ms, or 200 ms.
The result is the mean over time of the commands that the model is executing; 100 % are the command
slots that all processes may use together: all but two. The time from a completion to the next
command is the guest's and the emulator's, which take at least ten times as long as hardware: hence
the second latency. The HCA has few slots, so that the guest can fill them."""
LIMIT = 'how soon the next command comes when one has completed'
SLOTS = 8
SHARE = SLOTS - 2
SHOWN = ('slots in use, % of the share',)
OPTIONS = ['--sm', '--timeout', '3000', '--hca', f'engines={SLOTS}', '--hca',
           f'log_max_cmd={SLOTS.bit_length() - 1}']
WAYS = ['sync,10ms,200', 'threads:1,10ms,200',
        f'threads:{SHARE},10ms,1200', 'threads:16,10ms,1200', 'queue,10ms,1200',
        f'threads:{SHARE},200ms,300', 'threads:16,200ms,300', 'queue,200ms,300']
QUICK_ROUNDS, ROUNDS = 1, 2


def measure(machine, samples, quick, progress):
    """The drivers alternate; each round has its own guest."""
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        for driver in DRIVERS:
            progress(f'round {number + 1}, ib_{driver}')
            ways = [way for way in WAYS if driver == 'tavor' or not way.startswith('queue')]
            found = machine.model_counts(driver, OPTIONS, guest.script('slots.sh', SHARE, *ways))
            for case, metric, value in found:
                samples.add('slots', case, metric, RATE, driver, float(value))
