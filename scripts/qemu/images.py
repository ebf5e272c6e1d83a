"""What guests boot from: the stripped programs of a build, modules of a kernel, identities, and the steps of their init."""

import glob
import os
import subprocess

from initramfs import Initramfs
from kinds import Failed

# In the order in which they depend on each other. What a kernel has built in, or has not at all, it has no file of.
MODULES = ['virtio_ring', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio', 'virtio_pci', 'virtio_ccw', 'virtio_blk', 'failover',
           'net_failover', 'virtio_net', 'rng_core', 'virtio_rng']


class Kernel:
    def __init__(self, folder):
        """A Debian package of a kernel, unpacked."""
        images = glob.glob(f'{folder}/boot/vmlinu[xz]-*')
        if len(images) != 1:
            raise Failed('build', f'no kernel in {folder}')
        self.image = images[0]
        self.modules = {}
        for path in glob.glob(f'{folder}/lib/modules/**/*.ko', recursive=True):
            self.modules[os.path.basename(path)[:-3].replace('-', '_')] = path

    def add_modules(self, initramfs):
        """The files, and the steps that load them."""
        steps = []
        for name in MODULES:
            if name in self.modules:
                initramfs.add_file(f'/modules/{name}.ko', self.modules[name])
                steps.append(f'module /modules/{name}.ko')
        return steps


class Programs:
    def __init__(self, folder, strip='strip'):
        self.folder = folder
        self.strip = strip

    def path(self, name):
        path = os.path.join(self.folder, name)
        if not os.access(path, os.X_OK):
            raise Failed('build', f'no program {path}')
        return path

    def stripped(self, name, work):
        out = os.path.join(work, f'{name}.{os.path.basename(os.path.dirname(self.folder))}')
        run([self.strip, '-s', '-o', out, self.path(name)])
        return out


def run(command, kind='build'):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(kind, f"{command[0]} ended with status {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


class Identities:
    """Keys of a server, its client, and a stranger; made by `statefs keygen`, new for each run."""

    def __init__(self, programs, work):
        self.public = {}
        self.paths = {}
        for name in ('server', 'client', 'stranger'):
            self.paths[name] = os.path.join(work, f'{name}.key')
            if os.path.exists(self.paths[name]):
                os.remove(self.paths[name])
            self.public[name] = run([programs.path('statefs'), 'keygen', self.paths[name]]).strip()


def initial(kernel, programs, work, names, steps):
    """An archive with guest-init, these programs, and the steps after the modules are loaded."""
    archive = Initramfs()
    archive.add_file('/init', programs.stripped('guest-init', work), 0o755)
    for name in names:
        archive.add_file(f'/bin/{name}', programs.stripped(name, work), 0o755)
    for folder in ('dev', 'proc', 'sys', 'tmp'):
        archive.add(f'/{folder}/.keep', b'')
    archive.add('/steps', '\n'.join(kernel.add_modules(archive) + steps + ['']).encode())
    return archive


def add_server(archive, identities, enrolled):
    archive.add_file('/etc/server.key', identities.paths['server'], 0o600)
    archive.add('/etc/peers', f'{identities.public[enrolled]} tester\n'.encode())


def add_client(archive, identities):
    for name in ('client', 'stranger'):
        archive.add_file(f'/etc/{name}.key', identities.paths[name], 0o600)


def write_archive(archive, path):
    with open(path, 'wb') as file:
        file.write(archive.encode())
    return path


def make_disk(path, size=256 << 20):
    """Zeros without blocks: what a device is before its first use."""
    if os.path.exists(path):
        os.remove(path)
    with open(path, 'wb') as file:
        file.truncate(size)
    return path
