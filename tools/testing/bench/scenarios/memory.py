# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 10: memory of an object, and what the next one costs, by how many there are."""

import statistics

from lib import guest
from lib.samples import COUNT, DRIVERS, INSTRUCTIONS

TITLE = 'Memory of an object, and what one more costs'
TEXT = """\
A process creates regions of one page, then as many completion queues of 63 entries and RC queue
pairs of 4 and 4 work requests, and connects the queue pairs to themselves. The case names how many
exist. "Kernel, bytes each" is the growth since the first of them, divided by their number, of the
kernel's pages: those that are neither free nor the process's nor a file's. So it has slabs with
their waste, tables, and pages of the driver, but not what the driver allocates when it is loaded
(its share of the HCA's tables is in the HCA's memory). "Process, bytes each" has the rings of
libmthca, its own objects and page tables; the library is the same for both drivers. "Slab, bytes"
are the slab objects that one more leaves allocated: the median of 11 traces of kmalloc() and of
caches. Instructions are those of one more, from the call to its return, in a process that waits for
commands of 5 ms: lower quartiles of 11. A connection is a region, a completion queue, and a queue
pair in RTS: its numbers are sums of the four others."""
LIMIT = 'what the driver and ib_uverbs keep for an object'
KERNEL, PROCESS, SLAB = 'kernel, bytes each', 'process, bytes each', 'slab, bytes'
SHOWN = (KERNEL, PROCESS, SLAB)
PAGE = 4096
KINDS = ['region', 'completion queue', 'queue pair', 'connecting']
QUICK, FULL = (1, 1000), (1, 1000, 30000)
OPTIONS = ['--sm', '--memory', '2048', '--timeout', '7200', '--hca', 'engines=64']


def of_driver(samples, driver, many, found, text):
    """Adds what a guest counted."""
    traced, each = {}, {}
    for case, metric, value in guest.counts(text):
        number = int(case.rsplit(' ', 1)[1])
        if metric == SLAB:
            traced.setdefault(case, []).append(int(value))
        elif number > 1:
            each[case, f'{metric.split(",")[0]}, bytes each'] = int(value) * PAGE / (number - 1)
    for case, values in traced.items():
        each[case, SLAB] = statistics.median(values)
    for mark, intervals in found.items():
        level, kind = divmod(mark, len(KINDS))
        for interval in intervals:
            samples.add('memory', f'{KINDS[kind]}: {many[level]}', 'instructions', INSTRUCTIONS,
                        driver, interval.instructions)
    for (case, metric), value in each.items():
        samples.add('memory', case, metric, COUNT, driver, value)


def add_connection(samples, driver, number):
    """Adds the sums of the four kinds."""
    for metric, kind in ((KERNEL, COUNT), (PROCESS, COUNT), (SLAB, COUNT),
                         ('instructions', INSTRUCTIONS)):
        sides = [samples.side(('memory', f'{name}: {number}', metric), driver) for name in KINDS]
        if all(sides):
            samples.add('memory', f'connection: {number}', metric, kind, driver,
                        sum(side.low for side in sides))


def measure(machine, samples, quick, progress):
    """Measures both drivers, one guest each."""
    many = QUICK if quick else FULL
    for driver in DRIVERS:
        progress(f'ib_{driver}, {many[-1]} of each')
        try:
            found, text = machine.counted(driver, OPTIONS, guest.script('memory.sh', *many))
        except guest.Failed as error:
            samples.not_measurable('memory', f'ib_{driver}', 'all', str(error))
            raise
        of_driver(samples, driver, many, found, text)
        for number in many:
            add_connection(samples, driver, number)
    samples.not_measurable('memory', 'each kind: 1', KERNEL,
                           'one object needs less than a page of the kernel\'s')


def figures(samples):
    """Instructions of a connection, against how many there are."""
    drawn = {}
    for (scenario, case, metric), drivers in samples.values.items():
        kind, number = case.rsplit(': ', 1) if scenario == 'memory' else ('', 0)
        if kind == 'connection' and metric == 'instructions':
            for driver, values in drivers.items():
                drawn.setdefault(f'ib_{driver}', []).append((int(number), values[0]))
    return [{'lines': drawn, 'log_x': True, 'x': 'connections that exist', 'y': 'instructions',
             'title': 'Instructions of one more connection, by how many exist'}] if drawn else []
