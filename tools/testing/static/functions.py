#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks the shape of the C code: each function of the modules that others can call must document
# the context in which it may be called, and functions must be short. By hand: run this script; with
# a folder as argument it checks only this folder. "functions.py --atomic" prints, for the atomic
# check, the functions of the modules that may be called in atomic context.
"""Prints TAP: one test for each rule and folder."""

import os
import re
import statistics
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../..'))
MODULES = ['drivers/infiniband/vrb', 'drivers/infiniband/hw/tavor', 'drivers/infiniband/ulp/wq_server',
           'drivers/infiniband/ulp/softirq_server']
FOLDERS = MODULES + ['tools/testing/hca', 'tools/testing/selftests', 'userspace']
LONGEST, MEDIAN, MOST = 100, 15, 45   # lines: the longest, the median, the 90th percentile
HEAD = re.compile(r'([A-Za-z_]\w*)\s*\(')


class Function:
    """One function definition: its name, its place, the length of its body, the comment above
    it."""

    def __init__(self, path, lines, start):
        self.head_start, head = start, []
        # The head begins after an empty line, the end of other code, or a comment.
        while self.head_start and not re.match(r'\s*$|}|#|.*[;*]/?$', lines[self.head_start - 1]):
            self.head_start -= 1
            head.insert(0, lines[self.head_start].strip())
        self.head = ' '.join(head)
        match = HEAD.search(self.head)
        self.name = match[1] if match else None
        end = start
        while end < len(lines) and not lines[end].startswith('}'):
            end += 1
        self.length = end - start - 1
        self.where = f'{os.path.relpath(path, TREE)}:{start + 1}'
        self.comment = self._comment(lines)

    @property
    def is_function(self):
        """Whether this is no initialiser, type, or macro that generates code (TRACE_EVENT)."""
        return bool(self.name and '=' not in self.head.split('(')[0] and not self.name.isupper() and
                    not re.match(r'(struct|enum|union)\s+\w+$', self.head) and
                    not self.head.startswith('typedef'))

    @property
    def is_static(self):
        return bool(re.match(r'(?:__\w+\s+)*static\b', self.head)) or ' static ' in self.head.split('(')[0]

    @property
    def context(self):
        """The context that the comment gives, or None."""
        match = re.search(r'Context:\s*(.*)', self.comment)
        return match[1].strip(' */') if match else None

    def _comment(self, lines):
        end = self.head_start
        if not end or not lines[end - 1].rstrip().endswith('*/'):
            return ''
        start = end - 1
        while start and '/*' not in lines[start]:
            start -= 1
        return '\n'.join(lines[start:end])


def functions(path):
    """All function definitions of a file; a test harness's TEST(name) counts as a function."""
    with open(path, encoding='utf-8') as file:
        lines = file.read().split('\n')
    found = []
    for number, line in enumerate(lines):
        if line.rstrip() == '{':
            function = Function(path, lines, number)
            if function.is_function or (function.name and function.name.startswith(('TEST', 'FIXTURE'))):
                found.append(function)
    return found


def sources(folder):
    paths = []
    for where, folders, names in os.walk(os.path.join(TREE, folder)):
        # Compile probes belong to no module.
        folders[:] = sorted(set(folders) - {'probe'})
        paths += [os.path.join(where, name) for name in sorted(names)
                  if name.endswith('.c') and not name.endswith('.mod.c')]
    return paths


class Tap:
    def __init__(self):
        self.number, self.failed = 0, 0
        print('TAP version 13')

    def result(self, what, findings=(), skip=None):
        self.number += 1
        for finding in findings:
            print(f'# {finding}')
        self.failed += bool(findings)
        word = 'not ok' if findings else 'ok'
        print(f'{word} {self.number} {what}' + (f' # SKIP {skip}' if skip else ''))

    def end(self):
        print(f'1..{self.number}')
        return 1 if self.failed else 0


def judge_context(tap, folder, found):
    silent = [f'{function.where}: {function.name} has no "Context:" line' for function in found
              if function.is_function and not function.is_static and not function.context]
    tap.result(f'{folder}: every function others can call says its context', silent)


def judge_length(tap, folder, found):
    long = [f'{function.where}: {function.name} has {function.length} lines' for function in found
            if function.length > LONGEST]
    tap.result(f'{folder}: no function is longer than {LONGEST} lines', long)
    lengths = sorted(function.length for function in found)
    median, most = statistics.median(lengths), lengths[len(lengths) * 9 // 10]
    shape = [f'{len(lengths)} functions, median {median}, 90th percentile {most}']
    bad = median > MEDIAN or most > MOST
    tap.result(f'{folder}: functions are short (median {MEDIAN}, 90th percentile {MOST})', shape if bad else ())


def list_atomic():
    """A function whose context does not begin with "Process" may be called in atomic context."""
    for folder in MODULES:
        for path in sources(folder):
            for function in functions(path):
                if function.is_function and not function.is_static and function.context and \
                        not function.context.startswith('Process'):
                    print(f'root {function.name} # {function.where}: {function.context}')


def main():
    if sys.argv[1:] == ['--atomic']:
        return list_atomic()
    folders = sys.argv[1:] or FOLDERS
    tap = Tap()
    for folder in folders:
        found = [function for path in sources(folder) for function in functions(path)]
        if not found:
            tap.result(f'{folder}: functions', skip='there is none')
            continue
        if folder in MODULES:
            judge_context(tap, folder, found)
        judge_length(tap, folder, found)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
