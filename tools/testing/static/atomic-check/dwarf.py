# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Types from the debug information: the layout of tables of callbacks, and the types of functions.

Parses the output of readelf, which resolves forms and relocations.
"""

import re
import subprocess

DIE = re.compile(r'^ <(\w+)><(\w+)>: Abbrev Number: (\d+)(?: \(DW_TAG_(\w+)\))?')
ATTRIBUTE = re.compile(r'^    <\w+>   DW_AT_(\w+)\s*: (.*)$')
FORM = re.compile(r'^(?:\([^)]*\):? )+')
REFERENCE = re.compile(r'<(?:alt )?0x(\w+)>')
WANTED = {'name', 'type', 'data_member_location', 'upper_bound', 'count', 'byte_size'}
TRANSPARENT = {'typedef', 'const_type', 'volatile_type', 'restrict_type'}
AGGREGATES = {'structure_type', 'union_type'}


class Die:
    """One entry of the debug information."""
    __slots__ = ('tag', 'attributes', 'children')

    def __init__(self, tag):
        self.tag = tag
        self.attributes = {}
        self.children = []

    def text(self, name):
        # "(strp) (offset: 0x1f): name", "(string) name" or plain "name"
        return FORM.sub('', self.attributes.get(name, '')).strip()

    def number(self, name, default=None):
        value = self.text(name)
        try:
            return int(value.split()[0], 0)
        except (ValueError, IndexError):
            return default


def _parse(lines):
    dies, stack, die = {}, [], None
    for line in lines:
        if line.startswith('    <'):
            match = ATTRIBUTE.match(line)
            if match and die is not None and match[1] in WANTED:
                die.attributes[match[1]] = match[2]
            continue
        match = DIE.match(line)
        if not match:
            continue
        depth = int(match[1], 16)
        if not match[4]:  # end of a list of children
            die = None
            continue
        die = Die(match[4])
        dies[int(match[2], 16)] = die
        del stack[depth:]
        if stack:
            stack[-1].children.append(die)
        stack.append(die)
    return dies


class Types:
    """Types, variables and functions of one object."""

    def __init__(self, path):
        dump = subprocess.run(['readelf', '--debug-dump=info', '--wide', path], check=True,
                              capture_output=True, text=True, errors='replace').stdout
        self.dies = _parse(dump.splitlines())
        self.variables, self.functions = {}, {}
        for die in self.dies.values():
            if die.tag == 'variable' and die.text('name'):
                self.variables.setdefault(die.text('name'), []).append(die)
            elif die.tag == 'subprogram' and die.text('name'):
                self.functions.setdefault(die.text('name'), die)

    def _target(self, die):
        match = REFERENCE.search(die.attributes.get('type', ''))
        return self.dies.get(int(match[1], 16)) if match else None

    def _strip(self, die):
        while die is not None and die.tag in TRANSPARENT:
            die = self._target(die)
        return die

    def _size(self, die):
        die = self._strip(die)
        if die is None:
            return 0
        if die.tag == 'array_type':
            return self._size(self._target(die)) * self._length(die)
        return die.number('byte_size', 8 if die.tag == 'pointer_type' else 0)

    @staticmethod
    def _length(array):
        length = 1
        for child in array.children:
            bound = child.number('upper_bound')
            length *= bound + 1 if bound is not None else child.number('count', 1)
        return length

    def spell(self, die):
        """A type in C syntax, without qualifiers: "struct vrb *"."""
        while die is not None and die.tag in TRANSPARENT - {'typedef'}:
            die = self._target(die)
        if die is None:
            return 'void'
        if die.tag == 'pointer_type':
            inner = self.spell(self._target(die))
            return inner + ('*' if inner.endswith('*') else ' *')
        kind = {'structure_type': 'struct ', 'union_type': 'union ', 'enumeration_type': 'enum '}
        if die.tag == 'subroutine_type':
            return 'function'
        return kind.get(die.tag, '') + (die.text('name') or 'anonymous')

    def signature(self, function):
        """The type of a function, "int (struct irq_poll *, int)", or None if it is unknown."""
        die = self.functions.get(function)
        if die is None:
            return None
        parameters = [self.spell(self._target(child)) for child in die.children
                      if child.tag == 'formal_parameter']
        return f'{self.spell(self._target(die))} ({", ".join(parameters) or "void"})'

    def functions_taking(self, parameter):
        """The names of the functions whose only parameter has this type."""
        return sorted(name for name, die in self.functions.items()
                      if [self.spell(self._target(child)) for child in die.children
                       if child.tag == 'formal_parameter'] == [parameter])

    def member(self, variable, offset):
        """The (structure, member) at an offset of a variable, for the innermost named structure, or
        None."""
        for die in self.variables.get(variable, []):
            found = self._member(self._target(die), offset, None)
            if found:
                return found
        return None

    def _member(self, die, offset, found):
        die = self._strip(die)
        if die is None:
            return found
        if die.tag == 'array_type':
            size = self._size(self._target(die))
            return self._member(self._target(die), offset % size, found) if size else found
        if die.tag not in AGGREGATES:
            return found
        for child in die.children:
            start = child.number('data_member_location', 0)
            if child.tag != 'member' or not start <= offset < start + self._size(self._target(child)):
                continue
            name = die.text('name') or (found[0] if found else 'anonymous')
            here = (name, child.text('name') or 'anonymous')
            deeper = self._member(self._target(child), offset - start, here)
            if deeper:
                return deeper
        return found
