# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Scenario 3: the connection server, written both ways."""

import os

from lib import guest
from lib.samples import COUNT

TITLE = 'A connection server, both ways'
TEXT = """\
conn_client makes, uses and ends connections to ib_wq_server, which uses work items, and to
ib_softirq_server, which never leaves softirq. Counts are per connection and cover the whole guest,
including the client."""
LIMIT = 'counts: what server and client do'
SHOWN = ('commands, all', 'msix', 'switches away from kworker', 'switches away from ksoftirqd',
         'lines of C')
QUICK_COUNT, FULL_COUNT = 256, 2000
AT_A_TIME = [1, 64]
PLACES = [('mthca', 'ib_wq_server'), ('tavor', 'ib_wq_server'), ('tavor', 'ib_softirq_server')]


def lines(server):
    """The lines of C, without empty lines and lines that are comments."""
    folder = os.path.join(guest.TREE, 'drivers/infiniband/ulp', server.removeprefix('ib_'))
    number = 0
    for name in os.listdir(folder):
        if not name.endswith(('.c', '.h')):
            continue
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            number += sum(1 for line in file if line.strip() and
                          not line.lstrip().startswith(('/*', '*', '//')))
    return number


def measure(machine, samples, quick, progress):
    """Measures each server on each driver that it runs on."""
    count = QUICK_COUNT if quick else FULL_COUNT
    for driver, server in PLACES:
        progress(f'{server}, ib_{driver}')
        options = ['--sm', '--modules', server, '--timeout', '1800']
        found = machine.model_counts(driver, options,
                                     guest.script('servers.sh', server, count, *AT_A_TIME))
        for case, metric, value in found:
            if metric != 'connections':
                samples.add('servers', case, metric, COUNT, driver, int(value) / count)
        samples.add('servers', server, 'lines of C', COUNT, driver, lines(server))
    samples.not_measurable('servers', 'accepted connections', 'per second',
                           'the client is one thread that waits for its own verbs')
