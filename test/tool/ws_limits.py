"""Limits of wsfanout, its door, and how it ends. Run through ws_check.py."""
import os
import re
import resource
import signal
import socket
import time

import msgpack
from ws_check import check, counter, report
from wslib import (BINARY, CLOSE, PING, PONG, TEXT, Client, Fanout, close_payload, datagram, door,
                   frame, split, tcp_pair, wait)


# ---- limits ----

@check(args=["--max-message", "1000"])
def oversize(f):
    a, b, c = Client(f), Client(f), Client(f)
    a.put(frame(TEXT, "x" * 1000))
    f.wait("ws.text", client=a.id)
    a.put(frame(TEXT, "x" * 1001)[:20])
    a.expect_close(1009)
    b.put(frame(TEXT, "x" * 600, fin=False), frame(0, "x" * 400))
    f.wait("ws.text", client=b.id)
    b.put(frame(TEXT, "x" * 600, fin=False), frame(0, "x" * 401)[:20])
    b.expect_close(1009)
    c.text("fine")
    f.wait("ws.text", text="fine")
    for x in (a, b):
        f.wait("ws.closed", client=x.id, code=1009, cause="limit")


@check(args=["--rate", "100"])
def flood(f):
    calm, loud, pinger, crumbs = Client(f), Client(f), Client(f), Client(f)
    loud.put(*[frame(TEXT, "x")] * 120)
    loud.expect_close(1008)
    f.wait("ws.closed", client=loud.id, code=1008, cause="limit")
    heard = len([m for m in f.all("ws.text") if m["client"] == loud.id])
    assert 100 <= heard < 120, heard
    pinger.put(*[frame(PING, "x")] * 120)
    pinger.expect_close(1008)
    crumbs.put(frame(TEXT, "x", fin=False), *[frame(0, "", fin=False)] * 120)
    crumbs.expect_close(1008)
    calm.text("calm")
    f.wait("ws.text", text="calm")


@check(args=["--queue", "200k"], reports=True)
def slow_client_is_cut_and_others_go_on(f):
    good, slow = Client(f), Client(f, rcvbuf=4096)
    block = "x" * 50000
    sent = 0
    while not f.find("ws.closed", client=slow.id) and sent < 2000:
        f.say(block, mark=sent)
        good.expect(TEXT, block)
        sent += 1
    f.wait("ws.closed", client=slow.id, code=1006, cause="limit")
    assert sent < 300, "%d blocks" % sent
    counter("cut_slow", 1)
    wait("queue empty", lambda: report()["queue"] == 0)
    f.say("on")
    good.expect(TEXT, "on")
    rest = b""
    try:
        while True:
            more = slow.recv()
            if not more:
                break
            rest += more
    except AssertionError:
        raise AssertionError("the slow client's connection was left open")


@check(args=["--skip", "tag", "--skip-above", "64k", "--queue", "1M", "--stall", "60s"], reports=True)
def slow_client_skips_to_the_newest(f):
    """Whole frames of the topic are left out, the oldest first; the rest comes, all in order."""
    good, slow = Client(f), Client(f, rcvbuf=4096)
    assert good.id != slow.id
    want, n, heard = [], 6000, 0
    for i in range(n):
        text = "tag %d " % i + "x" * (i % 300)
        f.send(("tag", {"text": text}))
        if i % 50 == 0:
            f.send(("demo", {"text": "kept %d" % i, "to": slow.id}))
            want.append(b"kept %d" % i)
        if i % 20 == 0:  # so that the good one is never behind
            f.say("sync", to=good.id)
            while good.next()[1] != b"sync":
                heard += 1
    f.say("end")
    while good.next()[1] != b"end":
        heard += 1
    assert heard == n, heard
    got = []
    while not got or got[-1] != b"end":
        got.append(slow.next()[1])
    assert [t for t in got if t[:4] == b"kept"] == want
    tags = [t for t in got if t[:3] == b"tag"]
    number = [int(t.split()[1]) for t in tags]
    assert number == sorted(set(number)) and number[0] == 0 and number[-1] == n - 1
    assert all(t == b"tag %d " % i + b"x" * (i % 300) for t, i in zip(tags, number))
    assert len(tags) < n, "nothing was left out"
    counter("frames_skipped", n - len(tags))
    counter("cut_slow", 0)
    wait("queue empty", lambda: report()["queue"] == 0)


