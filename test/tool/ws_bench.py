#!/usr/bin/python3
"""ws_bench.py [CLIENTS...]: what a broadcast (stop + play as one batch) costs wsfanout in CPU time,
and how long it takes from the write into its input to the last client's socket."""
import os
import select
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wslib import Client, Fanout

STOP, PLAY = '{"type": "stop"}', '{"type": "play", "id": 5}'


def cpu_ns(pid):
    """On-CPU time of all threads."""
    total = 0
    for t in os.listdir("/proc/%d/task" % pid):
        total += int(open("/proc/%d/task/%s/schedstat" % (pid, t)).read().split()[0])
    return total


def drain(clients, rounds, size):
    """Another process reads, so that reading costs the measured one nothing but wake-ups."""
    ep = select.epoll()
    left = {}
    for c in clients:
        ep.register(c.sock.fileno(), select.EPOLLIN)
        left[c.sock.fileno()] = (c.sock, rounds * size)
    while left:
        for fd, _ in ep.poll():
            sock, want = left[fd]
            want -= len(sock.recv(1 << 16))
            if want <= 0:
                ep.unregister(fd)
                del left[fd]
            else:
                left[fd] = (sock, want)


def measure(n, rounds, pause, confirm):
    f = Fanout("--ping", "0")
    clients = [Client(f) for _ in range(n)]
    f.wait_now("ws.clients", count=n)
    play = {"text": PLAY, "mark": 100, "confirm": True} if confirm else {"text": PLAY}
    size = len(STOP) + len(PLAY) + 4 + (6 if confirm else 0)
    probe = clients[-1] if not confirm and n == 1 else None
    pid = 0
    if not probe:
        pid = os.fork()
        if pid == 0:
            drain(clients, rounds, size)
            os._exit(0)
    took = []
    before = cpu_ns(f.proc.pid)
    for _ in range(rounds):
        start = time.monotonic_ns()
        f.send(("panel.stop", {"text": STOP}), ("panel.play", play))
        if probe:
            got = 0
            while got < size:
                got += len(probe.recv())
            took.append((time.monotonic_ns() - start) / 1000)
        time.sleep(pause)
    if pid:
        os.waitpid(pid, 0)
    used = (cpu_ns(f.proc.pid) - before) / 1000 / rounds
    f.stop()
    for c in clients:
        c.close()
    f.kill()
    return used, statistics.median(took) if took else 0


def main():
    counts = [int(x) for x in sys.argv[1:]] or [1, 10, 100, 1000]
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with tempfile.TemporaryDirectory(prefix="tl.", dir="/tmp") as d:
        os.environ["TAPLINE_RUN"] = d
        os.chdir(d)
        for n in counts:
            rounds, pause = (300, 0.02) if n >= 1000 else (1000, 0.003)
            for confirm in (False, True):
                used, median = measure(n, rounds, pause, confirm)
                print("%5d clients%s: %8.1f us CPU per broadcast, %5.2f us per client%s" %
                      (n, ", confirm" if confirm else "         ", used, used / n,
                       ", to the socket and back in Python %.0f us" % median if median else ""),
                      flush=True)


main()
