"""The lanes: what each boots, which lines must come, and what is checked when they have come."""

import random
import re
import subprocess
import time

import audit
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
    if not run.until_marker:
        run.wait_end(both.client)
        run.stop(both.server)
    check_selftest_audit(run, both.server)


def single_vm(run, setting):
    """Both programs in one guest, over its loopback."""
    single = Single(run, setting)
    end = [CLIENT_DONE] + STOPPED
    single.boot(pair.ready('127.0.0.1') + [SERVED] + SELFTEST + end)
    run.wait_marker(single.guest, len(end))
    if not run.until_marker:
        run.wait_end(single.guest)
    check_selftest_audit(run, single.guest)


def check_selftest_audit(run, server):
    """One record to each change that the client made, none of any other, in an unbroken order."""
    wanted = pair.selftest_changes()
    # Where the daemon goes on, its last lines may be on their way.
    patience = 0 if server.ended else 5
    run.wait_until(lambda: len(audit.changes(audit.parse(server.console.audit))) >= len(wanted), time.monotonic() + patience)
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
    seconds = 8 * FLAPS
    both = Pair(run, setting, lambda identities: [pair.client_step(identities, ADDRESS, 'flap', f' --seconds {seconds}')])
    both.boot_client(['SELFTEST: flap load', r'SELFTEST: flap ok operations=\d+ reconnects=\d+'] + CLIENT_END)
    both.boot_server(pair.ready(ADDRESS) + [SERVED])
    run.wait_marker(both.server)
    run.renew_deadline()
    run.deadline += seconds
    monitor = both.qmp('server')
    for _ in range(FLAPS):
        run.pause(random.uniform(0.5, 2))
        monitor.run('set_link', name='net0', up=False)
        run.pause(random.uniform(2, 3))  # longer than the client takes a silent server for alive
        monitor.run('set_link', name='net0', up=True)
        run.pause(1.5)
    run.wait_end(both.client)
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
        run.pause(random.uniform(0.5, 4))
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
    if not run.stand_ins:
        verify_chain(run, setting.programs_of('amd64').path('statefs'), both.disk)


def verify_chain(run, statefs, disk):
    """`statefs audit verify` on the disk; a build whose statefs has no such verb says so in its summary and on the terminal."""
    if subprocess.run([statefs, 'audit', '--help'], stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        run.figures['verify'] = 'not done: this statefs has no verb audit'
        run.out(f"qemu-test: the chain on {disk} was not verified: this statefs has no verb 'audit'", flush=True)
        return
    run.figures['verify'] = images.run([statefs, 'audit', 'verify', disk], 'audit').strip()


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
    run.stop(both.server)
    check_selftest_audit(run, both.server)
    if run.stand_ins:
        return
    both.move_server('amd64')
    both.boot_server(pair.ready(ADDRESS, pair.RECOVERED))
    run.wait_marker(both.server)
    run.stop(both.server)


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
