"""What kinds of failure there are, each with the exit status of scripts/qemu-test.sh."""

STATUSES = {
    'ok': 0,
    'build': 10,           # a program, the initial file system or a kernel could not be made
    'boot': 11,            # a kernel panicked, a guest or its init ended too early
    'network': 12,         # the server could not be reached, or did not answer in time
    'authentication': 13,  # the wrong ones were let in, or the right ones were not
    'policy': 14,          # something was allowed or refused against the policy or a limit
    'exactly-once': 15,    # a change was made twice, never, or nobody knows
    'audit': 16,           # what was recorded is not what was done
    'persistence': 17,     # what was durable is gone, or what is gone was not reported
    'timeout': 18,         # a line that had to come did not come in time
    'markers': 19,         # a line came twice, out of order, or is none that is known
    'operation': 20,       # an answer was wrong in itself: another value, another status
    'forged': 21,          # a line came on a console whose programs do not print it
}
SKIPPED = 77               # qemu or a kernel cannot be installed here


class Failed(Exception):
    """The end of a lane: a kind of STATUSES and one line."""

    def __init__(self, kind, reason):
        super().__init__(f'{kind}: {reason}')
        self.kind = kind
        self.reason = reason
