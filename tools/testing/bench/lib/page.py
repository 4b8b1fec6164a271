# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Writes an HTML page with all results, and its figures."""

import html
import json
import os
import re
import subprocess

from lib import guest, origin, report
from lib.samples import INSTRUCTIONS, KINDS

INK = '#123456'    # plot.py has the same
STYLE = """
:root { color-scheme: light dark; --back: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --good: #1a7f37; --bad: #b35900; }
@media (prefers-color-scheme: dark) { :root { --back: #0f1318; --ink: #e6edf3; --soft: #9aa4af;
  --line: #30363d; --good: #56d364; --bad: #f0a04b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; display: inline-block; } a { color: inherit; }
p.soft, td.soft, figcaption { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child, .text { text-align: left; white-space: normal; }
th:first-child, td:first-child { min-width: 11rem; }
.narrow { white-space: normal; } td.group { padding-top: .8rem; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { width: 100%; height: auto; min-width: 20rem; max-width: 38rem; }
summary { cursor: pointer; padding: .3rem 0; }
@media (max-width: 40rem) { th, td { padding: .2rem .3rem; }
  th:first-child, td:first-child { min-width: 8rem; overflow-wrap: anywhere; } }
"""


def escape(text):
    return html.escape(str(text))


def figures(samples, scenarios):
    """Descriptions for plot.py: the scenario's own figures, or ratios of instructions."""
    for name, scenario in scenarios.items():
        if hasattr(scenario, 'figures'):
            yield from ((name, figure) for figure in scenario.figures(samples))
            continue
        ratios = [(case, ratio) for case, _, kind, _, _, ratio in report.rows(samples, name)
                  if kind == INSTRUCTIONS and ratio is not None]
        if ratios:
            yield name, {'bars': ratios, 'title': f'{scenario.TITLE}: instructions, ib_tavor to ib_mthca',
                         'x': 'ib_tavor / ib_mthca; less is better'}


def draw(samples, scenarios, out):
    """name -> [(title, SVG)]"""
    drawn, number_of = {}, {}
    described = list(figures(samples, scenarios))
    for name, figure in described:
        number_of[name] = number_of.get(name, 0) + 1
        figure['path'] = os.path.join(out, f'{name}-{number_of[name]}.svg')
    plan = os.path.join(out, 'figures.json')
    with open(plan, 'w', encoding='utf-8') as file:
        json.dump([figure for _, figure in described], file)
    if described:
        subprocess.run([os.path.join(guest.BENCH, 'lib/plot'), plan], check=True)
    for name, figure in described:
        with open(figure['path'], encoding='utf-8') as file:
            svg = file.read().replace(INK, 'currentColor')
        svg = re.sub(r'^.*?<svg', '<svg', svg, flags=re.S)
        # An id must be unique in the page, not only in its figure.
        prefix = os.path.basename(figure['path'])[:-4]
        svg = re.sub(r'(id="|url\(#|href="#)', rf'\g<1>{prefix}-', svg)
        svg = re.sub(r'<svg ', f'<svg role="img" aria-label="{escape(figure["title"])}" ', svg, 1)
        drawn.setdefault(name, []).append((figure['title'], svg))
    return drawn


def table(head, lines):
    """A table of rows of cells; a cell is text or (text, class). A row of one is as wide as all."""
    def row(tag, line):
        span = f' colspan="{len(head)}"' if len(line) == 1 else ''
        for value in line:
            text, kind = value if isinstance(value, tuple) else (value, '')
            of = f' class="{kind}"' if kind else ''
            yield f'<{tag}{of}{span}>{escape(text)}</{tag}>'
    yield f'<div class="wide"><table><thead><tr>{"".join(row("th", head))}</tr></thead><tbody>'
    for line in lines:
        yield f'<tr>{"".join(row("td", line))}</tr>'
    yield '</tbody></table></div>'


def cells(case, metric, kind, theirs, ours, ratio):
    """A row of the long table."""
    sides = [report.number(value) for side in (theirs, ours)
             for value in ((side.median, side.p99) if side else (None, None))]
    return [f'{case}, {metric}', *sides, (ours or theirs).number,
            '' if ratio is None else f'{ratio:.2f}', (KINDS[kind], 'text')]


