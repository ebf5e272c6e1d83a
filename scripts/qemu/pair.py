"""Two guests on one link, a server and a client: how they are made, and what both print in every lane."""

import os

import images
from guest import Qmp, qemu_command

ADDRESS = '10.0.2.1'
PORT = 7070
MACS = {'server': '52:54:00:00:00:01', 'client': '52:54:00:00:00:02'}
UP = ['guest-init: up']
STATE = r'dsoftbusd: state /dev/vda: new store, epoch \d+'
RECOVERED = r'dsoftbusd: state /dev/vda: recovered \d+ records up to \d+, epoch \d+.*'
NAMES = ('rw', 'eperm', 'oversize', 'unauthenticated', 'chunks', 'retry')
KEYS = '/state/shared/selftest/'


def ready(address, state=STATE):
    return UP + [state, f'dsoftbusd: listening on {address}:{PORT}', 'dsoftbusd: ready']


SERVED = 'dsoftbusd: remote statefs served'
SELFTEST = [f'SELFTEST: remote statefs {name} ok' for name in NAMES]
CLIENT_DONE = 'guest-init: selftest-client ended 0'
CLIENT_END = [CLIENT_DONE, 'guest-init: power off']


def daemon_step(address, more=''):
    return (f'start /bin/dsoftbusd --listen {address}:{PORT} --identity /etc/server.key --peers /etc/peers '
            f'--state /dev/vda --audit -{more}')


def client_step(identities, address, checks=' '.join(NAMES), more=''):
    """Its own patience is longer than that of a run, so that RUN_TIMEOUT alone decides what is too slow."""
    return (f"run /bin/selftest-client --connect {address}:{PORT} --server-key {identities.public['server']} --identity /etc/client.key "
            f'--stranger-identity /etc/stranger.key --patience 10m --timeout 30s{more} {checks}')


def selftest_changes(long_key_size=255):
    """The changes that the checks of the client make, in order: what the audit must hold, no more and no less."""
    changes = [('put', 'allow', 'OK', KEYS + 'rw'), ('del', 'allow', 'OK', KEYS + 'rw')]
    for key in ('/state/keystore/device', '/state/boot/slot', '/state/sharedx', '/state/shared'):
        changes += [('put', 'deny', 'ACCESS_DENIED', key), ('del', 'deny', 'ACCESS_DENIED', key)] * 2
    changes.append(('put', 'deny', 'INVALID_KEY', '/state/shared/../boot/slot'))
    changes.append(('put', 'deny', 'INVALID_KEY', '/state/shared/x%0aSELFTEST:%20remote%20statefs%20chunks%20ok'))
    changes.append(('put', 'allow', 'VALUE_TOO_LARGE', KEYS + 'oversize'))
    changes.append(('put', 'deny', 'KEY_TOO_LONG', (KEYS + 'k' * 256)[:255]))
    for key in (KEYS + 'oversize', (KEYS + 'k' * 256)[:long_key_size]):
        changes += [('put', 'allow', 'OK', key), ('del', 'allow', 'OK', key)]
    changes += [('put', 'allow', 'DIGEST_MISMATCH', KEYS + 'chunks'), ('put', 'allow', 'OK', KEYS + 'chunks'), ('del', 'allow', 'OK', KEYS + 'chunks')]
    changes += [('put', 'allow', 'OK', KEYS + 'retry')] * 9 + [('del', 'allow', 'OK', KEYS + 'retry')]
    return changes