@check(args=["--skip", "tag", "--skip-above", "64k", "--queue", "1M", "--stall", "400ms"], reports=True)
def skipping_is_no_progress(f):
    """Whoever takes nothing at all is cut, however much of its queue is left out."""
    slow = Client(f, rcvbuf=4096)
    assert slow.id
    wait("it is cut", lambda: f.send(("tag", {"text": "x" * 20000})) or f.find("ws.closed", client=slow.id))
    wait("some were left out", lambda: report()["counters"]["frames_skipped"])
    counter("cut_slow", 1)
    wait("queue empty", lambda: report()["queue"] == 0)


@check()
def slow_client_gets_all_when_it_reads_again(f):
    slow, good = Client(f, rcvbuf=4096), Client(f)
    assert slow.id != good.id  # both are in
    want = []
    for i in range(100):
        f.say("%d:" % i + "y" * 10000)
        f.say("only %d" % i, to=slow.id)
        f.send(("x", {"data": b"other" * 2000, "to": good.id}))
        want += ["%d:" % i + "y" * 10000, "only %d" % i]
        good.expect(TEXT, "%d:" % i + "y" * 10000)
        good.expect(BINARY, b"other" * 2000)
    for w in want:
        slow.expect(TEXT, w)
    slow.text("and pongs come behind")
    f.wait("ws.text", client=slow.id)


@check(args=["--queue", "100k"])
def one_large_message_may_pass_the_bound(f):
    a = Client(f, rcvbuf=4096)
    assert a.id
    f.send(("x", {"data": b"z" * 3000000}))
    a.expect(BINARY, b"z" * 3000000)
    f.say("next")
    a.expect(TEXT, "next")


def memory(f):
    """Resident bytes; None where it says nothing."""
    if "san" in os.environ.get("TAPLINE_BIN", ""):
        return None
    with open("/proc/%d/status" % f.proc.pid) as status:
        return int([s for s in status if "VmRSS" in s][0].split()[1]) << 10


@check(args=["--memory", "16M", "--max-message", "2M"], reports=True)
def unfinished_messages_of_all_have_one_bound(f):
    calm = Client(f)
    calm.id
    whole = frame(TEXT, "x" * (2 << 20))
    clients, most = [], 0
    for _ in range(40):
        c = Client(f)
        c.id
        clients.append(c)
        c.put(whole[:-1])
        most = max(most, memory(f) or 0)
        calm.text("calm")
    wait("calm is heard", lambda: len(f.all("ws.text")) == 40)
    wait("all are read", lambda: len(f.all("ws.closed")) == 33)
    assert max(most, memory(f) or 0) < 45 << 20, "%d bytes" % most
    cut = [b["client"] for b in f.all("ws.closed") if b["cause"] == "limit" and b["code"] == 1013]
    left = [c for c in clients if c.id not in cut]
    assert len(left) == 7, len(left)
    counter("cut_memory", 33)
    next(c for c in clients if c.id in cut).expect_close(1013)
    for c in left:
        c.put(whole[-1:])
        f.wait("ws.text", client=c.id, text="x" * (2 << 20))
    wait("given back", lambda: report()["counters"]["memory_bytes"] < 100000)
    for c in clients:
        c.close()
    calm.close()
    counter("memory_bytes", 0)


