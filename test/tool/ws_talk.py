"""What wsfanout sends and what it makes of what clients say. Run through ws_check.py."""
import asyncio
import os
import signal
import subprocess
import time

from ws_check import check, report
from wslib import BINARY, CLOSE, PING, PONG, TEXT, Client, close_payload, frame, split, wait

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- sending ----

@check()
def broadcast_keeps_order_for_everybody(f):
    clients = [Client(f) for _ in range(20)]
    for i in range(200):
        f.send(("a", {"text": "n%d" % i}), ("b", {"data": b"d%d" % i}))
    for c in clients:
        for i in range(200):
            c.expect(TEXT, "n%d" % i)
            c.expect(BINARY, "d%d" % i)
    assert f.last("ws.clients") == {"count": 20}


@check()
def stop_and_play_are_one_segment(f):
    clients = [Client(f) for _ in range(5)]
    f.wait_now("ws.clients", count=5)
    for i in range(20):
        f.send(("panel.stop", {"text": "stop"}),
               ("panel.play", {"text": "play", "mark": i, "confirm": True}))
        for c in clients:
            got, rest = split(c.recv())
            want = [(TEXT, b"stop"), (TEXT, b"play"), (PING, b"m%d" % i)]
            assert got == want and not rest, got


@check()
def frame_lengths(f):
    c = Client(f)
    f.wait_now("ws.clients", count=1)
    for n in (0, 1, 125, 126, 127, 65535, 65536, 300000):
        f.say("x" * n)
        c.expect(TEXT, "x" * n)


@check()
def targets(f):
    a, b, c = Client(f), Client(f, group="left"), Client(f, group="left")
    ids = [x.id for x in (a, b, c)]
    f.say("to a", to=ids[0])
    f.say("to left", to="left")
    f.say("to a and left once", to=[ids[0], "left", ids[1], ids[1]])
    f.say("not c", **{"except": ids[2]})
    f.say("left but b", to="left", **{"except": ids[1]})
    f.say("nobody", to=[])
    f.say("nobody", to="nowhere")
    f.say("nobody", to=12345)
    f.say("all")
    for x, texts in ((a, ["to a", "to a and left once", "not c", "all"]),
                     (b, ["to left", "to a and left once", "not c", "all"]),
                     (c, ["to left", "to a and left once", "left but b", "all"])):
        for t in texts:
            x.expect(TEXT, t)
        x.silent()


@check(reports=True)
def nonsense_orders_are_counted_and_reach_nobody(f):
    c = Client(f)
    f.say("nil", to=None)
    f.say("float", to=1.5)
    f.say("except", **{"except": "x"})
    f.say("mark", mark="x")
    f.send(("demo", {"text": 5}), ("demo", {"other": "x"}), ("demo", {}))
    f.send(("demo", {"text": b"bytes"}))
    f.raw(f.pack("demo", {"text": "AAAA"}).replace(b"AAAA", b"\xff\xfe\xff\xfe"))
    f.send(("ws.join", {"group": "x"}), ("ws.join", {"client": c.id}), ("ws.kick", {}),
           ("ws.kick", {"client": c.id, "code": 1005}), ("ws.join", {"client": 1, "group": "x"}))
    f.say("good")
    c.expect(TEXT, "good")
    wait("bad", lambda: report()["bad"] == 9)


@check()
def join_leave_kick(f):
    a, b = Client(f), Client(f)
    f.send(("ws.join", {"client": a.id, "group": "g"}), ("demo", {"text": "1", "to": "g"}))
    a.expect(TEXT, "1")
    f.send(("ws.leave", {"client": a.id, "group": "g"}), ("demo", {"text": "2", "to": "g"}),
           ("ws.join", {"client": b.id, "group": "g"}), ("demo", {"text": "3", "to": "g"}))
    b.expect(TEXT, "3")
    f.send(("demo", {"text": "last", "to": a.id}),
           ("ws.kick", {"client": a.id, "code": 4001, "reason": "out"}), ("demo", {"text": "4"}))
    a.expect(TEXT, "last")
    a.expect(CLOSE, close_payload(4001, "out"))
    assert f.wait("ws.closed", client=a.id) == {"client": a.id, "code": 4001, "reason": "out",
                                                "cause": "ok"}
    a.text("too late")
    a.put(frame(CLOSE, close_payload(4001)))
    assert a.next() is None
    f.send(("ws.kick", {"client": b.id}))
    b.expect(TEXT, "4")
    b.expect_close(1000, end=False)
    assert b.next(3) is None, "a client that does not answer is let go"
    f.wait_now("ws.clients", count=0)
    assert not f.all("ws.text")


