# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The rules for the objects. Documentation/atomic-check.rst describes the format."""

import fnmatch
from dataclasses import dataclass, field


class BadRules(Exception):
    """A rules file has a mistake."""


@dataclass
class Rule:
    words: list
    reason: str
    where: str
    used: bool = False


@dataclass
class Rules:
    roots: list = field(default_factory=list)
    callbacks: list = field(default_factory=list)      # words: signature
    sleepers: list = field(default_factory=list)       # callbacks that may sleep
    tables: list = field(default_factory=list)         # words: structure, members
    process_tables: list = field(default_factory=list)
    indirect: list = field(default_factory=list)       # words: object, targets
    exceptions: list = field(default_factory=list)     # words: caller, callee
    wrappers: dict = field(default_factory=dict)       # function -> number of its flags argument
    forbidden: list = field(default_factory=list)      # words: what, patterns
    permits: list = field(default_factory=list)        # words: object, patterns
    atomic: list = field(default_factory=list)
    sleeps: list = field(default_factory=list)
    flags: list = field(default_factory=list)          # (number, pattern)

    def read(self, path):
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                text, _, reason = line.partition('#')
                words = text.split()
                if words:
                    self._add(words, text, Rule(words[1:], reason.strip(), f'{path}:{number}'))
        return self

    def _add(self, words, text, rule):
        kind = words[0]
        if kind in ('atomic', 'sleeps'):
            getattr(self, kind).extend(words[1:])
            return
        if kind == 'flags':
            self.flags.extend((_number(rule, words[1]), name) for name in words[2:])
            return
        lists = {'root': self.roots, 'callback': self.callbacks, 'process-callback': self.sleepers,
                 'table': self.tables, 'process-table': self.process_tables, 'indirect': self.indirect,
                 'except': self.exceptions, 'forbid': self.forbidden, 'permit': self.permits}
        if kind != 'wrapper' and kind not in lists:
            raise BadRules(f"{rule.where}: no such statement: '{kind}'")
        if not rule.reason and kind != 'forbid':
            raise BadRules(f"{rule.where}: '{kind}' without its reason (after a #)")
        if len(words) < (2 if kind in ('root', 'callback', 'process-callback') else 3):
            raise BadRules(f"{rule.where}: '{kind}' says too little")
        if kind == 'wrapper':
            self.wrappers[words[1]] = _number(rule, words[2])
            return
        if kind in ('callback', 'process-callback'):
            rule.words = [' '.join(text.split()[1:])]
        lists[kind].append(rule)

    @staticmethod
    def match(name, patterns):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    def flags_argument(self, name):
        for number, pattern in self.flags:
            if fnmatch.fnmatchcase(name, pattern):
                return number
        return None

    def excepted(self, caller, callee):
        for rule in self.exceptions:
            if self.match(caller, rule.words[:1]) and self.match(callee, rule.words[1:]):
                rule.used = True
                return True
        return False


def _number(rule, word):
    if not word.isdigit() or not 1 <= int(word) <= 6:
        raise BadRules(f"{rule.where}: '{word}' is no number of an argument (1 to 6)")
    return int(word)