@check(args=["--memory", "4M", "--max-message", "1M", "--queue", "3M"], reports=True)
def queues_of_all_have_one_bound(f):
    slow = [Client(f, rcvbuf=4096) for _ in range(10)]
    good = Client(f)
    f.send(("x", {"data": b"s" * 2500000}))  # lies there once, whoever waits for it
    good.expect(BINARY, b"s" * 2500000)
    held = wait("it waits", lambda: report()["counters"]["memory_bytes"])
    assert held < 3000000, held
    for c in slow:
        c.expect(BINARY, b"s" * 2500000)
    for c in slow:
        f.send(("x", {"data": b"o" * 1500000, "to": c.id}))
    counter("cut_memory", 8)
    assert len(f.all("ws.closed")) == 8
    assert all(b["cause"] == "limit" for b in f.all("ws.closed"))
    f.say("on", to=good.id)
    good.expect(TEXT, "on")
    gone = [b["client"] for b in f.all("ws.closed")]
    for c in slow:
        if c.id not in gone:
            c.expect(BINARY, b"o" * 1500000)
    # What is left are the empty queues.
    wait("all is given back", lambda: report()["counters"]["memory_bytes"] <= report()["counters"]["clients"] * 4 * 40)


@check(args=["--message-time", "400ms", "--ping", "100ms", "--pong-timeout", "300ms"], reports=True)
def unfinished_message_must_end(f):
    calm, endless = Client(f), Client(f)
    ids = calm.id, endless.id
    endless.put(frame(TEXT, "x" * 100000, fin=False))
    start, code = time.monotonic(), None
    while code is None:
        for c in (calm, endless):
            opcode, payload = c.next()
            if opcode == CLOSE:
                assert c is endless
                code = int.from_bytes(payload[:2], "big")
            else:
                c.put(frame(PONG, payload))
                c is calm and c.text("calm")
        endless.put(frame(0, "more", fin=False))
        assert time.monotonic() - start < 5, "it goes on for ever"
    assert code == 1008 and time.monotonic() - start > 0.35
    f.wait("ws.closed", client=ids[1], code=1008, cause="limit")
    assert not f.find("ws.closed", client=ids[0])
    counter("cut_late", 1)
    wait("given back", lambda: report()["counters"]["memory_bytes"] < 20000)


@check(args=["--stall", "300ms", "--queue", "10M"])
def stalled_client_is_cut(f):
    a, b = Client(f, rcvbuf=4096), Client(f)
    f.send(("x", {"data": b"z" * 3000000, "to": a.id}))
    f.wait("ws.closed", client=a.id, code=1006, cause="limit")
    f.say("on")
    b.expect(TEXT, "on")


@check(args=["--ping", "200ms", "--pong-timeout", "200ms"])
def silent_peer_is_pinged_and_cut(f):
    alive, dead = Client(f), Client(f)
    start = time.monotonic()
    while not f.find("ws.closed", client=dead.id):
        opcode, payload = alive.next()
        assert opcode == PING and not payload.startswith(b"m")
        alive.put(frame(PONG, payload))
        assert time.monotonic() - start < 5
    f.wait("ws.closed", client=dead.id, code=1011, cause="timeout")
    assert time.monotonic() - start > 0.35
    while (frame_read := dead.next())[0] != CLOSE:
        assert frame_read[0] == PING
    assert frame_read[1] == b"\x03\xf3keepalive ping timeout"
    assert not f.find("ws.closed", client=alive.id)


@check(args=["--ping", "300ms", "--pong-timeout", "300ms"])
def whoever_talks_is_not_pinged(f):
    a = Client(f)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        a.text("x")
        time.sleep(0.02)
    a.silent()


@check()
def vanishing_clients(f):
    keep, a, b, c = Client(f), Client(f), Client(f), Client(f)
    ids = [x.id for x in (a, b, c)]
    a.close()
    b.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    b.close()
    c.put(frame(TEXT, "half")[:5])
    c.close()
    for i in ids:
        f.wait("ws.closed", client=i, code=1006, cause="unplugged")
    f.wait_now("ws.clients", count=1)
    f.say("x")
    keep.expect(TEXT, "x")


def all_in(clients):
    """Those that come at the same moment may be let in in any order."""
    for c in clients:
        c.id
    return clients


