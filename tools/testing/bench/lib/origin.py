# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
"""Where samples come from: commit, time, kernel. The first line of their CSV has it."""

import dataclasses
import json
import subprocess
import time

from lib import guest

MARK = '# '
CELLS = ['measured', 'commit', 'kernel', 'set', 'seconds']


@dataclasses.dataclass
class Origin:
    """What is known of one scenario's samples."""
    run: str = ''    # when the run began that measured it, perhaps with others
    date: str = ''
    commit: str = ''
    kernel: str = ''
    quick: bool = False
    seconds: int = 0
    failed: str = ''    # why not all was measured

    def line(self):
        """The line of the CSV."""
        return f'{MARK}{json.dumps(dataclasses.asdict(self))}\n'

    def which(self):
        """The set: quick or full."""
        return 'quick' if self.quick else 'full'

    def cells(self):
        """For summary.csv, in the order of CELLS."""
        return ([self.date, self.commit, self.kernel, self.which(), self.seconds] if self.date else
                [''] * len(CELLS))

    def text(self):
        """A sentence."""
        if not self.date:
            return 'It is not known when this was measured, and at which commit.'
        return (f'Measured {self.date} at commit {self.commit}, kernel {self.kernel}, '
                f'{self.which()} set, in {self.seconds // 60}:{self.seconds % 60:02} minutes.')


def read(line):
    """An Origin from the first line of a CSV, which may have none."""
    if not line.startswith(MARK):
        return Origin()
    found = json.loads(line.removeprefix(MARK))
    known = {field.name for field in dataclasses.fields(Origin)}
    return Origin(**{name: value for name, value in found.items() if name in known})


def now():
    """The time as text."""
    return time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())


def commit():
    """The tree's commit, with a + if files have changed since."""
    done = subprocess.run(['git', '-C', guest.TREE, '-c', f'safe.directory={guest.TREE}', 'describe',
                           '--always', '--exclude=*', '--dirty=+'], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or 'unknown'


def said(origins):
    """Sentences about all of them: one run, or several."""
    runs = {(origin.run, origin.commit, origin.kernel, origin.quick) for origin in origins}
    if len(runs) > 1:
        return ('The scenarios were measured in several runs. Each says when, and at which commit '
                'of the tree.')
    first = origins[0]
    if not first.date:
        return first.text()
    return f'One run at commit {first.commit}, kernel {first.kernel}, {first.which()} set.'
