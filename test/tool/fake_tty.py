#!/usr/bin/python3
"""A serial device that does what a test tells it: a pseudo-terminal behind a symbolic link.

    fake_tty.py LINK CONTROL LOG

CONTROL is a named pipe (made here) that takes lines; LOG receives every byte the host sends.

    send TEXT     \\n, \\r, \\xNN understood        file PATH     all bytes of a file
    hold          stop reading                    go            read again
    unplug        hang up and remove the link     plug [OCTAL]  new pseudo-terminal, link it
    link PATH     where the next plug links it    mode OCTAL    chmod of the node
    termios       print the line's settings       quit

It starts plugged in and cooked, as a fresh serial port is. Answers are printed, one line each.
"""
import fcntl
import os
import select
import struct
import sys
import termios
import time

link, control, log_name = sys.argv[1:4]
os.mkfifo(control)
ctl = os.open(control, os.O_RDWR | os.O_NONBLOCK)
log = open(log_name, "ab", buffering=0)
master, spare, reading, out = -1, -1, True, b""


def plug(mode=None):
    """The node is made while the old one still exists, so it has another number."""
    global master, spare
    master = spare if spare >= 0 else os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    spare = -1
    tty_unlock(master)
    os.set_blocking(master, False)
    if mode:
        os.chmod(node(), int(mode, 8))
    os.symlink(node(), link + ".new")
    print("plugged", time.time_ns(), flush=True)
    os.rename(link + ".new", link)


def tty_unlock(fd):
    fcntl.ioctl(fd, 0x40045431, struct.pack("i", 0))  # TIOCSPTLCK


def node():
    number = struct.unpack("i", fcntl.ioctl(master, 0x80045430, b"\0" * 4))[0]  # TIOCGPTN
    return "/dev/pts/%d" % number


def unplug():
    global master, spare, out
    spare = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    os.unlink(link)
    print("unplugged", time.time_ns(), flush=True)
    os.close(master)
    master, out = -1, b""


def settings():
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(master)
    names = {termios.B115200: 115200, termios.B9600: 9600, termios.B38400: 38400}
    flags = [n for n in ("ICANON", "ISIG", "ECHO") if lflag & getattr(termios, n)]
    flags += [n for n in ("PARENB", "CSTOPB", "CRTSCTS", "CREAD", "CLOCAL")
              if cflag & getattr(termios, n)]
    flags += ["CS8"] if cflag & termios.CSIZE == termios.CS8 else []
    flags += ["OPOST"] if oflag & termios.OPOST else []
    wait = ["%d" % ord(cc[i]) if isinstance(cc[i], bytes) else "%d" % cc[i]
            for i in (termios.VMIN, termios.VTIME)]
    print("iflag=%d" % iflag, "speed=%s" % names.get(ospeed, ospeed), *flags,
          "min=%s time=%s" % tuple(wait), flush=True)


def do(line):
    global reading, out, link
    word, _, rest = line.partition(" ")
    if word == "send":
        out += rest.encode().decode("unicode_escape").encode("latin-1")
    elif word == "file":
        out += open(rest, "rb").read()
    elif word in ("hold", "go"):
        reading = word == "go"
    elif word == "unplug":
        unplug()
    elif word == "plug":
        plug(rest)
    elif word == "link":
        link = rest
    elif word == "mode":
        os.chmod(node(), int(rest, 8))
    elif word == "termios":
        settings()
    elif word == "quit":
        sys.exit(0)


def pump(events):
    """Bytes both ways; a line without a host says EIO on read and is left alone for a moment."""
    global out
    if events & select.POLLOUT and out:
        try:
            out = out[os.write(master, out[:4096]):]
        except BlockingIOError:
            pass
    if events & (select.POLLIN | select.POLLHUP) and reading:
        try:
            log.write(os.read(master, 65536))
        except BlockingIOError:
            pass
        except OSError:
            select.select([ctl], [], [], 0.02)


plug()
print("ready", node(), flush=True)
pending = b""
while True:
    p = select.poll()
    p.register(ctl, select.POLLIN)
    if master >= 0 and (reading or out):
        p.register(master, (select.POLLIN if reading else 0) | (select.POLLOUT if out else 0))
    for fd, ev in p.poll():
        if fd == ctl:
            pending += os.read(ctl, 65536)
            *lines, pending = pending.split(b"\n")
            for one in lines:
                do(one.decode())
            break
        pump(ev)
