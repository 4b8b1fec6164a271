# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The calls between the files of a program, from its object files, and the circles among them.

An edge is a direct call or jump from one object to a function that another one defines. A call
through a pointer is no edge, since this is how a lower layer reaches an upper one; neither is a
static call, whose target the kernel patches in. Inlined code counts for the file that it was
inlined into.
"""

from collections import deque

from elf import Object, STT_FUNC

PLT32 = 4                 # R_X86_64_PLT32: a call or a jump, and nothing else
STATIC_CALL = '__SCT__'


class Graph:
    """The files of one build. edges[caller][callee]: pairs (calling function, called function)."""

    def __init__(self, objects):
        """objects maps each file's name to the path of its object."""
        read = {name: Object(path) for name, path in objects.items()}
        owner = {symbol.name: name for name, obj in read.items() for symbol in obj.functions()
                 if not symbol.local and not symbol.name.startswith(STATIC_CALL)}
        self.files = sorted(read)
        self.edges = {name: {} for name in self.files}
        for name, obj in read.items():
            for section, relocations in obj.relocations.items():
                self._calls(name, obj, section, relocations, owner)

    def _calls(self, name, obj, section, relocations, owner):
        for relocation in relocations:
            symbol = relocation.symbol
            callee = owner.get(symbol.name)
            if relocation.kind != PLT32 or symbol.section or callee is None:
                continue
            caller = obj.symbol_at(section, relocation.offset)
            in_function = caller and caller.kind == STT_FUNC
            function = caller.base if in_function else obj.sections[section].name
            self.edges[name].setdefault(callee, set()).add((function, symbol.name))

    def count(self):
        return sum(len(callees) for callees in self.edges.values())

    def _next(self, name, without):
        return (callee for callee in sorted(self.edges[name]) if (name, callee) not in without)

    def way(self, start, end, without=()):
        """The shortest path of calls from one file to another, both included, or None."""
        before, todo = {}, deque([start])
        while todo:
            name = todo.popleft()
            for callee in self._next(name, without):
                if callee not in before:
                    before[callee] = name
                    todo.append(callee)
                if callee == end:
                    return _trace(before, start, end)
        return None

    def circles(self, without=()):
        """The sets of files that all reach each other, ignoring the edges in without."""
        reach = {name: self._reach(name, without) for name in self.files}
        found = []
        for name in self.files:
            if name in reach[name] and not any(name in circle for circle in found):
                found.append({other for other in reach[name] if name in reach[other]})
        return found

    def _reach(self, start, without):
        found, todo = set(), [start]
        while todo:
            new = set(self._next(todo.pop(), without)) - found
            found |= new
            todo += new
        return found

    def within(self, circle, without=()):
        """The edges among some files: (caller, callee)."""
        return [(name, callee) for name in sorted(circle) for callee in self._next(name, without)
                if callee in circle]


def _trace(before, start, end):
    way = [end, before[end]]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
