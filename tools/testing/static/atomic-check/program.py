# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The function graph of all objects of one build, and the mistakes in it."""

import os
from collections import deque
from dataclasses import dataclass, field

import code
from dwarf import Types
from elf import Object, R_X86_64_64, STT_FUNC, STT_OBJECT

# Data sections that name functions, although nobody calls through them
DATA = ('.data', '.rodata', '.bss', '.init.data', '.ref.data', '__param', '__tracepoints', '_ftrace_events')
# The bit of gfp_t that lets an allocation sleep, __GFP_DIRECT_RECLAIM; fixtures/clean_gfp.c asserts it.
DIRECT_RECLAIM = 0x400


@dataclass
class Node:
    """A function of the modules."""
    name: str
    base: str
    unit: object
    code: code.Function
    callees: list = field(default_factory=list)  # (name, node or None, reference)


@dataclass
class Unit:
    """An object file."""
    name: str
    obj: Object
    types: Types
    nodes: list = field(default_factory=list)


class Program:
    def __init__(self, paths):
        self.units = []
        self.by_symbol, self.globals = {}, {}
        for path in paths:
            self._load(path)
        for unit in self.units:
            for node in unit.nodes:
                node.callees = [(reference.name, self._node(unit, reference), reference)
                                for reference in node.code.references]

    def _load(self, path):
        obj = Object(path)
        unit = Unit(os.path.basename(path), obj, Types(path))
        self.units.append(unit)
        for function in code.functions(obj):
            symbol = function.symbol
            node = Node(symbol.name, symbol.base, unit, function)
            unit.nodes.append(node)
            self.by_symbol[id(obj), symbol.section, symbol.value] = node
        for symbol in obj.functions():
            node = self.by_symbol.get((id(obj), symbol.section, symbol.value))
            if node and not symbol.local:
                self.globals[symbol.name] = node

    def _node(self, unit, reference):
        if reference.function:
            symbol = reference.function
            return self.by_symbol.get((id(unit.obj), symbol.section, symbol.value))
        return self.globals.get(reference.name)

    def nodes(self):
        return (node for unit in self.units for node in unit.nodes)

    def slots(self):
        """Function pointers in initialised data: (unit, variable, offset, name, node or None)."""
        for unit in self.units:
            for section, relocations in unit.obj.relocations.items():
                if unit.obj.sections[section].name.startswith(DATA):
                    yield from self._slots(unit, section, relocations)

    def _slots(self, unit, section, relocations):
        for relocation in relocations:
            symbol = relocation.symbol
            if relocation.kind != R_X86_64_64:
                continue
            variable = unit.obj.symbol_at(section, relocation.offset)
            owner = variable.base if variable and variable.kind == STT_OBJECT else unit.obj.sections[section].name
            offset = relocation.offset - (variable.value if variable else 0)
            if symbol.section:
                target = unit.obj.symbol_at(symbol.section, symbol.value + relocation.addend)
                if target and target.kind == STT_FUNC and target.value == symbol.value + relocation.addend:
                    node = self.by_symbol.get((id(unit.obj), target.section, target.value))
                    yield unit, owner, offset, target.name, node
            else:
                yield unit, owner, offset, symbol.name, self.globals.get(symbol.name)

    def signature(self, node):
        return node.unit.types.signature(node.base)