class Pair:
    """The two guests of a run, with their disk, their link and their archives. `client` listens on the link, so that the server may go
    and come back."""

    def __init__(self, run, setting, client_steps, daemon_options='', disk_options=''):
        self.run = run
        self.setting = setting
        self.disk_options = disk_options
        self.server = run.guest('server', audits=True)
        self.client = run.guest('client')
        if run.stand_ins:
            return
        work = run.path('work')
        os.makedirs(work, exist_ok=True)
        identities = images.Identities(setting.programs_of('amd64'), work)
        self.disk = images.make_disk(run.path('state.img'))
        self.identities = identities
        self.daemon_options = daemon_options
        self.write_server()
        self.write_client(client_steps(identities))

    def write_client(self, steps):
        """What the client boots from."""
        setting, work = self.setting, self.run.path('work')
        steps = ['address eth0 10.0.2.2 24', *steps]
        archive = images.initial(setting.kernel('amd64'), setting.programs_of('amd64'), work, ['selftest-client'], steps)
        images.add_client(archive, self.identities)
        images.write_archive(archive, f'{work}/client.cpio')

    def write_server(self):
        """What the server boots from."""
        setting, work = self.setting, self.run.path('work')
        steps = [f'address eth0 {ADDRESS} 24', daemon_step(ADDRESS, self.daemon_options), 'serve']
        if setting.bend == 'silent':
            steps.remove(daemon_step(ADDRESS, self.daemon_options))
        archive = images.initial(setting.kernel(setting.server_arch), setting.programs_of(setting.server_arch), work, ['dsoftbusd'], steps)
        images.add_server(archive, self.identities, 'stranger' if setting.bend == 'stranger' else 'client')
        if setting.bend == 'panic':
            archive.remove('/init')
        images.write_archive(archive, f'{work}/server.cpio')

    def move_server(self, arch, checks):
        """Its disk and identity to a machine of another architecture, and other checks to the client; both have ended, and are to be booted."""
        if os.path.exists(f'{self.run.sockets}/link'):
            os.remove(f'{self.run.sockets}/link')
        self.setting.server_arch = arch
        self.write_server()
        self.write_client([client_step(self.identities, ADDRESS, checks)])

    def qmp(self, name):
        """The monitor of a guest; nothing where stand-ins have none."""
        return None if self.run.stand_ins else Qmp(f'{self.run.sockets}/{name}.qmp')

    def command(self, name, arch, **more):
        run = self.run
        boots = len(run.guests[name].boots)
        capture = run.path(f'{name}.pcap' if boots == 0 else f'{name}-{boots + 1}.pcap')  # qemu begins it anew
        link = (name == 'client', f'{run.sockets}/link', MACS[name], capture)
        return qemu_command(arch, self.setting.kernel(arch).image, run.path(f'work/{name}.cpio'), link=link, qmp=f'{run.sockets}/{name}.qmp', **more)

    def boot_client(self, due):
        self.run.boot(self.client, None if self.run.stand_ins else self.command('client', 'amd64'), UP + due)
        if not self.run.stand_ins:
            self.run.wait(lambda: os.path.exists(f'{self.run.sockets}/link'), 'link of the client')

    def boot_server(self, due):
        command = None
        if not self.run.stand_ins:
            command = self.command('server', self.setting.server_arch, disk=self.disk, disk_options=self.disk_options)
        self.run.boot(self.server, command, due)


class Single:
    """One guest with both programs, over its loopback."""

    def __init__(self, run, setting):
        self.run = run
        self.guest = run.guest('guest', audits=True)
        self.command = self.disk = None
        if run.stand_ins:
            return
        work = run.path('work')
        os.makedirs(work, exist_ok=True)
        identities = images.Identities(setting.programs_of('amd64'), work)
        steps = ['address lo 127.0.0.1 8', daemon_step('127.0.0.1'), client_step(identities, '127.0.0.1')]
        kernel = setting.kernel('amd64')
        archive = images.initial(kernel, setting.programs_of('amd64'), work, ['dsoftbusd', 'selftest-client'], steps)
        images.add_server(archive, identities, 'client')
        images.add_client(archive, identities)
        initrd = images.write_archive(archive, f'{work}/guest.cpio')
        self.disk = images.make_disk(run.path('state.img'))
        self.command = qemu_command('amd64', kernel.image, initrd, disk=self.disk)

    def boot(self, due):
        self.run.boot(self.guest, self.command, due)
