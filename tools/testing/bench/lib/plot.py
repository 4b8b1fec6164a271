# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Draws the figures that a JSON file describes. Needs python3-matplotlib."""

import json
import sys

import matplotlib
matplotlib.use('svg')
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

# Placeholder for the colour of text and lines, which page.py replaces by the page's own.
INK = '#123456'
COLOURS = {'ib_mthca': '#b35c00', 'ib_tavor': '#1f78b4'}
OTHERS = ['#1f78b4', '#b35c00', '#33a02c', '#6a3d9a']

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
        axes.text(value, place, f' {value:.2f}', va='center', fontsize=8)
    axes.margins(y=0.01)
    axes.set_xlim(0, max(values + [1]) * 1.12)


def lines(axes, figure):
    """Named lines of points."""
    for number, (name, points) in enumerate(figure['lines'].items()):
        axes.plot(*zip(*points), marker='o', label=name, linewidth=2,
                  color=COLOURS.get(name, OTHERS[number % len(OTHERS)]))
    axes.legend()
    axes.grid(alpha=0.3)
    if figure.get('log_x'):
        axes.set_xscale('log', base=2)
    if figure.get('log_y'):
        axes.set_yscale('log')
    elif not figure.get('log_y'):
        axes.set_ylim(bottom=0)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        figures = json.load(file)
    for figure in figures:
        height = 1.2 + 0.22 * len(figure['bars']) if 'bars' in figure else 3.6
        drawn, axes = plt.subplots(figsize=(7.5, height))
        (bars if 'bars' in figure else lines)(axes, figure)
        axes.set_xlabel(figure['x'])
        axes.set_ylabel(figure.get('y', ''))
        drawn.tight_layout()
        drawn.savefig(figure['path'], metadata={'Date': None, 'Creator': None})
        plt.close(drawn)


if __name__ == '__main__':
    main()
