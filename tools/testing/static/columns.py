#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that no line of the C code, of the scripts and of the documents is longer than .editorconfig
# allows, comments included. Three kinds of lines may be longer: in C a line with a long string, so
# that a search for the printed text finds it; in a test the lines at its top that say where it runs;
# in Markdown the rows of a table. By hand: run this script.
"""Prints TAP: one test for each folder."""

import collections
import fnmatch
import os
import re
import sys

sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
# pylint: disable-next=wrong-import-position
from tree import TREE, tree_files

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
TOP = re.compile(r'(#|//| \*) (Runs|As|Kernels|Level|Timeout|Needs|Guest): ')
SCRIPT = re.compile(r'#! ?/bin/(ba)?sh\n|.*\n# shellcheck shell=')


def is_c(path):
    return path.endswith(('.c', '.h', '.def'))


def is_document(path):
    return path.endswith(('.rst', '.md'))


def is_judged(path, text):
    return is_c(path) or is_document(path) or path.endswith(('.sh', '.bash')) or SCRIPT.match(text)


def expand(pattern):
    """The patterns that "*.{c,h}" stands for."""
    found = re.search(r'\{([^}]*)\}', pattern)
    if not found:
        return [pattern]
    return [pattern[:found.start()] + word + pattern[found.end():] for word in found.group(1).split(',')]


def limits():
    """The sections of .editorconfig that set a limit: patterns and columns, the one that decides first."""
    patterns, found = [], []
    with open(os.path.join(TREE, '.editorconfig'), encoding='utf-8') as file:
        for line in file:
            name, _, value = line.partition('=')
            if line.startswith('['):
                patterns = expand(line.strip()[1:-1])
            elif name.strip() == 'max_line_length':
                found.insert(0, (patterns, sys.maxsize if value.strip() == 'off' else int(value)))
    return found


def limit_of(path, sections):
    return next(columns for patterns, columns in sections
                if any(fnmatch.fnmatch(os.path.basename(path), pattern) for pattern in patterns))


def too_long(path, line, most):
    wide = line.expandtabs(8)
    if len(wide) <= most or TOP.match(line) or (path.endswith('.md') and line.startswith('|')):
        return False
    return not (is_c(path) and any(match.start() < most < match.end() for match in STRING.finditer(wide)))


def main():
    found = collections.defaultdict(list)
    sections = limits()
    for path in tree_files():
        try:
            with open(os.path.join(TREE, path), encoding='utf-8') as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        if is_judged(path, text):
            most = limit_of(path, sections)
            found[os.path.dirname(path) or '.'] += [
                f'{path}:{number}: {len(line.expandtabs(8))} columns, {most} at most'
                for number, line in enumerate(text.split('\n'), 1) if too_long(path, line, most)]
    print(f'TAP version 13\n1..{len(found)}')
    for number, (folder, lines) in enumerate(found.items(), 1):
        for line in lines:
            print(f'# {line}')
        print(f'{"not ok" if lines else "ok"} {number} {folder}: no line is too long')
    return 1 if any(found.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
