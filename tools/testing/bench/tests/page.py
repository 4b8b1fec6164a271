#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
#
# Tests the page, its figures and the summary that run --again creates from invented samples. By
# hand: run this script.
"""Prints TAP."""

import csv
import html.parser
import json
import os
import re
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True  # the tree may be read-only, and stays clean
# pylint: disable-next=wrong-import-position
import invented

VOID = {'meta', 'br', 'hr', 'img', 'link', 'input'}
FIRST, SECOND = '2026-01-02 03:04 UTC', '2026-05-06 07:08 UTC'
REASON = 'ib_tavor: status 1: <no device> & no end'


class Page(html.parser.HTMLParser):
    """The elements of a page, and what is wrong with their order."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.open, self.wrong = [], []
        self.found = []    # (tag, attributes)
        self.texts = {}    # tag -> its texts
        self.feed(text)
        self.close()
        self.wrong += [f'<{tag}> has no end' for tag in self.open]

    def handle_starttag(self, tag, attrs):
        if len(dict(attrs)) != len(attrs):
            self.wrong.append(f'<{tag}> has an attribute twice')
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f'</{tag}> at line {self.getpos()[0]}')

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, name):
        """All values of an attribute."""
        return [attrs[name] for _, attrs in self.found if name in attrs]


def outside(page):
    """What the page would load from, or link to, elsewhere."""
    links = [value for name in ('href', 'xlink:href', 'src', 'srcset', 'action', 'data')
             for value in page.all(name)]
    links += re.findall(r'url\(["\']?([^)"\']*)', page.text)
    return [link for link in links if not link.startswith('#')] + \
        re.findall(r'@import|<script|<iframe', page.text)


def of_page(result, page, scenarios, done):
    """Tests of the whole page."""
    result(done.returncode == 0, 'run --again exits with 0', done)
    result(not page.wrong and page.text.startswith('<!DOCTYPE html>'),
           f'each element has its end {page.wrong[:5]}')
    result(not outside(page), f'nothing comes from elsewhere {outside(page)[:5]}')
    ids = page.all('id')
    result(ids and len(ids) == len(set(ids)), 'no id is there twice')
    links = page.all('href') + page.all('xlink:href') + \
        [f'#{name}' for name in re.findall(r'url\(#([^)]*)\)', page.text)]
    missing = {link[1:] for link in links} - set(ids)
    result(links and not missing, f'each link has its target {sorted(missing)[:5]}')
    style = ''.join(page.texts['style'])
    result(re.search(r'@media \(prefers-color-scheme: dark\) \{ :root \{ --back: #', style) and
           'color-scheme: light dark' in style, 'there are colours for dark screens')
    result(('meta', {'name': 'viewport', 'content': 'width=device-width, initial-scale=1'}) in
           page.found, 'it fits a narrow screen')
    titles = [scenario.TITLE for scenario in scenarios.values()]
    result(page.texts['h2'] == ['Targets', *titles], f'each scenario has its title: {titles}')
    result(set(titles) < set(page.texts['a']), 'and is in the list of parts')
    result('req_notify_cq, instructions' in page.text and 'no value' in page.text and
           'no value  req_notify_cq, instructions: not measurable here' in done.stdout,
           'a target without a value is named')


def of_figures(result, page, folder):
    """Tests of the figures."""
    with open(os.path.join(folder, 'figures.json'), encoding='utf-8') as file:
        wanted = json.load(file)
    drawn = re.findall(r'<figure>(.*?)</figure>', page.text, re.S)
    result(len(drawn) == len(wanted) == 4 and all(one.count('<svg ') == 1 for one in drawn),
           f'one SVG for each of {len(wanted)} figures')
    result(page.texts['figcaption'] == [figure['title'] for figure in wanted],
           'each has its title')
    svgs = [re.search(r'<svg .*</svg>', one, re.S)[0] for one in drawn]
    good = all(xml.etree.ElementTree.fromstring(svg) is not None for svg in svgs)
    result(good, 'each is well-formed XML')
    result(all('currentColor' in svg and '#123456' not in svg for svg in svgs),
           'their text and lines have the colour of the page')
    text = ' '.join(svgs)
    result(all(name in text for name in ('kernel: create_cq', 'softirq, ib_tavor', ' 0.90<')),
           'they have the names and ratios of the cases')
    result(len({re.search(r'aria-label="([^"]*)"', svg)[1] for svg in svgs}) == len(svgs),
           'each has a text for those who do not see it')


def of_origins(result, page, folder):
    """Tests of what is said of when the samples were measured."""
    sentence = f'Measured {FIRST} at commit c0ffee, kernel 6.12.34-test, quick set, in 2:05 minutes.'
    result(page.text.count(sentence) == 6, 'each scenario says when, commit, kernel, set and time')
    result('One run at commit c0ffee, kernel 6.12.34-test, quick set.' in page.text,
           'the page says that it was one run')
    with open(os.path.join(folder, 'summary.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    result(rows and all((row['measured'], row['commit'], row['kernel'], row['set'], row['seconds'])
                        == (FIRST, 'c0ffee', '6.12.34-test', 'quick', '125') for row in rows),
           'summary.csv says the same')
    result({row['scenario'] for row in rows} ==
           {'end_to_end', 'data_path', 'engine', 'life', 'connect', 'memory'},
           'summary.csv has each scenario')


def second_run(samples):
    """A change: only life is measured, later, and not to its end."""
    for scenario in list(samples.origins):
        if scenario != 'life':
            del samples.origins[scenario]
    samples.origins['life'].failed = REASON
    samples.origins['life'].quick = False


def shown(folder, *names):
    """The page of run --again, and what run printed."""
    done = invented.bench('--again', '--out', folder, *names)
    with open(os.path.join(folder, 'report.html'), encoding='utf-8') as file:
        return Page(file.read()), done


def several_runs(result, folder, scenarios):
    """Tests of a page with the samples of two runs, and of some of which nothing is known."""
    invented.write(folder, second_run, SECOND)
    page, done = shown(folder, 'life')
    result(page.texts['h2'] == ['Targets', *(scenario.TITLE for scenario in scenarios.values())],
           'a run of one scenario leaves the others on the page', done)
    result('measured in several runs' in page.text and 'One run' not in page.text,
           'the page says that there were several')
    result(page.text.count(f'Measured {FIRST}') == 5 and page.text.count(
        f'Measured {SECOND} at commit c0ffee, kernel 6.12.34-test, full set') == 1,
           'each scenario says when it was')
    result(REASON not in page.text and not page.wrong and REASON in ''.join(page.texts['p']),
           'the page says why not all was measured')
    result(done.returncode == 1 and f'Measured {SECOND}' in done.stdout and
           f'Measured {FIRST}' not in done.stdout, 'so does the status, and the terminal has the '
           'named scenario only', done)
    path = os.path.join(folder, 'engine.csv')
    with open(path, encoding='utf-8') as file:
        lines = file.readlines()
    with open(path, 'w', encoding='utf-8') as file:
        file.writelines(lines[1:])
    page, done = shown(folder, 'engine')
    result(page.text.count('It is not known when this was measured') == 1 and
           'no deadlines, depth 64, instructions' in page.texts['td'],
           'samples without a first line are shown, and that it is not known when', done)


def main():
    result = invented.Results()
    names = ('end_to_end', 'data_path', 'engine', 'life', 'connect', 'memory')
    scenarios = {name: __import__(f'scenarios.{name}', fromlist=['']) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        invented.write(folder)
        page, done = shown(folder)
        of_page(result, page, scenarios, done)
        of_figures(result, page, folder)
        of_origins(result, page, folder)
        several_runs(result, folder, scenarios)
    return result.status()


if __name__ == '__main__':
    sys.exit(main())
