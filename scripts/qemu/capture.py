"""What a link carried, from the capture of qemu's filter-dump: frames of Ethernet in a file of kind pcap."""

import struct

from kinds import Failed

HEADER = 24
RECORD = 16


def frames(path):
    """Each whole frame that is there by now; the file may be growing."""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) < HEADER:
        return
    order = {b'\xd4\xc3\xb2\xa1': '<', b'\xa1\xb2\xc3\xd4': '>'}.get(data[:4])
    if order is None:
        raise Failed('network', f'{path} is no capture')
    at = HEADER
    while at + RECORD <= len(data):
        size = struct.unpack_from(order + 'I', data, at + 8)[0]
        if at + RECORD + size > len(data):
            return
        yield data[at + RECORD:at + RECORD + size]
        at += RECORD + size


def tcp_of(frame):
    """(flags, payload) of a TCP segment over IPv4; None of anything else."""
    if len(frame) < 54 or frame[12:14] != b'\x08\x00' or frame[23] != 6:
        return None
    ip = 14
    tcp = ip + (frame[ip] & 15) * 4
    end = ip + int.from_bytes(frame[ip + 2:ip + 4], 'big')
    return frame[tcp + 13], frame[tcp + (frame[tcp + 12] >> 4) * 4:end]


def opens(path):
    """How many segments asked for a new stream: SYN without ACK."""
    segments = (tcp_of(frame) for frame in frames(path))
    return sum(1 for segment in segments if segment and segment[0] & 0x12 == 0x02)


def check_secret(path, words):
    """None of the words stands in what was carried; how many segments carried something, and how many bytes."""
    count = size = 0
    for frame in frames(path):
        segment = tcp_of(frame)
        if not segment or not segment[1]:
            continue
        count += 1
        size += len(segment[1])
        for word in words:
            if word in segment[1]:
                raise Failed('authentication', f'{path}: {word.decode()} went over the link as plain bytes')
    if not count:
        raise Failed('network', f'{path}: nothing went over the link')
    return {'segments': count, 'bytes': size}