def scenario_part(samples, name, scenario, drawn):
    """The part of the page about one scenario."""
    lines = [cells(*row) for row in report.rows(samples, name)]
    shown = getattr(scenario, 'SHOWN', ())
    main = [line for line, row in zip(lines, report.rows(samples, name))
            if row[2] == INSTRUCTIONS or row[2] == 'rate' or row[1] in shown]
    head = ['', 'ib_mthca', 'p99', 'ib_tavor', 'p99', 'rounds', 'ratio', ('kind', 'text')]
    yield f'<h2 id="{name}">{escape(scenario.TITLE)}</h2><p>{escape(scenario.TEXT)}</p>'
    of = samples.origins[name]
    yield f'<p class="soft">{escape(of.text())} What limits it: {escape(scenario.LIMIT)}.</p>'
    if of.failed:
        yield f'<p class="bad">Not all was measured: {escape(of.failed)}</p>'
    for title, svg in drawn.get(name, ()):
        yield f'<figure>{svg}<figcaption>{escape(title)}</figcaption></figure>'
    yield from table(head, main)
    if len(main) < len(lines):
        yield '<details><summary>All counts</summary>'
        yield from table(head, lines)
        yield '</details>'
    for (of, case, metric), why in samples.unmeasured.items():
        if of == name:
            yield (f'<p class="soft">{escape(case)}, {escape(metric)}: not measurable here '
                   f'({escape(why)}).</p>')


def verdict(value, met):
    """The last two cells of a target."""
    if value is None:
        return 'not measurable here', ('no value', 'bad')
    return report.number(round(value, 3)), ('met', 'good') if met else ('missed', 'bad')


def targets_part(samples, scenarios, targets):
    """The targets, and the values reached, by scenario."""
    reached = list(report.targets_of(samples, targets))
    lines = []
    for name, scenario in scenarios.items():
        of = [[f'{target.case}, {target.metric}', (target.wanted(), 'narrow'),
               *verdict(value, met)]
              for target, value, met in reached if target.scenario == name]
        lines += [[(scenario.TITLE, 'group')], *of] if of else []
    yield '<h2 id="targets">Targets</h2>'
    yield from table(['what', 'wanted', 'reached', ''], lines)


def beginning(samples, scenarios):
    """The beginning of the page, up to the list of its parts."""
    yield ('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
           '<meta name="viewport" content="width=device-width, initial-scale=1">')
    yield f'<title>ib_mthca and ib_tavor, measured</title><style>{STYLE}</style></head><body>'
    yield '<h1>ib_mthca and ib_tavor, measured side by side</h1>'
    yield (f'<p>{escape(origin.said([samples.origins[name] for name in scenarios]))} Both drivers '
           'ran on one machine, with the same model of the HCA below.</p>')
    yield ('<p>A ratio is ib_tavor\'s median to ib_mthca\'s, of instructions that of the lower '
           'quartiles, of one run. Every number is an exact count, a count of guest instructions, '
           'or a rate where the latency of the modelled HCA dominates. Where a cell is none of '
           'these there is no number.</p>')
    yield '<nav><a href="#targets">Targets</a>'
    yield from (f'<a href="#{name}">{escape(scenario.TITLE)}</a>'
                for name, scenario in scenarios.items())
    yield '</nav>'
    for name, scenario in scenarios.items():
        if samples.origins[name].failed:
            yield (f'<p class="bad"><a href="#{name}">{escape(scenario.TITLE)}</a>: not all was '
                   'measured.</p>')


def write(samples, scenarios, targets, out):
    """Writes the page and returns its path."""
    drawn = draw(samples, scenarios, out)
    parts = list(beginning(samples, scenarios))
    parts.extend(targets_part(samples, scenarios, targets))
    for name, scenario in scenarios.items():
        parts.extend(scenario_part(samples, name, scenario, drawn))
    parts.append('</body></html>')
    path = os.path.join(out, 'report.html')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(parts) + '\n')
    return path
