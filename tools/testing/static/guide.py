#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that the client guide, Documentation/vrb-client.rst, has a place for everything that a
# client may call: each function and each request of <rdma/vrb.h> and <rdma/vrb_verbs.h> is in its
# text or in an example that it shows. By hand: run this script.
"""Prints TAP: one test for the functions, one for the requests, one for the examples."""

import pathlib
import re
import sys

TREE = pathlib.Path(__file__).resolve().parents[3]
GUIDE = 'Documentation/vrb-client.rst'
EXAMPLES = 'tools/testing/selftests/vrb/guide/'
HEADERS = ['include/rdma/vrb.h', 'include/rdma/vrb_verbs.h']
EXCERPT = re.compile(r'^\.\. excerpt:: output/guide/(\w+\.c)\n\n((?:   .*\n)+)', re.M)


def read(path):
    return (TREE / path).read_text(encoding='utf-8')


def code(path):
    """A header without its comments."""
    return re.sub(r'/\*.*?\*/', '', read(path), flags=re.S)


def functions():
    """The functions that the headers declare or define."""
    for path in HEADERS:
        yield from re.findall(r'^(?!#|typedef)[\w \t*]*?\b(vrb_\w+)\([^)]', code(path), re.M)


def requests():
    """The structures that begin with a struct vrb, without what is private to the engine."""
    for path in HEADERS:
        for name in re.findall(r'^struct (vrb_\w+) \{\n\tstruct vrb vrb;', code(path), re.M):
            if name != 'vrb_typed':
                yield name


def definition(lines, start):
    """The definition that begins with a text, as Documentation/conf.py finds it."""
    for first, line in enumerate(lines):
        if not line.startswith(start):
            continue
        head = next((at for at in lines[first:] if '{' in at or at.endswith(';')), '')
        if '{' in head:
            last = next((n for n in range(first, len(lines)) if lines[n].startswith('}')), first)
            return lines[first:last + 1]
    return []


def shown():
    """{file: the text of its examples that the guide shows}."""
    found = {path.name: '' for path in sorted((TREE / EXAMPLES).glob('*.c'))}
    for name, starts in EXCERPT.findall(read(GUIDE)):
        lines = read(EXAMPLES + name).split('\n')
        for start in starts.split('\n'):
            if start.strip():
                found[name] += '\n'.join(definition(lines, start.strip())) + '\n'
    return found


def results():
    examples = shown()
    text = read(GUIDE) + ''.join(examples.values())
    words = set(re.findall(r'\w+', text))
    yield 'each function of a client is in the guide', \
        [f'{name}() is not in the guide' for name in functions() if name not in words]
    yield 'each request is in the guide', \
        [f'struct {name} is not in the guide' for name in requests() if name not in words]
    yield 'each file of examples is shown', \
        [f'{name} is not shown in the guide' for name, example in examples.items() if not example]


def main():
    failed = False
    number = 0
    print('TAP version 13')
    for number, (text, wrong) in enumerate(results(), 1):
        for line in wrong:
            print(f'# {line}')
        print(f'{"not " if wrong else ""}ok {number} {text}')
        failed |= bool(wrong)
    print(f'1..{number}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
