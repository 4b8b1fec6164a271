# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""The parts of a relocatable x86-64 ELF object that the check needs: sections, symbols, relocations."""

import bisect
import struct
from dataclasses import dataclass

SHT_SYMTAB = 2
SHT_RELA = 4
SHN_LORESERVE = 0xff00
SHF_ALLOC = 2
SHF_EXECINSTR = 4
STT_OBJECT = 1
STT_FUNC = 2
STT_SECTION = 3
STB_LOCAL = 0
R_X86_64_64 = 1
PC_RELATIVE = {2, 4, 24, 42}  # PC32, PLT32, PC64, REX_GOTPCRELX


class BadObject(Exception):
    """The file is no object that this check understands."""


@dataclass
class Section:
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    entsize: int

    @property
    def executable(self):
        return bool(self.flags & SHF_EXECINSTR)


@dataclass
class Symbol:
    name: str
    kind: int
    local: bool
    section: int  # index; 0 when undefined
    value: int
    size: int

    @property
    def base(self):
        """The name in the source, without the suffixes that the compiler adds to clones."""
        return self.name.split('.')[0] if not self.name.startswith('.') else self.name


@dataclass
class Relocation:
    offset: int
    kind: int
    symbol: Symbol
    addend: int

    @property
    def pc_relative(self):
        return self.kind in PC_RELATIVE


class Object:
    """One object file."""

    def __init__(self, path):
        self.path = path
        with open(path, 'rb') as file:
            self.data = file.read()
        if self.data[:6] != b'\x7fELF\x02\x01' or struct.unpack_from('<HH', self.data, 16) != (1, 62):
            raise BadObject(f'{path}: not a relocatable x86-64 object')
        self.sections = self._sections()
        self.symbols = self._symbols()
        self.relocations = self._relocations()
        self._index = self._index_symbols()

    def _string(self, table, offset):
        start = self.sections[table].offset + offset
        return self.data[start:self.data.index(b'\0', start)].decode()

    def _sections(self):
        (start,) = struct.unpack_from('<Q', self.data, 40)
        size, count, names = struct.unpack_from('<HHH', self.data, 58)
        raw = [struct.unpack_from('<IIQQQQIIQQ', self.data, start + i * size) for i in range(count)]
        base = raw[names][4]
        sections = []
        for name, kind, flags, _, offset, length, link, info, _, entsize in raw:
            end = self.data.index(b'\0', base + name)
            sections.append(Section(self.data[base + name:end].decode(), kind, flags, offset, length,
                                    link, info, entsize))
        return sections

    def _symbols(self):
        symbols = []
        for section in self.sections:
            if section.kind != SHT_SYMTAB:
                continue
            for at in range(section.offset, section.offset + section.size, 24):
                name, info, _, index, value, size = struct.unpack_from('<IBBHQQ', self.data, at)
                kind = info & 15
                text = self.sections[index].name if kind == STT_SECTION else self._string(section.link, name)
                symbols.append(Symbol(text, kind, info >> 4 == STB_LOCAL,
                                      index if index < SHN_LORESERVE else 0, value, size))
        return symbols

    def _relocations(self):
        found = {}
        for section in self.sections:
            if section.kind != SHT_RELA or not self.sections[section.info].flags & SHF_ALLOC:
                continue
            entries = []
            for at in range(section.offset, section.offset + section.size, 24):
                offset, info, addend = struct.unpack_from('<QQq', self.data, at)
                entries.append(Relocation(offset, info & 0xffffffff, self.symbols[info >> 32], addend))
            found[section.info] = sorted(entries, key=lambda entry: entry.offset)
        return found

    def _index_symbols(self):
        index = {}
        for symbol in self.symbols:
            if symbol.section and symbol.kind in (STT_FUNC, STT_OBJECT):
                index.setdefault(symbol.section, []).append(symbol)
        for symbols in index.values():
            # Of two names for one address, the global one comes last and is found.
            symbols.sort(key=lambda symbol: (symbol.value, not symbol.local))
        return index

    def symbol_at(self, section, offset):
        """The function or variable that covers an offset of a section, or None."""
        symbols = self._index.get(section, [])
        place = bisect.bisect_right(symbols, offset, key=lambda symbol: symbol.value) - 1
        if place < 0:
            return None
        symbol = symbols[place]
        return symbol if offset < symbol.value + max(symbol.size, 1) else None

    def functions(self):
        return [symbol for symbol in self.symbols if symbol.section and symbol.kind == STT_FUNC]
