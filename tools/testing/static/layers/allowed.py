# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The list of calls that may close a circle, each with its reason.

A line is "MODULE: CALLER -> CALLEE... # reason"; a file is named by the end of its path.
"""

import re

LINE = re.compile(r'(\S+): +(\S+) +-> +([^#]*[^# ]) *(?:# *(.*))?$')


class BadExceptions(Exception):
    """The list has a mistake."""


class Exceptions:
    """The excepted edges, one for each callee of a line."""

    def __init__(self, path=None):
        self.entries = []   # (where, module, caller, callee)
        self.used = set()   # of them
        self.wrong = {}     # entry -> why it is stale, as far as the builds say
        if path:
            with open(path, encoding='utf-8') as file:
                for number, line in enumerate(file, 1):
                    if line.strip() and not line.startswith('#'):
                        self._read(f'{path}:{number}', line.strip())

    def _read(self, where, line):
        match = LINE.match(line)
        if not match:
            raise BadExceptions(f"{where}: not 'MODULE: CALLER -> CALLEE... # reason': {line}")
        if not match[4]:
            raise BadExceptions(f'{where}: an exception without its reason')
        for callee in match[3].split():
            entry = (where, match[1], match[2], callee)
            if entry[1:] in [other[1:] for other in self.entries]:
                raise BadExceptions(f'{where}: {match[2]} -> {callee} is there twice')
            self.entries.append(entry)

    def edges(self, module, graph):
        """The excepted edges of a module's build; notes which entries it needs."""
        found = {}
        for entry in self.entries:
            if entry[1] == module:
                edge = tuple(_file(graph, name) for name in entry[2:])
                missing = [name for name, known in zip(entry[2:], edge) if known is None]
                if missing:
                    self.wrong[entry] = f'there is no {missing[0]}'
                elif edge[1] not in graph.edges[edge[0]]:
                    self.wrong[entry] = 'there is no such call'
                else:
                    found[entry] = edge
        for entry, (caller, callee) in found.items():
            if graph.way(callee, caller, found.values()):
                self.used.add(entry)
            else:
                self.wrong[entry] = 'it closes no circle'
        return set(found.values())

    def stale(self):
        """Entries that no build needs."""
        return [f'{where}: {module}: {caller} -> {callee}: ' +
                self.wrong.get((where, module, caller, callee), 'there is no such module')
                for where, module, caller, callee in self.entries
                if (where, module, caller, callee) not in self.used]


def _file(graph, name):
    """The only file whose path ends like this, or None."""
    found = [file for file in graph.files if f'/{file}'.endswith(f'/{name}')]
    return found[0] if len(found) == 1 else None
