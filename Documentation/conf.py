# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""How Sphinx builds these documents; see the Makefile beside this file."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)  # pylint: disable=invalid-name

project = 'ib_vrb and ib_tavor'
copyright = ''  # pylint: disable=redefined-builtin
html_show_copyright = False
html_show_sphinx = False
html_theme = 'alabaster'
html_static_path = ['_static']
html_theme_options = {'page_width': '1300px', 'body_max_width': '980px', 'sidebar_width': '260px'}
highlight_language = 'none'
primary_domain = 'c'
extensions = ['sphinx.ext.graphviz']
graphviz_output_format = 'svg'
exclude_patterns = ['output']

# The guides that are read beside a terminal: page, name, what it is, authors, section.
man_pages = [
    ('administration', 'ib_tavor-administration', 'administration of ib_vrb and ib_tavor', '', 8),
    ('tavor', 'ib_tavor', 'InfiniBand driver for the Mellanox MT23108 HCA', '', 4),
    ('vrb-client', 'ib_vrb-client', 'RDMA control verbs as requests, for clients in the kernel', '', 9),
    ('hca-model', 'tavor-hca', 'software model of the Mellanox MT23108 HCA', '', 1),
    ('tavor-hca-qemu', 'tavor-hca-qemu', 'QEMU with the model of the MT23108 HCA', '', 1),
    ('tavor-hcactl', 'tavor-hcactl', 'pull cables and break the HCA of a running model', '', 1),
]

# Words of the kernel's headers that are not C, as the kernel's own conf.py has them.
c_id_attributes = ['__iomem', '__user', '__rcu', '__must_check', '__printf', '__init', '__exit', 'noinline']

# "(10.3)" and "section 10" are links to sections of the hardware's pages, there and in what cites
# them. tools/testing/static/citations.py finds those that lead nowhere.
CITES = ('tavor-hw', 'hca-model')
NUMBER = r'[1-9]\d?(?:\.[1-9]\d?)?'
LISTS = re.compile(rf'(?<!\w)\({NUMBER}(?:(?:,| and| to| or) {NUMBER}(?![\w.]*\w))*(?=[):,;])'
                   rf'|\b[Ss]ections? {NUMBER}|^\d+\.\d+(?:; \d+\.\d+)*$')


def link(app, number):
    target = 'tavor-hw-' + number.replace('.', '-')
    node = addnodes.pending_xref('', nodes.inline(text=number), refdomain='std', reftype='ref',
                                 reftarget=target, refexplicit=True, refwarn=True,
                                 refdoc=app.env.docname)
    return node


def linked(app, text):
    """The nodes for a text: what cites nothing, and links."""
    end = 0
    for cited in LISTS.finditer(text):
        for number in re.finditer(NUMBER, cited.group()):
            start = cited.start() + number.start()
            yield nodes.Text(text[end:start])
            yield link(app, number.group())
            end = start + len(number.group())
    yield nodes.Text(text[end:])


def link_sections(app, doctree):
    if not app.env.docname.startswith(CITES):
        return
    for text in list(doctree.findall(nodes.Text)):
        if LISTS.search(text) and isinstance(text.parent, (nodes.paragraph, nodes.strong, nodes.emphasis)):
            text.parent.replace(text, list(linked(app, text)))


def name_pages(app, doctree):
    """A man page has no links: it names other man pages, and the sources of the documents that are none."""
    names = {page: f'{name}({section})' for page, name, _, _, section in man_pages}
    if app.builder.name != 'man':
        return
    for reference in list(doctree.findall(addnodes.pending_xref)):
        target = reference['reftarget']
        if reference['reftype'] == 'doc':
            text = names.get(target, f'Documentation/{target}.rst')
        elif target.startswith('tavor-hw-') and not app.env.docname.startswith(CITES):
            text = f'Documentation/tavor-hw.rst, {reference.astext()}'
        else:
            continue
        reference.replace_self(nodes.strong(text=text))


def drop_empty_members(_app, doctree):
    """kernel-doc prints "Members" for a structure, also where all of them are private."""
    for heading in list(doctree.findall(nodes.paragraph)):
        after = heading.next_node(descend=False, siblings=True)
        if heading.astext() == 'Members' and not isinstance(after, nodes.definition_list):
            heading.parent.remove(heading)


COLUMNS = 100


def folded(line):
    """The lines for a member that kernel-doc has put into one; each but the first begins below the first argument."""
    indent = ' ' * (line.rfind('(', 0, line.find(', ')) + 1)
    while len(line) > COLUMNS and ', ' in line[:COLUMNS]:
        end = line.rindex(', ', 0, COLUMNS) + 1
        yield line[:end]
        line = indent + line[end:].lstrip()
    yield line


