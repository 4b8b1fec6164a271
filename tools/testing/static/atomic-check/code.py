# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The machine code of an object: what each function refers to, and the constants that it passes.

Inlined code counts for the function that it was inlined into, and code that the compiler removed
does not count at all: the check judges the objects, not the source.
"""

import re
import subprocess
from dataclasses import dataclass, field

from elf import STT_FUNC

LINE = re.compile(r'^ *([0-9a-f]+):\t([^\t#<]*)(?:<[^>]*>)?')
SECTION = re.compile(r'^Disassembly of section (.*):$')
PREFIXES = {'cs', 'ds', 'es', 'ss', 'notrack', 'bnd', 'lock', 'rep', 'repz', 'repnz', 'data16', 'addr32'}
ARGUMENTS = ['di', 'si', 'dx', 'cx', '8', '9']
THUNK = re.compile(r'__x86_indirect_(?:call_|jump_)?thunk_')
# A register, by the part of its name that all its widths share
REGISTER = re.compile(r'%(?:[re]?(ax|bx|cx|dx|si|di|bp|sp)|r(\d+)[dwb]?|([abcd])[lh]|(si|di|bp|sp)l)$')
IMMEDIATE = re.compile(r'\$(0x[0-9a-f]+|\d+)$')
READS_ONLY = re.compile(r'^(cmp|test|bt[lqw]?$|push|nop|j|ret|ud2|lfence|mfence|sfence|prefetch|endbr)')
WORD = 0xffffffff
# How the compiler picks one of two constants without a branch: the result of an instruction whose
# operands are the same register, and of a known value and an immediate.
SAME = {'xor': {0}, 'sub': {0}, 'sbb': {0, WORD}}
COMPUTE = {'or': int.__or__, 'and': int.__and__, 'add': int.__add__, 'sub': int.__sub__, 'xor': int.__xor__,
           'shl': int.__lshift__}


@dataclass
class Instruction:
    address: int
    size: int
    name: str
    operands: list
    relocation: object = None

    @property
    def branch(self):
        return self.name.startswith(('call', 'j'))

    @property
    def call(self):
        return self.name.startswith('call')

    def target(self):
        """The address within the section that a branch without relocation jumps to, or None."""
        if not self.branch or self.relocation or len(self.operands) != 1:
            return None
        try:
            return int(self.operands[0], 16)
        except ValueError:
            return None


@dataclass
class Reference:
    """One instruction's reference to something else."""
    name: str             # of what is referred to
    call: bool            # called or jumped to, rather than its address taken
    function: object      # Symbol if it is a function of this object
    instruction: Instruction
    indirect: bool = False


@dataclass
class Function:
    symbol: object
    instructions: list = field(default_factory=list)
    references: list = field(default_factory=list)


def _operands(text):
    """Split "a,b(c,d),e" at the outer commas."""
    parts, depth, part = [], 0, ''
    for char in text.strip():
        depth += (char == '(') - (char == ')')
        if char == ',' and not depth:
            parts.append(part.strip())
            part = ''
        else:
            part += char
    return parts + [part.strip()] if part.strip() else parts


def _disassemble(obj):
    """Section index -> instructions."""
    text = subprocess.run(['objdump', '--disassemble', '--no-show-raw-insn', '--wide', obj.path], check=True,
                          capture_output=True, text=True).stdout
    numbers = {section.name: index for index, section in enumerate(obj.sections)}
    sections, current = {}, None
    for line in text.splitlines():
        match = SECTION.match(line)
        if match:
            current = sections.setdefault(numbers[match[1]], [])
            continue
        match = LINE.match(line)
        if not match or current is None:
            continue
        words = match[2].split(None, 1)
        while words and words[0].rstrip(',') in PREFIXES:
            words = words[1].split(None, 1) if len(words) > 1 else []
        if not words:
            continue
        address = int(match[1], 16)
        if current:
            current[-1].size = address - current[-1].address
        current.append(Instruction(address, 1, words[0], _operands(words[1] if len(words) > 1 else '')))
    for number, instructions in sections.items():
        instructions[-1].size = obj.sections[number].size - instructions[-1].address
    return sections


def _attach(instructions, relocations):
    place = 0
    for instruction in instructions:
        end = instruction.address + instruction.size
        while place < len(relocations) and relocations[place].offset < end:
            if relocations[place].offset >= instruction.address:
                instruction.relocation = relocations[place]
            place += 1


