# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Runs guests, and returns what they counted."""

import dataclasses
import os
import re
import subprocess
import tempfile

BENCH = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
TREE = os.path.realpath(os.path.join(BENCH, '../../..'))
IN_GUEST = '/mnt/tree'
RUN = os.path.join(BENCH, '../vm/run')
COUNT = os.path.join(BENCH, 'count/count')

# What is counted besides instructions, and the kernel functions whose entries count
CALLS = {
    'wake-ups': 'try_to_wake_up',
    'switches': '__switch_to_asm',
    'allocations': '(__kmalloc(_cache)?(_node)?(_track_caller)?|kmem_cache_alloc(_node|_lru)?|'
                   '__vmalloc_node|dma_alloc)(_range|_attrs)?(_noprof)?',
    'spin locks': '_raw_spin_(lock|trylock)(_bh|_irq|_irqsave)?',
    'sleeping locks': 'mutex_lock(_interruptible|_killable)?|down(_interruptible|_timeout|_read|'
                      '_write|_killable)?',
    'device interrupts': 'common_interrupt',
}


class Failed(Exception):
    """A run in a guest failed; the text says where its output is."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """
    What happened between two markers. All members but outside include interrupts. Only idle has the
    instructions of the idle loop and of timer interrupts.
    """
    outside: int
    instructions: int
    interrupts: int
    idle: int = 0
    reads: int = 0
    writes: int = 0
    calls: tuple = ()

    def counts(self):
        """(name, number) of everything but instructions."""
        yield 'register reads', self.reads
        yield 'register writes', self.writes
        yield from zip(CALLS, self.calls)


class Guest:
    """Runs guests of one kernel. The log has their whole output."""

    def __init__(self, kernel, log):
        self.kernel = kernel
        self.log = log
        self.release = kernel    # as the last guest that booted calls its kernel

    def run(self, driver, options, command, program=RUN):
        """The output of the command in a guest with that driver."""
        arguments = [program, '--kernel', self.kernel, '--driver', driver, *options, '--', *command]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace', check=False)
        self.log.write(f'== {" ".join(arguments)}\n{done.stdout}')
        self.log.flush()
        booted = re.search(r'^vm: booting kernel ([^ ,]+)', done.stdout, re.M)
        if booted:
            self.release = booted[1]
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if 'FAILED' in line] or \
                done.stdout.strip().splitlines() or ['']
            raise Failed(f'{driver}: status {done.returncode}: {lines[-1]}')
        return done.stdout

    def counted(self, driver, options, command):
        """id -> [Interval], and the output of the command."""
        found = {}
        more = ['--io']
        for pattern in CALLS.values():
            more += ['--calls', pattern]
        with tempfile.TemporaryDirectory() as work:
            raw = os.path.join(work, 'raw')
            text = self.run(driver, ['--raw', raw, *more, *options], command, COUNT)
            with open(raw, encoding='utf-8') as file:
                for line in file:
                    mark, total, inside, interrupts, *rest = map(int, line.split())
                    reads, writes, idle, *calls = rest
                    interval = Interval(total - inside, total - idle, interrupts, idle, reads,
                                        writes, tuple(calls))
                    found.setdefault(mark, []).append(interval)
        return found, text

    def model_counts(self, driver, options, script):
        """Lines "NAME NUMBER" and "PART: NAME NUMBER" that a script prints in the guest."""
        return counts(self.run(driver, options, script))


def counts(text):
    """(case, metric, number) of the lines "COUNT case|metric|number" in the text."""
    return re.findall(r'^COUNT ([^|]*)\|([^|]*)\|(-?[0-9.]+)$', text, re.M)


def load(module, *parameters):
    """The command that loads a module of the tree, after everything else."""
    return ['bash', '-c', '. tools/testing/vm/guest/functions && load_own "$@"', '-', module,
            *parameters]


def program(name, *arguments):
    """The command that runs a program of tools/testing/bench/programs."""
    return [f'{IN_GUEST}/build/bench/programs/{name}', *map(str, arguments)]


def script(name, *arguments):
    """The command that runs a script of tools/testing/bench/scenarios."""
    return [f'{IN_GUEST}/tools/testing/bench/scenarios/{name}', *map(str, arguments)]
