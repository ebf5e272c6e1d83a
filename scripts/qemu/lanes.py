"""The lanes: what each boots, which lines must come, and what is checked when they have come."""

import random
import re

import audit
import capture
import images
import pair
from kinds import Failed
from pair import ADDRESS, CLIENT_DONE, CLIENT_END, KEYS, SELFTEST, SERVED, Pair, Single
from run import STOPPED

FLAPS = 4
ROUNDS = 5


def two_vm(run, setting):
    """A client guest and a server guest: the checks of selftest-client over a network."""
    both = Pair(run, setting, lambda identities: [pair.client_step(identities, ADDRESS)])
    both.boot_client(SELFTEST + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS) + [SERVED])
    run.wait_marker(both.client, len(CLIENT_END))
    run.wait_marker(both.server)
    await_changes(run, both.server, pair.selftest_changes())
    if not run.until_marker:
        run.wait_end(both.client)
        run.stop(both.server)
    check_selftest_audit(run, both.server)
    check_captures(run)
    verify_chain(run, setting, both.server, both)


def single_vm(run, setting):
    """Both programs in one guest, over its loopback."""
    single = Single(run, setting)
    end = [CLIENT_DONE] + STOPPED
    single.boot(pair.ready('127.0.0.1') + [SERVED] + SELFTEST + end)
    run.wait_marker(single.guest, len(end))
    await_changes(run, single.guest, pair.selftest_changes())
    if not run.until_marker:
        run.wait_end(single.guest)
    check_selftest_audit(run, single.guest)
    verify_chain(run, setting, single.guest, single)


def await_changes(run, server, wanted):
    """The last lines of a daemon may be on their way: until as many changes are recorded as were made, or one of them is another."""
    def settled():
        got = audit.changes_of(audit.parse(server.console.audit))
        return server.ended or len(got) >= len(wanted) or got != wanted[:len(got)]
    run.wait_until(settled, run.deadline)


def check_captures(run):
    """Nothing of a key stands in what the link carried; but one stranger sends a request as plain bytes, and it has a key of its own."""
    if not run.stand_ins:
        run.figures['link'] = {name: capture.check_secret(run.path(f'{name}.pcap'), [b'selftest/rw', b'selftest/retry', b'state/boot'])
                               for name in ('server', 'client')}


def check_selftest_audit(run, server):
    """One record to each change that the client made, none of any other, in an unbroken order."""
    wanted = pair.selftest_changes()
    records = audit.parse(server.console.audit)
    audit.check_order(records)
    audit.check_changes(records, wanted)
    audit.check_revisions(records, KEYS + 'retry')
    run.figures['changes_recorded'] = len(wanted)


def figures_of(line):
    return {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', line)}


def last_marker(guest, start):
    return next(line for line in reversed(guest.console.seen) if line.startswith(start))


def flap(run, setting):
    """The link is cut and restored under load: nothing is lost, made twice, or not recorded."""
    both = Pair(run, setting, lambda identities: [pair.client_step(identities, ADDRESS, 'flap', ' --seconds 600')])
    both.boot_client(['SELFTEST: flap load', r'SELFTEST: flap ok operations=\d+ reconnects=\d+'] + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS) + [SERVED])
    run.wait_marker(both.server)
    monitor = both.qmp('server')
    for number in range(1, FLAPS + 1):
        await_load(run, both.server)
        run.pause(random.uniform(0.2, 1))
        monitor.run('set_link', name='net0', up=False)
        run.note('server', f'(link cut {number})')
        await_noticed(run)
        run.pause(random.uniform(0, 1))
        monitor.run('set_link', name='net0', up=True)
        run.note('server', f'(link restored {number})')
    await_load(run, both.server)
    both.client.say('stop')
    run.wait_end(both.client)
    operations = figures_of(last_marker(both.client, 'SELFTEST: flap ok'))['operations']
    run.wait_until(lambda: len(audit.changes(audit.parse(both.server.console.audit))) >= operations, run.deadline)
    run.stop(both.server)
    figures = figures_of(last_marker(both.client, 'SELFTEST: flap ok'))
    run.figures.update(figures, flaps=FLAPS)
    if figures['reconnects'] < FLAPS:
        raise Failed('network', f"the client reconnected {figures['reconnects']} times in {FLAPS} cuts: they were not noticed")
    records = audit.parse(both.server.console.audit)
    audit.check_order(records)
    changes = audit.changes(records)
    refused = [record for record in changes if (record['op'], record['verdict'], record['status']) != ('put', 'allow', 'OK')]
    if refused:
        raise Failed('exactly-once', f'a PUT was made that was not to be: {refused[0]}')
    if len(changes) != figures['operations']:
        raise Failed('exactly-once', f"{figures['operations']} PUTs were answered, and {len(changes)} are recorded")
    for key in sorted({record['key'] for record in changes}):
        audit.check_revisions(records, key)
    verify_chain(run, setting, both.server, both)