@check(args=["--clients", "2"])
def beyond_the_limit_is_refused(f):
    a, b = all_in([Client(f), Client(f)])
    c = Client(f)
    c.expect(CLOSE, close_payload(1013, "too many clients"))
    assert c.next() is None
    f.wait_now("ws.clients", count=2)
    a.close()
    f.wait_now("ws.clients", count=1)
    d = Client(f)
    f.wait("ws.open", peer=d.peer)
    f.say("x")
    for x in (b, d):
        x.expect(TEXT, "x")


@check(args=["--clients", "16"], reports=True)
def one_address_has_a_quarter(f):
    greedy = all_in([Client(f, peer="203.0.113.9:%d" % i) for i in range(4)])
    late = Client(f, peer="[::ffff:203.0.113.9]:77")
    late.expect(CLOSE, close_payload(1013, "too many clients of this address"))
    assert late.next() is None
    counter("refused_of_address", 1)
    here = [Client(f) for _ in range(11)]  # this machine is behind no limit of its own
    other = Client(f, peer="203.0.113.10:1")
    f.wait_now("ws.clients", count=16)
    Client(f).expect(CLOSE, close_payload(1013, "too many clients"))
    greedy[0].close()
    here[0].close()
    f.wait_now("ws.clients", count=14)
    again = Client(f, peer="203.0.113.9:5")
    f.wait_now("ws.clients", count=15)
    f.say("x")
    for x in (greedy[1], here[1], other, again):
        x.expect(TEXT, "x")
    Client(f, peer="203.0.113.9:6").expect(CLOSE, close_payload(1013, "too many clients of this address"))


@check(args=["--per-address", "2"])
def a_number_given_is_for_everybody(f):
    keep = []
    for peer in "127.0.0.1:%d", "[2001:db8:0:1::%d]:9":
        keep += all_in([Client(f, peer=peer % i) for i in (1, 2)])
        Client(f, peer=peer % 3).expect(CLOSE, close_payload(1013, "too many clients of this address"))
    assert Client(f, peer="[2001:db8:0:2::1]:9").id


# ---- the door ----

def open_files(f):
    return len(os.listdir("/proc/%d/fd" % f.proc.pid))


@check()
def garbage_at_the_door(f):
    keep = Client(f)
    keep.id
    before = open_files(f)
    file_fd = os.open("/dev/null", os.O_RDONLY)
    listening = socket.create_server(("127.0.0.1", 0))
    s, conn = tcp_pair()
    good = datagram()
    fd = conn.fileno()
    for data, fds in ((b"", [fd]), (b"\xc1garbage", [fd]), (os.urandom(5000), [fd]), (good, []),
                      (b"\x80" * 60000, [fd]), (good, [fd] * 2), (good, [fd] * 250),
                      (good, [file_fd]), (good, [listening.fileno()]), (good + b"x", [fd]),
                      (good[:-1], [fd]), (datagram(path="p" * 300), [fd]),
                      (datagram(peer="a\0b"), [fd]), (datagram(group=5), [fd]),
                      (msgpack.packb([1, 2]), [fd]), (datagram(extra=b"e" * 70000), [fd])):
        with door() as d:
            socket.send_fds(d, [data], fds)
    for _ in range(40):
        with door() as d:
            d.send(os.urandom(100))
    with door() as d:
        pass
    ok = Client(f)
    ok.id
    wait("descriptors closed", lambda: open_files(f) == before + 1)
    assert len(f.all("ws.open")) == 2, f.all("ws.open")
    f.say("x")
    keep.expect(TEXT, "x")
    ok.expect(TEXT, "x")
    for x in (s, conn, listening):
        x.close()
    os.close(file_fd)