def fold_definitions(_app, doctree):
    """kernel-doc defines a structure whose members are all private as empty, and has long lines."""
    for heading in list(doctree.findall(nodes.paragraph)):
        block = heading.next_node(descend=False, siblings=True)
        if heading.astext() != 'Definition:' or not isinstance(block, nodes.literal_block):
            continue
        text = block.astext()
        if text.endswith('{\n};'):
            heading.parent.remove(block)
            heading.parent.remove(heading)
        else:
            text = '\n'.join(new for line in text.split('\n') for new in folded(line))
            block.replace_self(nodes.literal_block(text, text, **block.attributes))


def drop_unnamed_members(_app, doctree):
    """kernel-doc lists "{unnamed_union}" as a member, whose own members follow anyway."""
    for item in list(doctree.findall(nodes.definition_list_item)):
        if item[0].astext() in ('{unnamed_union}', '{unnamed_struct}'):
            item.parent.remove(item)


def find_torn_rows(_app, doctree):
    """In a simple table every line whose first cell has text is a row, also one that is meant to continue."""
    for row in doctree.findall(nodes.row):
        cells = [cell.astext() for cell in row.findall(nodes.entry)]
        if len(cells) > 1 and cells[0] and not any(cells[1:]):
            logger.warning('a row has nothing but "%s": use a list-table', cells[0], location=row)


ERRNO = re.compile(r'(?<![\w-])-E[A-Z0-9]{2,}\b')


def mark_errnos(_app, doctree):
    """kernel-doc leaves "-EINVAL" as it is, which would be broken after its hyphen."""
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.paragraph) or not ERRNO.search(text):
            continue
        parts, end = [], 0
        for found in ERRNO.finditer(text):
            parts += [nodes.Text(text[end:found.start()]), nodes.literal(text=found.group())]
            end = found.end()
        text.parent.replace(text, parts + [nodes.Text(text[end:])])


SHORT = 24


def mark_short_names(_app, doctree):
    """A name that fits into a narrow window is not broken, nor a word of several; see _static/custom.css."""
    for name in doctree.findall(nodes.literal):
        words = name.astext().split()
        if max(map(len, words), default=0) <= SHORT:
            name['classes'].append('short' if len(words) == 1 else 'words')


LONG = 30


def mark_long_cells(_app, doctree):
    """A cell with a text keeps a readable width in a narrow window; see _static/custom.css.

    docutils puts a note into a cell that is only "--" or "\\", which could be a part of a heading.
    """
    for cell in doctree.findall(nodes.entry):
        shown = [part for part in cell.children if not isinstance(part, nodes.system_message)]
        if len('\n\n'.join(part.astext() for part in shown)) > LONG:
            cell['classes'].append('long')


SIZE = re.compile(r'(?:\d+ x )?\d+ (?:bits|bytes)')


def keep_sizes(_app, doctree):
    """A cell that is a size, such as "64 bits", is one line."""
    for cell in doctree.findall(nodes.entry):
        if SIZE.fullmatch(cell.astext()):
            for text in list(cell.findall(nodes.Text)):
                text.parent.replace(text, nodes.Text(text.replace(' ', '\N{NO-BREAK SPACE}')))


class Excerpt(SphinxDirective):
    """Definitions of a C file, by their first lines, as they are in the tree now.

    The argument is the file; each line of the content is what one definition begins with. It ends
    with its own line or with the first "}" at the beginning of a line. One that is not found is a warning, and so an
    error of the build: an excerpt cannot go stale.
    """
    has_content = True
    required_arguments = 1

    @staticmethod
    def declares(lines):
        """Whether these lines begin with a declaration: there is no body before its semicolon."""
        line = next((line for line in lines if '{' in line or line.endswith(';')), '')
        return '{' not in line

    def definition(self, lines, start):
        """The lines of the definition that begins with a text; without its comment."""
        for first, line in enumerate(lines):
            if line.startswith(start) and not self.declares(lines[first:]):
                if line.endswith('};'):
                    return [line]
                last = next((n for n in range(first, len(lines)) if lines[n].startswith('}')), None)
                if last is not None:
                    return lines[first:last + 1]
        raise self.error(f'{self.arguments[0]} has no definition that begins with "{start}"')

    def run(self):
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        with open(path, encoding='utf-8') as file:
            lines = file.read().split('\n')
        wanted = [self.definition(lines, start) for start in self.content if start]
        text = '\n\n'.join('\n'.join(found) for found in wanted).expandtabs(8)
        return [nodes.literal_block(text, text, language='c')]


def setup(app):
    app.add_directive('excerpt', Excerpt)
    app.connect('doctree-read', link_sections)
    app.connect('doctree-read', name_pages)
    app.connect('doctree-read', drop_empty_members)
    app.connect('doctree-read', drop_unnamed_members)
    app.connect('doctree-read', fold_definitions)
    app.connect('doctree-read', mark_errnos)
    app.connect('doctree-read', mark_short_names)
    app.connect('doctree-read', mark_long_cells)
    app.connect('doctree-read', keep_sizes)
    app.connect('doctree-read', find_torn_rows)
    return {'parallel_read_safe': True}
