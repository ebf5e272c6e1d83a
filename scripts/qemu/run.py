"""A run of one lane: its folder, its guests, the loop that reads their consoles, and what is written down of it."""

import json
import os
import selectors
import shutil
import subprocess
import tempfile
import time

from guest import Guest
from kinds import Failed, STATUSES


STOPPED = ['dsoftbusd: stopping', 'dsoftbusd: stopped', 'guest-init: dsoftbusd ended 0', 'guest-init: power off']


class Run:
    def __init__(self, lane, folder, timeout, until_marker=False, stand_ins=None, out=print):
        self.lane = lane
        self.folder = folder
        self.timeout = timeout            # seconds of one boot
        self.until_marker = until_marker  # the run ends with the last marker of its client
        self.stand_ins = stand_ins        # a folder of programs that stand in for guests, for the tests of the lanes
        self.out = out
        self.guests = {}
        self.markers = []
        self.figures = {}                 # what a lane found out, for summary.json
        self.started = time.monotonic()
        self.deadline = None
        os.makedirs(folder, exist_ok=True)
        self.sockets = tempfile.mkdtemp(prefix='statefs-qemu-')  # a path of a unix socket has 108 bytes at most
        self.selector = selectors.DefaultSelector()

    def guest(self, name, audits=False):
        self.guests[name] = Guest(name, self.folder, audits)
        return self.guests[name]

    def path(self, name):
        return os.path.join(self.folder, name)

    def boot(self, guest, command, due):
        """Starts it; everything that follows must be done within the timeout."""
        if self.stand_ins:
            command = [os.path.join(self.stand_ins, guest.name)]
        guest.start(command, dict(os.environ, RUN_FOLDER=os.path.abspath(self.folder)))
        guest.console.expect(due)
        os.set_blocking(guest.process.stdout.fileno(), False)
        self.selector.register(guest.process.stdout, selectors.EVENT_READ, guest)
        self.renew_deadline()

    def renew_deadline(self):
        self.deadline = time.monotonic() + self.timeout

    def cut_power(self, guest):
        if guest.process is None:
            return
        if not guest.ended:
            self.selector.unregister(guest.process.stdout)
        guest.kill()

    def wait(self, is_done, what):
        """Reads consoles until `is_done()`; `what` says to a person what did not happen."""
        if not self.wait_until(is_done, self.deadline):
            due = ''.join(f"; {guest.name} has not said '{guest.console.due[0]}'"
                          for guest in self.guests.values() if guest.process and not guest.ended and guest.console.due)
            raise Failed('timeout', f'no {what} within {self.timeout:g} s{due}')

    def wait_until(self, is_done, deadline):
        """Reads consoles until `is_done()`, or until the deadline has passed and it is not."""
        while not is_done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(min(left, 1)):
                self.read(key.data)
        return True

    def wait_marker(self, guest, count_left=0):
        """Until at most `count_left` markers of the guest are due."""
        self.wait(lambda: len(guest.console.due) <= count_left, f'end of what {guest.name} has to say')

    def pause(self, seconds):
        self.wait_until(lambda: False, time.monotonic() + seconds)

    def read(self, guest):
        data = guest.process.stdout.read(1 << 16)
        if data is None:
            return
        if not data:
            guest.ended = True
            self.selector.unregister(guest.process.stdout)
            try:
                status = guest.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                raise Failed('boot', f'{guest.name}: closed its console and did not end')
            if not guest.may_end:
                due = guest.console.due[0] if guest.console.due else 'to be told to stop'
                raise Failed('boot', f'{guest.name}: ended with status {status} (due: {due})')
            if status != 0:
                raise Failed('boot', f'{guest.name}: ended with status {status}')
            return
        guest.log.write(data)
        elsewhere = [other.console for other in self.guests.values() if other is not guest]
        for line in guest.console.lines_of(data):
            if guest.console.take(line, elsewhere):
                self.note(guest.name, line)
                guest.may_end = guest.may_end or line == 'guest-init: power off'

    def note(self, guest, line):
        seconds = time.monotonic() - self.started
        self.markers.append({'seconds': round(seconds, 3), 'guest': guest, 'line': line})
        self.out(f'{seconds:8.2f} s  {guest:8}  {line}', flush=True)

    def stop(self, guest):
        """Has its init end what it started, and waits for it to power off."""
        guest.console.expect(STOPPED)
        guest.say('stop')
        self.wait_end(guest)

    def wait_end(self, guest):
        guest.may_end = True
        self.wait(lambda: guest.ended, f'power-off of {guest.name}')
        if guest.console.due:
            raise Failed('boot', f'{guest.name}: ended before it printed: {guest.console.due[0]}')

    def close(self):
        """No guest is left running, whatever happened."""
        for guest in self.guests.values():
            guest.kill()
        self.selector.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def write_summary(self, kind, reason):
        boots = [boot for guest in self.guests.values() for boot in guest.boots]
        summary = {
            'lane': self.lane,
            'verdict': 'ok' if kind == 'ok' else 'failed',
            'kind': kind,
            'status': STATUSES[kind],
            'reason': reason,
            'seconds': round(time.monotonic() - self.started, 3),
            'timeout_seconds': self.timeout,
            'until_marker': self.until_marker,
            'markers': self.markers,
            'audit_records': {guest.name: len(guest.earlier_audit + guest.console.audit) for guest in self.guests.values() if guest.audits},
            'slow_console': {guest.name: guest.console.slow_count for guest in self.guests.values() if guest.audits},
            'figures': self.figures,
            'boots': boots,
        }
        with open(self.path('summary.json'), 'w') as file:
            json.dump(summary, file, indent=1)
            file.write('\n')
