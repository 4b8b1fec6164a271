# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""For programs that count something and judge the result themselves."""

import os
import subprocess
import sys
import tempfile

COUNT = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'count')


def counted(arguments):
    """id -> [(instructions outside of interrupts, all instructions)]. A failure ends the
    program."""
    found = {}
    with tempfile.TemporaryDirectory() as work:
        raw = os.path.join(work, 'raw')
        run = subprocess.run([COUNT, '--raw', raw, *arguments], stdout=subprocess.PIPE, text=True,
                             check=False)
        if run.returncode:
            print(run.stdout, end='')
            sys.exit(run.returncode)
        with open(raw, encoding='utf-8') as file:
            for line in file:
                mark, total, inside, _ = (int(word) for word in line.split())
                found.setdefault(mark, []).append((total - inside, total))
    return found
