# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Which files the tree has, for the static checks that are written in Python; files.sh for others."""

import os
import subprocess

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../..'))


def tree_files():
    """Tracked, or new and not ignored; relative to the tree."""
    out = subprocess.run(['git', '-c', f'safe.directory={TREE}', 'ls-files', '--cached', '--others',
                          '--exclude-standard'], cwd=TREE, check=True, capture_output=True, text=True)
    # What was planted for a check to find breaks rules on purpose.
    return sorted(path for path in set(out.stdout.split('\n'))
                  if os.path.isfile(os.path.join(TREE, path)) and '/fixtures/' not in path)
