#!/usr/bin/python3
"""ws_check.py NAME: one check of wsfanout with real sockets (test/wsfanout.bats runs them all);
without NAME: their names. The checks are in ws_talk.py and ws_limits.py. Needs TAPLINE_RUN and
wsfanout in the path; leaves nothing running."""
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import msgpack
from wslib import Fanout, wait

CHECKS = {}
reports = None


def check(args=(), reports=False):
    """args: of the wsfanout that the check is given; reports: it sends them to us (report)."""
    def add(fn):
        CHECKS[fn.__name__] = (fn, args, reports)
        return fn
    return add


def supervise():
    global reports
    os.environ["TAPLINE_STAGE"] = "fan"
    reports = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    reports.bind(os.path.join(os.environ["TAPLINE_RUN"], "report.sock"))
    reports.settimeout(5)


def report():
    """The next report the stage sends to its supervisor, which is us."""
    while True:
        topic, _, _, body = msgpack.unpackb(reports.recv(1 << 16))
        if topic == "sys.fan":
            return body


def counter(name, value):
    return wait("%s is %d" % (name, value), lambda: report()["counters"][name] == value)


def run(name):
    fn, args, needs_reports = CHECKS[name]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    if needs_reports:
        supervise()
    f = Fanout(*args)
    try:
        fn(f)
        if f.proc.poll() is None and not f.proc.stdin.closed:
            f.stop()
    finally:
        f.kill()
    with open("wsfanout.err") as log:
        sys.stderr.write(log.read())


if __name__ == "__main__":
    sys.modules["ws_check"] = sys.modules["__main__"]
    import ws_limits
    import ws_talk
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        print("\n".join(CHECKS))