def _resolve(obj, section, instruction):
    """(section, offset, symbol) that an instruction refers to; section 0 for an external symbol."""
    relocation = instruction.relocation
    if relocation is None:
        return section, instruction.target(), None
    symbol = relocation.symbol
    offset = symbol.value + relocation.addend
    if relocation.pc_relative:
        offset += instruction.address + instruction.size - relocation.offset
    return symbol.section, offset, symbol


def _reference(obj, section, function, instruction):
    indirect = instruction.branch and bool(instruction.operands) and instruction.operands[0].startswith('*')
    where, offset, symbol = _resolve(obj, section, instruction)
    if symbol is not None and not where:
        thunk = THUNK.match(symbol.name)
        # A call through a pointer in an external variable counts as a call of that name.
        return Reference(symbol.name, instruction.branch, None, instruction, bool(thunk))
    if indirect:
        return Reference('', True, None, instruction, True)
    if offset is None:
        return None
    target = obj.symbol_at(where, offset)
    if target is None or target is function:
        return None
    is_function = target.kind == STT_FUNC
    if is_function and not instruction.branch and offset != target.value:
        return None
    return Reference(target.name, instruction.branch and is_function, target if is_function else None,
                     instruction)


def functions(obj):
    """All functions of an object with what they refer to."""
    found = {}
    for section, instructions in _disassemble(obj).items():
        _attach(instructions, obj.relocations.get(section, []))
        for instruction in instructions:
            symbol = obj.symbol_at(section, instruction.address)
            if symbol is None or symbol.kind != STT_FUNC:
                continue
            function = found.setdefault((section, symbol.value), Function(symbol))
            function.instructions.append(instruction)
            reference = _reference(obj, section, symbol, instruction)
            if reference:
                function.references.append(reference)
    return list(found.values())


def _register(operand):
    match = REGISTER.match(operand)
    if not match:
        return None
    name = match[1] or match[2] or match[4]
    return name or match[3] + 'x'


class _Flow:
    """Walks backwards through a function: the values that a register can have at an instruction."""

    def __init__(self, function):
        self.instructions = function.instructions
        place = {item.address: index for index, item in enumerate(self.instructions)}
        self.sources = {}
        for index, item in enumerate(self.instructions):
            target = item.target()
            if not item.call and target in place:
                self.sources.setdefault(place[target], []).append(index)

    def _before(self, index):
        sources = list(self.sources.get(index, []))
        previous = self.instructions[index - 1] if index else None
        if previous and not previous.name.startswith(('jmp', 'ret', 'ud2')):
            sources.append(index - 1)
        return sources

    def values(self, index, register, seen):
        """Set of constants, or None if it isn't constant on every path."""
        if (index, register) in seen:
            return set()
        seen.add((index, register))
        sources = self._before(index)
        if not sources:
            return None
        result = set()
        for source in sources:
            values = self._after(source, register, seen)
            if values is None:
                return None
            result |= values
        return result

    def _after(self, index, register, seen):
        item = self.instructions[index]
        if item.call:
            saved = register in ('bx', 'bp', '12', '13', '14', '15')
            return self.values(index, register, seen) if saved else None
        if not item.operands or READS_ONLY.match(item.name) or _register(item.operands[-1]) != register:
            return self.values(index, register, seen)
        return self._written(index, item, register, seen)

    def _written(self, index, item, register, seen):
        source = item.operands[0]
        name = item.name.rstrip('lq') if item.name not in ('shl', 'sbb') else item.name
        constant = IMMEDIATE.match(source)
        if _register(source) == register and name in SAME:
            return SAME[name]
        if name == 'mov' and constant and not item.relocation:
            return {int(constant[1], 0)}
        if name == 'mov' and _register(source):
            return self.values(index, _register(source), seen)
        if name.startswith('cmov') and _register(source):
            return _union(self.values(index, _register(source), seen), self.values(index, register, seen))
        if name in COMPUTE and constant:
            before = self.values(index, register, seen)
            return None if before is None else {COMPUTE[name](value, int(constant[1], 0)) & WORD for value in before}
        return None


def _union(one, other):
    return None if one is None or other is None else one | other


def argument(function, instruction, number):
    """The constants passed as argument NUMBER (from 1) of a call: a set, or None if unknown."""
    flow = _Flow(function)
    return flow.values(flow.instructions.index(instruction), ARGUMENTS[number - 1], set())
