"""The audit lines of a daemon's console, as values, and what they must be.

`dsoftbusd: audit remote statefs put allow peer=HEX alias=A key=K status=OK index=N ...`: docs/CONFIGURATION.md.
"""

import re

from kinds import Failed

LINE = re.compile(r'dsoftbusd: audit (?P<who>\S+) statefs (?P<op>\S+) (?P<verdict>allow|deny|note)(?P<fields>( \S+=\S*)*)')
CHANGES = ('put', 'del')


def parse(lines):
    """One dictionary to a record; a line that is none is a failure."""
    records = []
    for line in lines:
        match = LINE.fullmatch(line)
        if not match:
            raise Failed('audit', f'no audit line: {line}')
        record = {'op': match['op'], 'verdict': match['verdict']}
        for field in match['fields'].split():
            name, _, value = field.partition('=')
            record[name] = value
        for name in ('index', 'old', 'new', 'size', 'count', 'epoch'):
            if name in record:
                record[name] = int(record[name])
        records.append(record)
    return records


def check_order(records):
    """Records of one boot ascend by one, without a gap: nothing was left out."""
    for before, after in zip(records, records[1:]):
        if after['index'] != before['index'] + 1:
            raise Failed('audit', f"record {after['index']} comes after record {before['index']}")


def once(records):
    """Each record once: after a power cut a daemon may export again what it had exported, the same to the last byte."""
    seen = {}
    for record in records:
        if seen.setdefault(record['index'], record) != record:
            raise Failed('audit', f"record {record['index']} is exported as two different ones")
    return [seen[index] for index in sorted(seen)]


def check_epochs(records):
    """Records of several boots: within each epoch they ascend by one."""
    for before, after in zip(records, records[1:]):
        if after['epoch'] == before['epoch'] and after['index'] != before['index'] + 1:
            raise Failed('audit', f"record {after['index']} comes after record {before['index']}")


def changes(records):
    """The records of PUTs and DELETEs: each of them has its own."""
    return [record for record in records if record['op'] in CHANGES and 'key' in record]


def changes_of(records):
    """Those as (op, verdict, status, key)."""
    return [(record['op'], record['verdict'], record['status'], record['key']) for record in changes(records)]


def check_changes(records, wanted):
    """The changes are exactly these, in this order."""
    got = changes_of(records)
    for number, (is_there, should_be) in enumerate(zip(got, wanted)):
        if is_there != should_be:
            raise Failed('audit', f'change {number} is recorded as {is_there}, and was {should_be}')
    if len(got) > len(wanted):
        raise Failed('audit', f'a change is recorded that was not made: {got[len(wanted)]}')
    if len(got) < len(wanted):
        raise Failed('audit', f'a change is not recorded: {wanted[len(got)]}')


def check_revisions(records, key):
    """The allowed changes of a key are a chain: each begins at the revision that the one before left."""
    revision = 0
    for record in changes(records):
        if record['key'] != key or record['verdict'] != 'allow' or record['status'] != 'OK':
            continue
        if record['old'] != revision:
            raise Failed('exactly-once', f"{key}: record {record['index']} changes revision {record['old']}, and it was at {revision}")
        revision = record['new']
    return revision
