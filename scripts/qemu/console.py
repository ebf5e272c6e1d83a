"""The console of a guest: whole lines, and which of them are markers, in which order they must come.

A marker is a whole line that begins with the name of a program of this tree. Each guest has a list of those that it prints, in
their order; a marker that is not the next of its guest's list ends the lane, whatever it says and whoever wrote it. What stands
inside a line, as in a key, is never a marker. Audit lines may come between any two markers; audit.py judges them.
"""

import re

from kinds import Failed, STATUSES

PROGRAMS = ('dsoftbusd: ', 'SELFTEST: ', 'guest-init: ', 'selftest-client: ')
AUDIT = 'dsoftbusd: audit '
# The console is slow for now. It is none of the failures: every record has to come all the same.
SLOW = re.compile(r'dsoftbusd: audit -: cannot be written \(it takes no more bytes\): .*')
PANIC = re.compile(r'Kernel panic|\bOops\b|BUG: |Call Trace:|segfault at|Out of memory|I/O error')
FAILED = re.compile(r'SELFTEST: (?P<name>.*?) fail (?P<kind>[a-z-]+): (?P<reason>.*)')


class Console:
    """Turns bytes into lines, keeps those of each sort, and holds the markers against the list of those that are due."""

    def __init__(self, name, audits=False):
        self.name = name
        self.audits = audits   # whether a daemon runs here
        self.partial = b''
        self.due = []          # patterns of the markers to come, in order
        self.seen = []         # the markers that came
        self.audit = []        # audit lines
        self.slow_count = 0    # how often the daemon said that the console takes nothing

    def expect(self, patterns):
        self.due += patterns

    def lines_of(self, data):
        """The whole lines that are complete with this data."""
        whole = (self.partial + data).split(b'\n')
        self.partial = whole.pop()
        if len(self.partial) > 1 << 16:
            raise Failed('markers', f'{self.name}: a line of more than 64 KiB')
        return [line.decode('utf-8', 'backslashreplace').rstrip('\r') for line in whole]

    def take(self, line, elsewhere=()):
        """Judges a line; True where it is the marker that was due. `elsewhere`: the other consoles."""
        if self.audits and SLOW.fullmatch(line):
            self.slow_count += 1
            return False
        if line.startswith(AUDIT):
            if not self.audits:
                raise Failed('forged', f'{self.name}: an audit line on a console without a daemon: {line}')
            self.audit.append(line)
            return False
        if not line.startswith(PROGRAMS):
            if PANIC.search(line):
                raise Failed('boot', f'{self.name}: {line.strip()}')
            return False
        if self.due and re.fullmatch(self.due[0], line):
            self.seen.append(line)
            self.due.pop(0)
            return True
        raise self.wrong(line, elsewhere)

    def wrong(self, line, elsewhere):
        failed = FAILED.fullmatch(line)
        if failed:
            kind = failed['kind'] if failed['kind'] in STATUSES else 'operation'
            return Failed(kind, f'{self.name}: {line}')
        if line.startswith('guest-init: fail'):
            return Failed('boot', f'{self.name}: {line}')
        if line.startswith('dsoftbusd: state '):
            return Failed('persistence', f'{self.name}: {line}')
        kind = 'markers'
        due = self.due[0] if self.due else 'nothing more'
        if line in self.seen:
            what = 'came twice'
        elif any(re.fullmatch(pattern, line) for pattern in self.due):
            what = 'came before its turn'
        elif any(re.fullmatch(pattern, line) for console in elsewhere for pattern in console.due + list(map(re.escape, console.seen))):
            kind, what = 'forged', 'is forged: it is a marker of another console'
        else:
            what = 'is none that is known'
        return Failed(kind, f'{self.name}: a line {what} (due: {due}): {line}')
