"""Runs lanes: `main.py --lane NAME ...`; called by scripts/qemu-test.sh, which says what the options mean."""

import argparse
import os
import signal
import sys
import time

import images
from kinds import Failed, STATUSES
from lanes import LANES
from run import Run


class Setting:
    """What is the same for all runs: where programs and kernels are, and who stands on which side."""

    def __init__(self, arguments):
        self.folders = dict(pair.split('=', 1) for pair in arguments.kernel)
        self.programs = {}
        for given in arguments.programs:
            arch, folder = given.split('=', 1)
            self.programs[arch] = images.Programs(folder, {'amd64': 'strip', 'arm64': 'aarch64-linux-gnu-strip', 's390x': 's390x-linux-gnu-strip'}[arch])
        self.server_arch = 'amd64'
        self.bend = arguments.bend    # what is wrong with the guests, for the tests of the lanes
        self.kernels = {}

    def programs_of(self, arch):
        if arch not in self.programs:
            raise Failed('build', f'no programs for {arch} were built')
        return self.programs[arch]

    def kernel(self, arch):
        if arch not in self.kernels:
            if arch not in self.folders:
                raise Failed('build', f'no kernel for {arch} was fetched')
            self.kernels[arch] = images.Kernel(self.folders[arch])
        return self.kernels[arch]


def run_lane(name, arguments):
    stamp = time.strftime('%Y%m%d-%H%M%S')
    folder = arguments.out if arguments.out and len(arguments.lane) == 1 else os.path.join(arguments.runs, f'{name}-{stamp}-{os.getpid()}')
    run = Run(name, folder, arguments.timeout, arguments.until_marker, arguments.stand_ins)
    kind, reason = 'ok', ''
    try:
        LANES[name](run, Setting(arguments))
    except Failed as failed:
        kind, reason = failed.kind, failed.reason
    finally:
        run.close()
    run.write_summary(kind, reason)
    seconds = time.monotonic() - run.started
    print(f"qemu-test: lane {name}: {'ok' if kind == 'ok' else kind} in {seconds:.1f} s{': ' + reason if reason else ''}; see {os.path.relpath(folder)}")
    return STATUSES[kind]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--lane', action='append', choices=list(LANES), default=[])
    parser.add_argument('--timeout', type=float, default=90)
    parser.add_argument('--until-marker', action='store_true')
    parser.add_argument('--runs', default='build/qemu/runs')
    parser.add_argument('--out')
    parser.add_argument('--stand-ins')
    parser.add_argument('--bend', choices=['stranger', 'silent', 'panic'])
    parser.add_argument('--kernel', action='append', default=[])
    parser.add_argument('--programs', action='append', default=[])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    statuses = [run_lane(name, arguments) for name in arguments.lane or ['two-vm']]
    return next((status for status in statuses if status != 0), 0)


if __name__ == '__main__':
    sys.exit(main())
