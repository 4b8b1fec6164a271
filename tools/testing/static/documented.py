#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that the tables in the documents list each parameter of the modules, and each counter of
# the engine, the driver, the servers and the model, and nothing else. A table is between ".. begin
# counters WHOSE" and ".. end counters WHOSE", or "parameters". By hand: run this script.
"""Prints TAP: one test for the parameters or counters of each module, and of the model."""

import pathlib
import re
import sys

TREE = pathlib.Path(__file__).resolve().parents[3]
MODEL = TREE / 'tools/testing/hca'
TABLE = re.compile(r'^\.\. begin (parameters|counters) ([\w -]+)\n(.*?)^\.\. end \1 \2\n', re.M | re.S)
FIRST_CELL = re.compile(r'^   \* - (.*)$', re.M)


def read(path):
    return (TREE / path).read_text(encoding='utf-8')


def documented():
    """{(what, whose): names} in the tables of all documents."""
    found = {}
    for path in sorted(TREE.glob('Documentation/**/*.rst')):
        for what, whose, table in TABLE.findall(path.read_text(encoding='utf-8')):
            names = {name for cell in FIRST_CELL.findall(table) for name in re.findall(r'``([^`]+)``', cell)}
            for owner in whose.split():
                found.setdefault((what, owner), set()).update(names)
    return found


def parameters():
    """(module, names) for each module of drivers/."""
    for kbuild in sorted(TREE.glob('drivers/**/Kbuild')):
        text = ''.join(path.read_text(encoding='utf-8') for path in sorted(kbuild.parent.glob('*.c')))
        for module in re.findall(r'^obj-m \+= (\w+)\.o$', kbuild.read_text(encoding='utf-8'), re.M):
            yield module, set(re.findall(r'^(?:core_)?module_param\w*\((\w+)', text, re.M))


def engine_counters():
    fields = re.search(r'^struct vrb_counters \{\n(.*?)^\};', read('include/rdma/vrb_provider.h'), re.M | re.S)
    return {name.strip() for line in re.findall(r'^\tu64 ([^;]*);', fields[1], re.M) for name in line.split(',')}


def driver_counters():
    folder = 'drivers/infiniband/hw/tavor/'
    return (set(re.findall(r'^\t(?:OWN|PORT)\((\w+)\)', read(folder + 'stats.c'), re.M)) |
            set(re.findall(r'debugfs_create_(?!dir)\w+\("(\w+)"', read(folder + 'debug.c'))))


def shown_counters(path, pattern):
    return set(re.findall(pattern, read(path), re.M))


def server_counters(name):
    return shown_counters(f'drivers/infiniband/ulp/{name}/{name.replace("_server", "")}_main.c',
                          r'^\t\[[A-Z]+_\w+\] = "(\w+)"')


def strings(path, pattern):
    """The strings in the part of a model's file that matches."""
    found = re.search(pattern, read(path), re.M | re.S)
    return set(re.findall(r'"([^"]+)"', found[0])) if found else set()


# The counters that the model names by a variable, and where its values are.
BY_VARIABLE = {
    'names[kind]': lambda: strings('tools/testing/hca/device/uar.c', r'\*const names\[.*?\};'),
    'why': lambda: set(re.findall(r'return "([^"]+)"', read('tools/testing/hca/fabric/packet.c'))),
}


def model_counters():
    found = set()
    for path in sorted(MODEL.glob('**/*.c')):
        if MODEL / 'tests' in path.parents:
            continue
        for name in re.findall(r'^\s+count\([^;"]*?, ("[^"]+"|[^;]+)\);', path.read_text(encoding='utf-8'), re.M):
            if name.startswith('"'):
                found.add(name.strip('"'))
            elif name in BY_VARIABLE:
                found |= BY_VARIABLE[name]()
            else:
                found.add(f'what count(..., {name}) counts in {path.relative_to(TREE)}')
    return found


def expected():
    for module, names in parameters():
        yield ('parameters', module), names
    yield ('counters', 'ib_vrb'), engine_counters()
    yield ('counters', 'ib_tavor'), driver_counters()
    yield ('counters', 'ib_softirq_server'), server_counters('softirq_server')
    yield ('counters', 'ib_wq_server'), server_counters('wq_server')
    yield ('counters', 'tavor-hca'), model_counters()


def judged(names, found):
    if not names:
        return ['nothing was found in the sources']
    return ([f'{name} is not documented' for name in sorted(names - found)] +
            [f'{name} is documented, but not there' for name in sorted(found - names)])


def results():
    tables = documented()
    for (what, whose), names in expected():
        yield f'{whose}: {what} are documented: {len(names)}', judged(names, tables.pop((what, whose), set()))
    yield 'each table is about something', [f'there are no {what} of {whose}' for what, whose in sorted(tables)]
    shown = shown_counters('drivers/infiniband/hw/tavor/stats.c', r'^\tENGINE\((\w+)\)')
    yield 'ib_tavor shows all counters of the engine', [
        f'{name} is not shown' for name in sorted(engine_counters() - shown)]


def main():
    failed = False
    number = 0
    print('TAP version 13')
    for number, (text, wrong) in enumerate(results(), 1):
        for line in wrong[:20]:
            print(f'# {line}')
        print(f'{"not " if wrong else ""}ok {number} {text}')
        failed |= bool(wrong)
    print(f'1..{number}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
