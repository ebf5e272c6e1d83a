"""A guest: one process, qemu or a stand-in, whose standard output is a console and whose standard input it reads."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time

from console import Console
from kinds import Failed

# A host that is busy may not run a guest for half a minute; its kernel is not to call that a lockup, whose report reads like a panic.
PATIENT = 'quiet panic=-1 nowatchdog nosoftlockup rcupdate.rcu_cpu_stall_suppress=1'
# What differs between the machines; the rest of the command is the same.
MACHINES = {
    'amd64': dict(program='qemu-system-x86_64', machine=['-M', 'q35', '-cpu', 'max'], bus='pci',
                  arguments=f'console=ttyS0 {PATIENT} mitigations=off'),
    'arm64': dict(program='qemu-system-aarch64', machine=['-M', 'virt', '-cpu', 'cortex-a57'], bus='pci',
                  arguments=f'console=ttyAMA0 {PATIENT} mitigations=off'),
    # The emulated s390x has no source of randomness of its own, and its kernel would wait for one for minutes.
    's390x': dict(program='qemu-system-s390x', machine=['-M', 's390-ccw-virtio', '-cpu', 'qemu', '-object', 'rng-builtin,id=rng0',
                                                        '-device', 'virtio-rng-ccw,rng=rng0'], bus='ccw',
                  arguments=f'console=ttysclp0 {PATIENT}'),
}
PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def qemu_command(arch, kernel, initrd, disk=None, disk_options='', link=None, qmp=None):
    """`link`: (listens, path of a unix socket, MAC, capture file)."""
    machine = MACHINES[arch]
    command = [machine['program'], '-accel', 'tcg', *machine['machine'], '-smp', '1', '-m', '256', '-nodefaults', '-display', 'none',
               '-no-reboot', '-serial', 'stdio', '-kernel', kernel, '-initrd', initrd, '-append', machine['arguments']]
    if disk:
        command += ['-drive', f'file={disk},if=none,id=disk0,format=raw{disk_options}', '-device', f"virtio-blk-{machine['bus']},drive=disk0"]
    if link:
        listens, path, mac, capture = link
        command += ['-netdev', f"stream,id=net0,server={'on' if listens else 'off'},addr.type=unix,addr.path={path}",
                    '-device', f"virtio-net-{machine['bus']},netdev=net0,mac={mac}",
                    '-object', f'filter-dump,id=dump0,netdev=net0,file={capture}']
    if qmp:
        command += ['-qmp', f'unix:{qmp},server=on,wait=off']
    return command


class Guest:
    def __init__(self, name, folder, audits=False):
        self.name = name
        self.folder = folder
        self.audits = audits
        self.console = Console(name, audits)
        self.process = None
        self.boots = []
        self.earlier_audit = []  # audit lines of earlier boots
        self.ended = False       # the process is gone and its console was read to the end
        self.may_end = False     # and that is what should happen

    def start(self, command, environment=None):
        """A new boot: the lists of the console begin anew, its file goes on."""
        self.earlier_audit += self.console.audit
        self.console = Console(self.name, self.audits)
        self.ended = self.may_end = False
        self.log = open(os.path.join(self.folder, f'{self.name}.console'), 'ab', buffering=0)
        with open(os.path.join(self.folder, f'{self.name}.stderr'), 'ab') as errors:
            try:
                self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                                env=environment, preexec_fn=_die_with_parent, start_new_session=True)
            except OSError as error:
                raise Failed('build', f'{self.name}: cannot start {command[0]}: {error}')
        self.boots.append({'guest': self.name, 'pid': self.process.pid, 'command': command, 'started': time.time()})

    def say(self, line):
        try:
            self.process.stdin.write(line.encode() + b'\n')
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended; that is found where its console ends

    def kill(self):
        """A power cut: the process is gone when this returns. Its group too: a stand-in is a script."""
        if self.process is None:
            return
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        self.log.close()
        self.process = None


class Qmp:
    """One command at a time to the monitor of a guest."""

    def __init__(self, path, patience=10):
        until = time.monotonic() + patience
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience)
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise Failed('boot', f'no monitor at {path}: {error}')
                time.sleep(0.05)
        self.file = self.socket.makefile('rw')
        self.file.readline()
        self.run('qmp_capabilities')

    def run(self, command, **arguments):
        self.file.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise Failed('boot', f'the monitor ended before it answered {command}')
            answer = json.loads(line)
            if 'error' in answer:
                raise Failed('boot', f"the monitor refused {command}: {answer['error'].get('desc')}")
            if 'return' in answer:
                return answer['return']
