"""An initial file system for Linux: a cpio archive of kind `newc`, uncompressed, everything owned by root."""

import stat


class Initramfs:
    def __init__(self):
        self.entries = {}  # path without its first slash -> (mode, bytes)

    def add(self, path, data, mode=0o644):
        path = path.strip('/')
        parts = path.split('/')
        for count in range(1, len(parts)):
            self.entries.setdefault('/'.join(parts[:count]), (stat.S_IFDIR | 0o755, b''))
        self.entries[path] = (stat.S_IFREG | mode, data)

    def add_file(self, path, source, mode=0o644):
        with open(source, 'rb') as file:
            self.add(path, file.read(), mode)

    def remove(self, path):
        del self.entries[path.strip('/')]

    def encode(self):
        out = bytearray()
        # A folder comes before what is in it.
        for number, (path, (mode, data)) in enumerate(sorted(self.entries.items()), 1):
            _append(out, number, path, mode, data)
        _append(out, 0, 'TRAILER!!!', 0, b'')
        return bytes(out)


def _append(out, inode, path, mode, data):
    name = path.encode() + b'\0'
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    out += b'070701' + b''.join(b'%08x' % field for field in fields) + name
    out += b'\0' * (-len(out) % 4)
    out += data
    out += b'\0' * (-len(out) % 4)
