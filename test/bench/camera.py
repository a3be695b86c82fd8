#!/usr/bin/python3
"""The data stream of camctl: is it 24 packets a second for everybody?

    test/bench/camera.py [--clients 200] [--seconds 30] [--bin build/bin]

So many clients read, one more never does. Told: the rate each client saw (the stream promises 24 Hz,
1 % either way), the gaps between packets as they came, the CPU time of camctl. Ends with status 1
when a rate is outside of that.
"""
import argparse
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def free_ports(n):
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def cpu_seconds(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(port, bytes_of_buffer=None):
    s = socket.socket()
    if bytes_of_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, bytes_of_buffer)
    s.connect(("127.0.0.1", port))
    s.setblocking(False)
    return s


def wait_ready(port, server):
    end = time.monotonic() + 15
    while True:
        try:
            return connect(port).close()
        except OSError:
            if time.monotonic() > end or server.poll() is not None:
                sys.exit("camctl does not listen")
            time.sleep(0.05)


def listen(port, clients, seconds):
    """For each client the times at which its packets came."""
    poll, seen = select.epoll(), {}
    deaf = connect(port, 1)
    for _ in range(clients):
        s = connect(port)
        poll.register(s, select.EPOLLIN)
        seen[s.fileno()] = (s, [])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for fd, _ in poll.poll(0.1):
            now = time.monotonic()
            s, times = seen[fd]
            n = len(s.recv(4096)) // 16
            times.extend([now] * n)
    deaf.close()
    return [t for _, t in seen.values()]


def report(all_times, seconds, cpu):
    rates = sorted((len(t) - 1) / (t[-1] - t[0]) for t in all_times)
    gaps = sorted(b - a for t in all_times for a, b in zip(t, t[1:]))
    at = lambda q: 1000 * gaps[min(len(gaps) - 1, int(q * len(gaps)))]
    print("data stream: %d clients, %.0f s" % (len(all_times), seconds))
    print("  rate Hz   least %.3f  median %.3f  most %.3f  (24 promised)"
          % (rates[0], rates[len(rates) // 2], rates[-1]))
    print("  gap ms    p50 %.2f  p99 %.2f  p99.9 %.2f  max %.2f  (41.67 promised)"
          % (at(.5), at(.99), at(.999), 1000 * gaps[-1]))
    print("  camctl    %.2f %% of a core, %.1f us for each packet"
          % (100 * cpu / seconds, 1e6 * cpu / max(1, sum(map(len, all_times)))))
    return 23.76 <= rates[0] and rates[-1] <= 24.24


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    a.add_argument("--clients", type=int, default=200)
    a.add_argument("--seconds", type=float, default=30)
    a.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    a = a.parse_args()
    data, control, auth = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="tl.") as run:
        env = dict(os.environ, TAPLINE_RUN=run)
        server = subprocess.Popen(
            [a.bin + "/camctl", "--mode", "open", "--data-port", str(data), "--settings-port",
             str(control), "--auth-port", str(auth), "--camera-command", "sleep 1000", "--silence",
             "0", "-q", "-o", "cam"], env=env)
        try:
            wait_ready(data, server)
            before = cpu_seconds(server.pid)
            times = listen(data, a.clients, a.seconds)
            ok = report(times, a.seconds, cpu_seconds(server.pid) - before)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