class Check:
    """Checks one build against the rules. The lists have the findings as text."""

    def __init__(self, program, rules):
        self.program, self.rules = program, rules
        self.undeclared, self.sleeping, self.unknown, self.blind = [], [], [], []
        self.forbidden = []
        self.roots = {}      # node id -> (node, why)
        self._find_forbidden()
        self._find_roots()
        self.parents = self._reach()
        self._find_sleeping()

    # Part 1: what no object may refer to

    def _permitted(self, unit, name):
        for rule in self.rules.permits:
            if rule.words[0] == unit.name and self.rules.match(name, rule.words[1:]):
                rule.used = True
                return True
        return False

    def _find_forbidden(self):
        for unit in self.program.units:
            undefined = [symbol.name for symbol in unit.obj.symbols if symbol.name and not symbol.section]
            for name in undefined:
                for rule in self.rules.forbidden:
                    if self.rules.match(name, rule.words[1:]) and not self._permitted(unit, name):
                        self.forbidden.append(f'{unit.name} refers to {name}: {rule.words[0]}')
            self._find_work(unit)

    def _find_work(self, unit):
        defined = {node.base for node in unit.nodes}
        work = [name for name in unit.types.functions_taking('struct work_struct *') if name in defined]
        permitted = 1 if work and self._permitted(unit, 'struct work_struct') else 0
        if len(work) > permitted:
            self.forbidden.append(f'{unit.name} has {len(work)} work functions ({", ".join(work)}), '
                                  f'{permitted} permitted: work-queue')

    # Part 2: where atomic code starts

    def _find_roots(self):
        for node in self.program.nodes():
            for rule in self.rules.roots:
                if self.rules.match(node.base, rule.words):
                    rule.used = True
                    self.roots[id(node)] = (node, 'root')
        for unit, variable, offset, name, node in self.program.slots():
            self._classify_slot(unit, variable, offset, name, node)
        for node in self.program.nodes():
            for _, callee, reference in node.callees:
                if callee and not reference.call and callee.base != node.base:
                    self._classify_callback(callee, f'its address is taken in {node.base}')

    def _classify_slot(self, unit, variable, offset, name, node):
        member = unit.types.member(variable, offset)
        for rules, atomic in ((self.rules.tables, True), (self.rules.process_tables, False)):
            for rule in rules:
                if member and rule.words[0] == member[0] and self.rules.match(member[1], rule.words[1:]):
                    rule.used = True
                    if atomic:
                        self._table_member(unit, variable, member, name, node)
                    return
        if node:
            where = f'{unit.name}: {variable}' + (f' ({".".join(member)})' if member else '')
            self._classify_callback(node, f'its address is in {where}')

    def _table_member(self, unit, variable, member, name, node):
        if node:
            self.roots[id(node)] = (node, f'{member[0]}.{member[1]} of {variable}')
        elif not self.rules.match(name, self.rules.atomic):
            self.unknown.append(f'{unit.name}: {variable}.{member[1]} is {name}, not known to be atomic')

    def _classify_callback(self, node, where):
        if id(node) in self.roots:
            return
        signature = self.program.signature(node)
        for rule in self.rules.callbacks:
            if rule.words[0] == signature:
                rule.used = True
                self.roots[id(node)] = (node, f'callback of type {signature}')
                return
        for rule in self.rules.sleepers:
            if rule.words[0] in (signature, node.base):
                rule.used = True
                return
        self.undeclared.append(f'{node.unit.name}: {node.name}, {signature or "of unknown type"}: {where}, '
                               'and no rule says in which context it is called')

    # Part 3: what is reached from there

    def _reach(self):
        parents = {key: (None, node) for key, (node, _) in self.roots.items()}
        queue = deque(node for node, _ in self.roots.values())
        while queue:
            node = queue.popleft()
            for name, callee, _ in node.callees:
                if callee and id(callee) not in parents and not self.rules.excepted(node.base, _base(name)):
                    parents[id(callee)] = (node, callee)
                    queue.append(callee)
        return parents

    def path(self, node):
        names = []
        while node:
            names.append(node.name)
            parent, _ = self.parents[id(node)]
            if parent is None:
                names.append(f'[{self.roots[id(node)][1]}]')
            node = parent
        return ' -> '.join(reversed(names))

    def _find_sleeping(self):
        for _, node in self.parents.values():
            for name, callee, reference in node.callees:
                if reference.indirect:
                    self._indirect(node)
                elif self.rules.match(name, self.rules.sleeps):
                    self._external(node, name, f'{name} may sleep')
                elif callee:
                    self._wrapper(node, callee, reference)
                elif reference.call and not reference.function:
                    self._external_call(node, name, reference)

    def _external(self, node, name, what, findings=None):
        if not self.rules.excepted(node.base, name):
            target = self.sleeping if findings is None else findings
            line = f'{self.path(node)} -> {name}: {what}'
            if line not in target:
                target.append(line)

    def _external_call(self, node, name, reference):
        number = self.rules.flags_argument(name)
        if number:
            self._flags(node, name, number, reference)
        elif not self.rules.match(name, self.rules.atomic):
            self._external(node, name, 'not known to be atomic', self.unknown)

    def _wrapper(self, node, callee, reference):
        number = self.rules.wrappers.get(callee.base)
        if number and reference.call:
            self._flags(node, callee.base, number, reference)

    def _flags(self, node, name, number, reference):
        if node.base in self.rules.wrappers:
            return
        values = code.argument(node.code, reference.instruction, number)
        if values is None:
            self._external(node, name, f'allocation flags (argument {number}) are not a constant')
        elif any(value & DIRECT_RECLAIM for value in values):
            shown = ', '.join(f'{value:#x}' for value in sorted(values))
            self._external(node, name, f'allocation flags {shown} may sleep')

    def _indirect(self, node):
        for rule in self.rules.indirect:
            if rule.words[0] == node.unit.name:
                rule.used = True
                return
        line = f'{self.path(node)}: calls through a pointer, and no rule says what {node.unit.name} calls so'
        if line not in self.blind:
            self.blind.append(line)


def _base(name):
    return name.split('.')[0]


def check_indirect_rules(rules):
    """The targets of "indirect" rules must be atomic members, "callback" functions, or
    "outside"."""
    findings = []
    for rule in rules.indirect:
        for target in rule.words[1:]:
            structure, _, member = target.partition('.')
            if target not in ('outside', 'callback') and not any(
                    table.words[0] == structure and rules.match(member, table.words[1:])
                    for table in rules.tables):
                findings.append(f'{rule.where}: {target} is in no declared table of atomic callbacks')
    return findings


def stale(rules):
    """The rules that no build needed."""
    return [f"{rule.where}: nothing matches '{' '.join(rule.words)}'"
            for kind in (rules.roots, rules.callbacks, rules.tables, rules.indirect, rules.exceptions,
                         rules.permits)
            for rule in kind if not rule.used]