@check()
def seventeen_groups_are_too_many(f):
    a = Client(f)
    for i in range(20):
        f.send(("ws.join", {"client": a.id, "group": "g%d" % i}))
    for i in range(20):
        f.say("to %d" % i, to="g%d" % i)
    f.say("end")
    for i in range(16):
        a.expect(TEXT, "to %d" % i)
    a.expect(TEXT, "end")


@check()
def marks(f):
    a, b = Client(f), Client(f)
    a.text("before")
    assert f.wait("ws.text", text="before") == {"client": a.id, "text": "before", "sent": 0,
                                                "seen": 0}
    f.say("p", mark=5, confirm=True)
    f.say("q", mark=6, to=b.id)
    a.expect(TEXT, "p")
    a.expect(PING, "m5")
    a.text("1")
    f.wait("ws.text", text="1", sent=5, seen=0)
    a.put(frame(PONG, "m5"), frame(TEXT, "2"))
    f.wait("ws.text", text="2", sent=5, seen=5)
    a.put(frame(PONG, "m99999"), frame(PONG, "m"), frame(PONG, "m5x"), frame(PONG, "m" + "9" * 30),
          frame(PONG), frame(TEXT, "3"))
    f.wait("ws.text", text="3", sent=5, seen=5)
    b.text("4")
    f.wait("ws.text", text="4", sent=6, seen=0)
    late = Client(f)
    late.text("5")
    f.wait("ws.text", text="5", sent=0, seen=5)
    f.say("p", mark=7, confirm=True, to=b.id)
    later = Client(f)
    later.text("6")
    f.wait("ws.text", text="6", sent=0, seen=5)
    f.say("p", mark=1, confirm=True)
    a.text("7")
    f.wait("ws.text", text="7", sent=1, seen=0)


# ---- receiving ----

@check()
def text_binary_fragments(f):
    a = Client(f)
    a.put(frame(TEXT, "one"), frame(BINARY, b"\x00\xff"), frame(TEXT, ""))
    a.put(frame(TEXT, b"fra\xc3", fin=False), frame(PING, "between"), frame(0, b"\xa4g", fin=False),
          frame(0, b"ment"))
    big = os.urandom(200000)
    a.put(frame(BINARY, big))
    f.wait("ws.binary", data=big)
    assert [m["text"] for m in f.all("ws.text")] == ["one", "", "fra\u00e4gment"]
    assert f.all("ws.binary")[0]["data"] == b"\x00\xff"
    a.expect(PONG, "between")


@check()
def bytes_one_by_one(f):
    a = Client(f)
    for b in frame(TEXT, "slowly") + frame(BINARY, b"b"):
        a.put(bytes([b]))
        time.sleep(0.001)
    f.wait("ws.binary", data=b"b")
    assert f.all("ws.text")[0]["text"] == "slowly"


@check()
def pongs(f):
    a = Client(f)
    a.put(frame(PING), frame(PING, b"x" * 125), frame(PING, b"\x00\xff"))
    a.expect(PONG, b"")
    a.expect(PONG, b"x" * 125)
    a.expect(PONG, b"\x00\xff")


@check()
def extra_bytes(f):
    a = Client(f, extra=frame(TEXT, "early") + frame(TEXT, "split")[:5])
    a.put(frame(TEXT, "split")[5:])
    f.wait("ws.text", text="split")
    f.wait("ws.text", text="early")
    assert [t for t, _, _, _ in f.events if t != "ws.clients"] == ["ws.open", "ws.text", "ws.text"]
    gone = Client(f, extra=frame(CLOSE, close_payload(1000)))
    gone.expect_close(1000)
    bad = Client(f, extra=b"GET / HTTP/1.1\r\n\r\n")
    bad.expect_close(1002)
    f.wait_now("ws.clients", count=1)


@check()
def open_says_who(f):
    a = Client(f, path="/ws", query="a=b&c", group="kitchen")
    assert f.wait("ws.open", peer=a.peer) == {"client": a.id, "peer": a.peer, "path": "/ws",
                                              "query": "a=b&c", "group": "kitchen"}
    assert a.id < 2 ** 53


