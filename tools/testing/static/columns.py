#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that no line of the C code and of the scripts is longer than 100 columns, comments
# included. Two kinds of lines may be longer: in C a line with a long string, so that a search for
# the printed text finds it, and in a test the lines at its top that say where it runs. By hand: run
# this script.
"""Prints TAP: one test for each folder."""

import collections
import os
import re
import sys

sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
# pylint: disable-next=wrong-import-position
from tree import TREE, tree_files

MOST = 100
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
TOP = re.compile(r'(#|//| \*) (Runs|As|Kernels|Level|Timeout|Needs|Guest): ')
SCRIPT = re.compile(r'#! ?/bin/(ba)?sh\n|.*\n# shellcheck shell=')


def is_c(path):
    return path.endswith(('.c', '.h', '.def'))


def is_judged(path, text):
    return is_c(path) or path.endswith(('.sh', '.bash')) or SCRIPT.match(text)


def too_long(path, line):
    wide = line.expandtabs(8)
    if len(wide) <= MOST or TOP.match(line):
        return False
    return not (is_c(path) and any(match.start() < MOST < match.end() for match in STRING.finditer(wide)))


def main():
    found = collections.defaultdict(list)
    for path in tree_files():
        try:
            with open(os.path.join(TREE, path), encoding='utf-8') as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        if is_judged(path, text):
            found[os.path.dirname(path)] += [
                f'{path}:{number}: {len(line.expandtabs(8))} columns'
                for number, line in enumerate(text.split('\n'), 1) if too_long(path, line)]
    print(f'TAP version 13\n1..{len(found)}')
    for number, (folder, lines) in enumerate(found.items(), 1):
        for line in lines:
            print(f'# {line}')
        print(f'{"not ok" if lines else "ok"} {number} {folder}: no line has more than {MOST} columns')
    return 1 if any(found.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
