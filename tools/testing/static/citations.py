#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that each citation in a comment has a target. "tavor-hw 10.3" is section 10.3 of
# Documentation/tavor-hw.rst and its pages. In these pages, in Documentation/hca-model.rst and in
# the rules of the model, "(10.3)" means the same; elsewhere in the driver and in the model it is an
# error. A document that is cited must be in the tree. By hand: run this script.
"""Prints TAP: one test for each kind of citation."""

import os
import re
import sys

sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
# pylint: disable-next=wrong-import-position
from tree import TREE, tree_files

PAGES = ('Documentation/tavor-hw.rst', 'Documentation/tavor-hw/')
SHORT = ('Documentation/hca-model.rst',) + PAGES
CODE = ('drivers/infiniband/hw/tavor/', 'tools/testing/hca/')
SELF = ('tools/testing/static/citations.py', 'tools/testing/static/test-citations.sh')

NUMBER = r'[1-9]\d?(?:\.[1-9]\d?)?'
# White space in a comment, also across lines.
GAP = r'(?:\s|\n[ \t]*(?:\*|#|//)[ \t])+'
LIST = rf'{NUMBER}(?:(?:,|{GAP}and|{GAP}to|{GAP}or){GAP}{NUMBER}(?![\w.]*\w))*'
CITED = re.compile(rf'\btavor-hw{GAP}(?P<list>{LIST})')
IN_PARENTHESES = re.compile(rf'(?<!\w)\((?P<list>{LIST})(?=[):,;])')
IN_WORDS = re.compile(rf'(?<!IBTA )\b[Ss]ections?{GAP}(?P<list>{LIST})')
HEADING = re.compile(rf'^(?:\.\. _(?P<label>[\w-]+):\n\n)?(?P<number>{NUMBER}) \S.*\n([=-])\3{{3,}}$', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
SCRIPT_COMMENT = re.compile(r'(?:^|(?<=\s))#[^\n]*', re.M)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
DOCUMENT = re.compile(r'[\w./-]*\w\.(?:rst|md)\b')
# A third-party document is cited with its owner.
SOMEBODY_ELSES = re.compile(rf"\w's{GAP}$")


def files():
    return [path for path in tree_files() if path not in SELF]


def read(path):
    with open(os.path.join(TREE, path), encoding='utf-8') as file:
        return file.read()


def texts():
    for path in files():
        try:
            yield path, read(path)
        except UnicodeDecodeError:
            continue


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def headings():
    """{number: [where]} of the document, and the headings with a wrong label."""
    found, unlabelled = {}, []
    for path in files():
        if not path.startswith(PAGES):
            continue
        text = read(path)
        for match in HEADING.finditer(text):
            where = f'{path}:{line_of(text, match.start("number"))}'
            number = match['number']
            found.setdefault(number, []).append(where)
            if match['label'] != 'tavor-hw-' + number.replace('.', '-'):
                unlabelled.append(f'{where}: section {number} has no label of its own')
    return found, unlabelled


def cited(pattern, text, start=0, end=None):
    """(offset, number) of each section that a citation lists."""
    for match in pattern.finditer(text, start, len(text) if end is None else end):
        for number in re.finditer(NUMBER, match['list']):
            yield match.start('list') + number.start(), number.group()


def missing(sections, path, text, citations):
    return [f'{path}:{line_of(text, offset)}: there is no section {number} in Documentation/tavor-hw.rst'
            for offset, number in citations if number not in sections]


def short_citations(path, text):
    if path.endswith('.def'):
        return [one for string in STRING.finditer(text)
                for one in cited(IN_PARENTHESES, text, string.start(), string.end())]
    return list(cited(IN_PARENTHESES, text)) + list(cited(IN_WORDS, text))


def is_short(path):
    return path.startswith(SHORT) or (path.startswith(CODE) and path.endswith('.def'))


def of_nothing(path, text):
    """Citations in comments of the driver and the model that do not name the document."""
    found = []
    for comment in COMMENT.finditer(text):
        for pattern in (IN_PARENTHESES, IN_WORDS):
            found += [f'{path}:{line_of(text, offset)}: section {number} of what? Say "tavor-hw {number}"'
                      for offset, number in cited(pattern, text, comment.start(), comment.end())]
    return found


def is_there(path, name):
    if name.startswith('output/'):  # made when the documents are
        return True
    places = (name, os.path.join('Documentation', name), os.path.join(os.path.dirname(path), name))
    return any(os.path.isfile(os.path.join(TREE, place)) for place in places)


def prose(path, text):
    """(start, end) of the text for a reader."""
    if path.endswith(('.rst', '.md')) or os.path.basename(path) == 'README':
        return [(0, len(text))]
    comment = COMMENT if path.endswith(('.c', '.h', '.def')) else SCRIPT_COMMENT
    return [match.span() for match in comment.finditer(text)]


def documents(path, text):
    found = []
    for start, end in prose(path, text):
        for match in DOCUMENT.finditer(text, start, end):
            if is_there(path, match.group()) or SOMEBODY_ELSES.search(text[max(0, match.start() - 60):match.start()]):
                continue
            found.append(f'{path}:{line_of(text, match.start())}: there is no {match.group()}')
    return found


def results():
    sections, unlabelled = headings()
    twice = [f'{where[1]}: section {number} is at {where[0]} already'
             for number, where in sections.items() if len(where) > 1]
    named, short, bare, documented = [], [], [], []
    number = 0
    for path, text in texts():
        citations = list(cited(CITED, text))
        number += len(citations)
        named += missing(sections, path, text, citations)
        if is_short(path):
            citations = short_citations(path, text)
            number += len(citations)
            short += missing(sections, path, text, citations)
        elif path.startswith(CODE) and path.endswith(('.c', '.h')):
            bare += of_nothing(path, text)
        documented += documents(path, text)
    if not sections or not number:
        named.append(f'{len(sections)} sections and {number} citations: nothing was looked at')
    yield f'each section has one number and its label: {len(sections)} sections', twice + unlabelled
    yield f'each section that is cited is there: {number} citations', named + short
    yield 'each citation says what it cites', bare
    yield 'each document that is named is there', documented


def main():
    failed = False
    print('TAP version 13\n1..4')
    for number, (text, found) in enumerate(results(), 1):
        for line in found[:20]:
            print(f'# {line}')
        print(f'{"not " if found else ""}ok {number} {text}')
        failed |= bool(found)
    return failed


if __name__ == '__main__':
    sys.exit(main())