@check()
def kept_and_idle_connections_at_the_door(f):
    kept = door()
    clients = []
    for i in range(10):
        s, conn = tcp_pair()
        socket.send_fds(kept, [datagram(peer="k%d" % i)], [conn.fileno()])
        conn.close()
        clients.append(s)
    f.wait_now("ws.clients", count=10)
    idle = [door() for _ in range(60)]
    a = Client(f)
    a.id
    f.say("x")
    a.expect(TEXT, "x")
    for s in idle:
        s.close()
    kept.close()
    for s in clients:
        s.close()
    f.wait_now("ws.clients", count=1)


@check()
def stale_socket_is_replaced_live_one_is_not(f):
    path = os.path.join(os.environ["TAPLINE_RUN"], "ws.sock")
    assert os.stat(path).st_mode & 0o777 == 0o600
    second = Fanout(wait_ready=False)
    assert second.proc.wait(5) == 1
    a = Client(f)
    first_id = a.id
    f.kill()
    assert os.path.exists(path)
    third = Fanout(wait_ready=False)
    third.wait("ws.clients", count=0)
    b = Client(third)
    assert b.id > first_id
    third.stop()
    assert not os.path.exists(path)


@check()
def two_names(f):
    g = Fanout(name="other")
    a, b = Client(f), Client(g)
    assert a.id and b.id  # both are in
    f.say("f")
    g.say("g")
    a.expect(TEXT, "f")
    b.expect(TEXT, "g")
    g.stop()


# ---- ends and pipes ----

@check()
def sigterm_closes_everybody_in_time(f):
    clients = [Client(f) for _ in range(300)]
    never = Client(f, rcvbuf=4096)
    f.wait_now("ws.clients", count=301)
    f.send(("x", {"data": b"z" * 800000, "to": never.id}))
    f.say("last")
    clients[-1].expect(TEXT, "last")
    took = f.stop()
    assert took < 0.8, "%.3f s" % took
    for c in clients:
        if c is not clients[-1]:
            c.expect(TEXT, "last")
        c.expect(CLOSE, close_payload(1001, "server stops"))
        assert c.next() is None
    closed = f.all("ws.closed")
    assert len(closed) == 301 and all(b["code"] == 1001 for b in closed)
    assert f.last("ws.clients") == {"count": 0}


@check()
def answered_closes_end_it_at_once(f):
    a = Client(f)
    a.id
    f.proc.send_signal(signal.SIGTERM)
    start = time.monotonic()
    a.expect_close(1001, end=False)
    a.put(frame(CLOSE, close_payload(1001)))
    assert a.next() is None
    f.proc.wait(5)
    assert time.monotonic() - start < 0.25


@check()
def end_of_input_ends_it(f):
    a = Client(f)
    a.id
    f.say("last words")
    f.proc.stdin.close()
    a.expect(TEXT, "last words")
    a.expect_close(1001, end=False)
    a.close()
    assert f.proc.wait(5) == 0


@check()
def garbage_on_the_input(f):
    a = Client(f)
    assert a.id  # it is in
    f.say("1")
    f.raw(os.urandom(3000).replace(b"\x94", b"x"))
    f.say("2")
    f.raw(b"\x94\xa4demo\x01\x02\x81\xa4text\xa5abc")
    f.say("3")
    for _ in range(50):  # a time may look like a message's beginning
        f.say("4")
    got = []
    while not got or got[-1] != b"4":
        got.append(a.next()[1])
    assert got[0] == b"1" and b"2" in got, got


@check(args=["--rate", "0", "--ping", "100ms", "--pong-timeout", "100ms"])
def full_output_stops_clients_not_the_bus(f):
    talker, listener = Client(f), Client(f)
    talker.id, listener.id
    got = 0
    talker.sock.setblocking(False)
    blob = frame(TEXT, "t" * 60000)
    pending, total, idle = b"", 0, 0
    while idle < 30:
        pending = pending or blob
        try:
            n = talker.sock.send(pending)
            pending, total, idle = pending[n:], total + n, 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.02)
        assert total < 200 << 20, "the output is full and clients are still read"
    for i in range(50):
        f.say("bus %d" % i)
        listener.expect(TEXT, "bus %d" % i)
    mem = int([s for s in open("/proc/%d/status" % f.proc.pid) if "VmRSS" in s][0].split()[1])
    assert mem < 60000 or "san" in os.environ.get("TAPLINE_BIN", ""), "%d kB" % mem
    want = total // len(blob)
    wait("all texts", lambda: len(f.all("ws.text")) >= want)
    assert not f.all("ws.closed")