def await_load(run, server, count=20):
    """Until so many more records came: whatever was cut is back, and there is a load to be cut."""
    run.renew_deadline()
    before = len(server.console.audit)
    run.wait(lambda: len(server.console.audit) >= before + count, f'{count} more audit lines of {server.name}')


def await_noticed(run):
    """Until the client gave its stream up: it asks for another one, which nobody answers."""
    run.renew_deadline()
    path = run.path('client.pcap')
    before = capture.opens(path)
    run.wait(lambda: capture.opens(path) > before, 'SYN of the client')


def persist(run, setting):
    """Five power cuts under load: what SYNC covered is there, what is gone was reported, and the audit chain holds."""
    # A slow disk, so that there is something that is answered and not yet durable.
    both = Pair(run, setting, lambda identities: [pair.client_step(identities, ADDRESS, 'persist', f' --rounds {ROUNDS}')],
                disk_options=',throttling.iops-write=40')
    counted = r'operations=\d+ synced=\d+ lost=\d+ unknown=\d+'
    rounds = []
    for number in range(1, ROUNDS + 1):
        rounds += [f'SELFTEST: persist round {number} load', f'SELFTEST: persist round {number} ok {counted}']
    both.boot_client(rounds + ['SELFTEST: persist ok'] + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS) + [SERVED])
    for number in range(1, ROUNDS + 1):
        left = 2 * (ROUNDS - number) + 2 + len(CLIENT_END)
        run.wait_marker(both.client, left)
        run.wait_marker(both.server)
        await_load(run, both.server, 50)
        run.pause(random.uniform(0, 3))
        run.cut_power(both.server)
        run.note('server', f'(power cut {number})')
        both.boot_server(pair.ready(ADDRESS, pair.RECOVERED) + [SERVED])
        run.wait_marker(both.client, left - 1)
    run.wait_end(both.client)
    run.stop(both.server)
    total = {}
    for line in both.client.console.seen:
        for name, value in figures_of(line).items():
            total[name] = total.get(name, 0) + value
    run.figures.update(total)
    if not total['synced']:
        raise Failed('persistence', 'no SYNC was answered before a power cut: nothing was proved')
    check_once(audit.parse(both.server.earlier_audit + both.server.console.audit), total)
    verify_chain(run, setting, both.server, both)


def verify_chain(run, setting, server, guests):
    """The disk that the server leaves, or left when its power was cut, holds a whole chain: `statefs audit verify` on this machine."""
    if run.stand_ins:
        return
    run.cut_power(server)
    run.figures['verify'] = images.run([setting.programs_of('amd64').path('statefs'), 'audit', 'verify', guests.disk], 'audit').strip()


def check_once(exported, total):
    """Each key of this lane is written once: what was answered and not lost has one record, what was lost has none."""
    records = audit.once(exported)
    audit.check_epochs(records)
    keys = [record['key'] for record in audit.changes(records) if record['verdict'] == 'allow' and record['status'] == 'OK']
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise Failed('exactly-once', f'{twice} was written twice')
    least = total['operations'] - total['lost']
    if not least <= len(keys) <= least + total['unknown']:
        raise Failed('audit', f"{len(keys)} writes are recorded; {total['operations']} were answered, {total['lost']} of them lost, "
                              f"and {total['unknown']} are unknown")


def other_server(run, setting, arch):
    """The checks of two_vm before a server of another architecture; then a server of this one on the same disk."""
    setting.server_arch = arch
    both = Pair(run, setting, lambda identities: [pair.client_step(identities, ADDRESS)])
    both.boot_client(SELFTEST + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS) + [SERVED])
    run.wait_end(both.client)
    await_changes(run, both.server, pair.selftest_changes())
    run.stop(both.server)
    check_selftest_audit(run, both.server)
    check_captures(run)
    if run.stand_ins:
        return
    verify_chain(run, setting, both.server, both)
    both.move_server('amd64', 'rw')
    both.boot_client(SELFTEST[:1] + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS, pair.RECOVERED) + [SERVED])
    run.wait_end(both.client)
    await_changes(run, both.server, pair.selftest_changes()[:2])
    run.stop(both.server)
    audit.check_changes(audit.parse(both.server.console.audit), pair.selftest_changes()[:2])
    verify_chain(run, setting, both.server, both)


def mixed_endian(run, setting):
    """A big-endian server (s390x), a little-endian client (amd64); the disk then serves on amd64."""
    other_server(run, setting, 's390x')


def arm64(run, setting):
    """A server on arm64, a client on amd64; the disk then serves on amd64."""
    other_server(run, setting, 'arm64')


LANES = {
    'two-vm': two_vm,
    'single-vm': single_vm,
    'persist': persist,
    'flap': flap,
    'mixed-endian': mixed_endian,
    'arm64': arm64,
}