@check()
def closing(f):
    for code, reason in ((1000, ""), (1000, "bye"), (1001, "gone"), (3000, "x"), (4999, "\u00e4")):
        c = Client(f)
        c.put(frame(CLOSE, close_payload(code, reason)))
        c.expect(CLOSE, close_payload(code, reason))
        assert c.next() is None
        f.wait("ws.closed", client=c.id, code=code, reason=reason, cause="ok")
    c = Client(f)
    c.put(frame(CLOSE))
    c.expect(CLOSE, b"")
    assert c.next() is None
    f.wait("ws.closed", client=c.id, code=1005, reason="", cause="ok")
    f.wait_now("ws.clients", count=0)


@check()
def violations(f):
    other = Client(f)
    for name, data, code in (
            ("unmasked", frame(TEXT, "x", mask=False), 1002),
            ("opcode 3", frame(3, "x"), 1002),
            ("opcode 11", frame(11, "x"), 1002),
            ("RSV1", frame(TEXT, "x", rsv=4), 1002),
            ("RSV3 on ping", frame(PING, "x", rsv=1), 1002),
            ("long ping", frame(PING, b"x" * 126), 1002),
            ("fragmented ping", frame(PING, b"x", fin=False), 1002),
            ("continuation of nothing", frame(0, "x"), 1002),
            ("text inside text", frame(TEXT, "x", fin=False) + frame(TEXT, "y"), 1002),
            ("length not minimal", b"\x81\xfe\x00\x05\0\0\0\0hello", 1002),
            ("length 2^63", b"\x82\xff\x80" + bytes(11), 1002),
            ("length 2^62", b"\x82\xff\x40" + bytes(12), 1009),
            ("not UTF-8", frame(TEXT, b"\xff"), 1007),
            ("UTF-8 cut short", frame(TEXT, b"\xc3"), 1007),
            ("surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
            ("bad in 2nd fragment", frame(TEXT, b"a\xc3", fin=False) + frame(0, b"a"), 1007),
            ("close of one byte", frame(CLOSE, b"\x03"), None),
            ("close 1005", frame(CLOSE, close_payload(1005)), 1002),
            ("close 999", frame(CLOSE, close_payload(999)), 1002),
            ("close not UTF-8", frame(CLOSE, b"\x03\xe8\xff"), 1007),
            ("garbage", b"\xff" * 64, 1002)):
        c = Client(f)
        c.put(data)
        if code is None:
            assert c.next()[0] == CLOSE
        else:
            try:
                c.expect_close(code)
            except AssertionError as e:
                raise AssertionError("%s: %s" % (name, e))
            f.wait("ws.closed", client=c.id, code=code,
                   cause="limit" if code == 1009 else "protocol")
    f.say("still here")
    other.expect(TEXT, "still here")


@check()
def websockets_library(f):
    import websockets
    httpd = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "handover.py"), "0", "ws"],
                             stdout=subprocess.PIPE)
    port = int(httpd.stdout.readline())

    async def talk():
        url = "ws://127.0.0.1:%d/ws" % port
        async with websockets.connect(url) as a, websockets.connect(url + "?group=g") as b:
            await a.send("hello")
            await b.send(b"\x00" * 70000)
            await asyncio.to_thread(f.wait, "ws.text", text="hello")
            await asyncio.to_thread(f.wait, "ws.binary", data=b"\x00" * 70000)
            await (await a.ping())
            f.say("for g", to="g")
            assert await b.recv() == "for g"
            f.send(("x", {"data": b"to all"}))
            assert await a.recv() == b"to all" and await b.recv() == b"to all"
            httpd.kill()
            httpd.wait()
            f.say("httpd is gone", confirm=True, mark=3)
            assert await a.recv() == "httpd is gone" == await b.recv()
            await a.send("and I can still talk")
            await asyncio.to_thread(f.wait, "ws.text", text="and I can still talk", seen=3)
            f.proc.send_signal(signal.SIGTERM)
            await a.wait_closed()
            await b.wait_closed()
            assert (a.close_code, b.close_code) == (1001, 1001), (a.close_code, b.close_code)

    try:
        asyncio.run(talk())
    finally:
        httpd.kill()
        httpd.wait()
        httpd.stdout.close()
    assert f.proc.wait(5) == 0
