# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Lists the files of the tree for the static checks in Python; files.sh does for the others."""

import os
import subprocess

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../..'))


def tree_files():
    """The files that are tracked, or new and not ignored; relative to the tree."""
    out = subprocess.run(['git', '-c', f'safe.directory={TREE}', 'ls-files', '--cached', '--others',
                          '--exclude-standard'], cwd=TREE, check=True, capture_output=True, text=True)
    # Planted mistakes, which a check must find, break rules on purpose.
    return sorted(path for path in set(out.stdout.split('\n'))
                  if os.path.isfile(os.path.join(TREE, path)) and '/fixtures/' not in path)