@check(args=["--rate", "0"])
def who_comes_while_the_output_is_full_misses_nothing(f):
    talker = Client(f)
    talker.id
    talker.sock.setblocking(False)
    blob, pending, idle = frame(TEXT, "t" * 60000), b"", 0
    while idle < 30:
        pending = pending or blob
        try:
            pending, idle = pending[talker.sock.send(pending):], 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.02)
    late = Client(f, extra=frame(TEXT, "with the handshake") + frame(PING, "?"))
    late.text("behind it")
    end = time.monotonic() + 10
    while not late.frames:
        assert time.monotonic() < end, "what is sent does not reach it"
        f.say("play")
        try:
            late.frames, late.data = split(late.data + late.recv(0.05))
        except AssertionError:
            pass
    assert late.frames[0] == (TEXT, b"play"), late.frames
    talker.sock.setblocking(True)
    wait("its texts", lambda: len([m for m in f.all("ws.text") if m["client"] == late.id]) == 2)
    said = [(t, b.get("text")) for t, _, _, b in f.events if b.get("client") == late.id]
    assert said == [("ws.open", None), ("ws.text", "with the handshake"),
                    ("ws.text", "behind it")], said
    while late.next() != (PONG, b"?"):
        pass


@check(reports=True)
def a_thousand_clients(f):
    import select
    clients = [Client(f) for _ in range(1000)]
    f.wait_now("ws.clients", count=1000)
    poll = select.poll()
    by_fd = {c.sock.fileno(): c for c in clients}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    for i in range(20):
        f.send(("a", {"text": "stop"}), ("b", {"text": "play %d" % i}))
    end = time.monotonic() + 20
    left = set(by_fd)
    while left:
        assert time.monotonic() < end, "%d clients miss something" % len(left)
        for fd, _ in poll.poll(1000):
            c = by_fd[fd]
            c.data += c.sock.recv(1 << 16)
            frames, c.data = split(c.data)
            c.frames += frames
            if len(c.frames) == 40:
                left.discard(fd)
    want = [(TEXT, t) for i in range(20) for t in (b"stop", b"play %d" % i)]
    assert all(c.frames == want for c in clients)
    counter("clients", 1000)
    r = report()
    assert r["counters"]["frames_sent"] == 40000 and r["counters"]["sends"] <= 20100, r
    assert r["latency_count"] >= 40
    took = f.stop()
    assert took < 0.8, "%.3f s" % took


@check()
def idle_costs_nothing(f):
    clients = [Client(f) for _ in range(50)]
    f.wait_now("ws.clients", count=50)

    def ticks():
        return sum(int(x) for x in open("/proc/%d/stat" % f.proc.pid).read().split()[13:15])

    before = ticks()
    time.sleep(1.0)
    assert ticks() - before <= 1, "%d ticks" % (ticks() - before)
    assert len(clients) == 50


@check()
def out_of_descriptors_it_rests_and_takes_them_later(f):
    def log():
        with open("wsfanout.err") as file:
            return file.read()
    soft, hard = resource.prlimit(f.proc.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(f.proc.pid, resource.RLIMIT_NOFILE, (5, hard))
    with door():
        wait("two tries", lambda: log().count("cannot accept a hand-over") >= 2)
    untold = sum(map(int, re.findall("and ([0-9]+) more like it", log())))
    assert untold < 100, log()
    resource.prlimit(f.proc.pid, resource.RLIMIT_NOFILE, (soft, hard))
    c = Client(f)
    c.text("hello")
    f.wait("ws.text", client=c.id, text="hello")
