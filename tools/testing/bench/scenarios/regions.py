# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 4: memory regions and completion queues."""

from lib import guest
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS

TITLE = 'Memory regions by size'
TEXT = """\
A process registers and deregisters memory that it has touched. Counted is what the guest executes
from the call of ibv_reg_mr() or ibv_dereg_mr() to its return, with interrupts, without the idle
loop. "huge" means pages of 2 MiB. Each command takes 5 ms, so that its caller sleeps."""
LIMIT = 'instructions: pinning and mapping of pages, and the table of translations'
SHOWN = ('register writes', 'device interrupts')
TIMES = 11
SIZES = [('4 KiB', 12), ('64 KiB', 16), ('1 MiB', 20), ('16 MiB', 24), ('64 MiB', 26)]
MORE = [('256 MiB', 28), ('1 GiB', 30)]
HUGE_FROM = 21    # log2 of a huge page


def cases(quick):
    """(text, log2 of the size, huge pages), in the order of the program's markers."""
    sizes = SIZES if quick else SIZES + MORE
    yield from ((text, log, 0) for text, log in sizes)
    yield from ((f'{text}, huge', log, 1) for text, log in sizes if log >= HUGE_FROM)


def measure(machine, samples, quick, progress):
    """Measures both drivers, one guest each."""
    wanted = list(cases(quick))
    memory = 1024 if quick else 4096
    arguments = [f'{log}{"h" if huge else ""}' for _, log, huge in wanted]
    options = ['--sm', '--timeout', '1800', '--memory', str(memory), '--hca', 'latency=5ms']
    for driver in DRIVERS:
        progress(f'ib_{driver}')
        found, _ = machine.counted(driver, options, guest.program('regions', TIMES, *arguments))
        for place, (text, _, _) in enumerate(wanted):
            for what, mark in (('reg_mr', 2 * place), ('dereg_mr', 2 * place + 1)):
                for interval in found[mark]:
                    case = f'{what}: {text}'
                    samples.add('regions', case, 'instructions', INSTRUCTIONS, driver,
                                interval.instructions)
                    for name, number in interval.counts():
                        samples.add('regions', case, name, COUNT, driver, number)
