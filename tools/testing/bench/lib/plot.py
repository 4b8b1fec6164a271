# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Draws the figures that a JSON file describes. Needs python3-matplotlib."""

import json
import sys

import matplotlib
matplotlib.use('svg')
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

# Placeholder for the colour of text and lines, which page.py replaces by the page's own.
INK = '#123456'
COLOURS = {'ib_mthca': '#c46a10', 'ib_tavor': '#2b86c9'}
# Lines of one driver differ in these.
MARKS = [('o', '-'), ('s', '--'), ('^', ':'), ('D', '-.')]

plt.rcParams.update({
    'svg.fonttype': 'none', 'svg.hashsalt': 'bench', 'font.family': 'sans-serif', 'font.size': 10,
    'text.color': INK, 'axes.edgecolor': INK, 'axes.labelcolor': INK, 'xtick.color': INK,
    'ytick.color': INK, 'axes.spines.top': False, 'axes.spines.right': False,
    'figure.facecolor': 'none', 'axes.facecolor': 'none', 'legend.frameon': False,
})


def bars(axes, figure):
    """Ratios relative to 1, as horizontal bars."""
    names = [name for name, _ in figure['bars']][::-1]
    values = [value for _, value in figure['bars']][::-1]
    axes.barh(names, values, color=[COLOURS['ib_tavor'] if value <= 1 else COLOURS['ib_mthca']
                                    for value in values], height=0.7)
    axes.axvline(1, color=INK, linewidth=1)
    for place, value in enumerate(values):
        # To the right of the line at 1, which would cross it.
        axes.text(max(value, 1), place, f' {value:.2f}', va='center', fontsize=8)
    axes.margins(y=0.01)
    axes.set_xlim(0, max(values + [1]) * 1.12)


def lines(axes, figure):
    """Lines of points, named "DRIVER" or "CLIENT, DRIVER"."""
    clients = list(dict.fromkeys(name.rpartition(', ')[0] for name in figure['lines']))
    for name, points in figure['lines'].items():
        client, _, driver = name.rpartition(', ')
        marker, style = MARKS[clients.index(client) % len(MARKS)]
        axes.plot(*zip(*points), marker=marker, linestyle=style, label=name, linewidth=2,
                  color=COLOURS[driver])
    axes.figure.legend(loc='outside lower center', ncols=2)
    axes.grid(alpha=0.3)
    if figure.get('log_x'):
        axes.set_xscale('log', base=2)
        axes.set_xticks(sorted({x for points in figure['lines'].values() for x, _ in points}))
        axes.xaxis.set_major_formatter('{x:g}')
    if figure.get('log_y'):
        axes.set_yscale('log')
        values = [y for points in figure['lines'].values() for _, y in points]
        ticks = [step * 10.0 ** power for power in range(-3, 7) for step in (1, 2, 5)]
        axes.set_ylim(max(tick for tick in ticks if tick <= min(values)),
                      min(tick for tick in ticks if tick > max(values)))
        low, high = axes.get_ylim()
        axes.set_yticks([tick for tick in ticks if low <= tick <= high])
        axes.yaxis.set_major_formatter('{x:g}')
        axes.minorticks_off()
    else:
        axes.set_ylim(bottom=0)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        figures = json.load(file)
    for figure in figures:
        height = 1.2 + 0.22 * len(figure['bars']) if 'bars' in figure else 3.8
        drawn, axes = plt.subplots(figsize=(5.4, height), layout='constrained')
        (bars if 'bars' in figure else lines)(axes, figure)
        axes.set_xlabel(figure['x'])
        axes.set_ylabel(figure.get('y', ''))
        drawn.savefig(figure['path'], metadata={'Date': None, 'Creator': None})
        plt.close(drawn)


if __name__ == '__main__':
    main()
