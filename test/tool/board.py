#!/usr/bin/python3
"""The selection panel's board, for tests: a pseudo-terminal behind a symbolic link.

board.py LINK   standard input: press N | send TEXT | raw ESCAPED | unplug | plug | stall | flow
                standard output: each line the board is sent; "open PATH" after each plug
"""
import os
import select
import sys
import termios
import tty


class Board:
    def __init__(self, link):
        self.link = link
        self.pending = b""
        self.stalled = False
        self.master = self.slave = None
        self.plug()

    def plug(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave, termios.TCSANOW)
        fresh = f"{self.link}.new"
        os.symlink(os.ttyname(self.slave), fresh)
        os.rename(fresh, self.link)
        print("open", os.ttyname(self.slave), flush=True)

    def unplug(self):
        os.unlink(self.link)
        os.close(self.slave)
        os.close(self.master)
        self.master = None

    def command(self, line):
        word, _, rest = line.partition(" ")
        if word == "press":
            self.write(f"PRESS {int(rest):03d}\r\n".encode())
        elif word == "send":
            self.write(rest.encode() + b"\r\n")
        elif word == "raw":
            self.write(rest.encode().decode("unicode_escape").encode("latin-1"))
        elif word in ("stall", "flow"):
            self.stalled = word == "stall"
        else:
            getattr(self, word)()

    def write(self, data):
        while data:
            data = data[os.write(self.master, data):]

    def read(self):
        *lines, self.pending = (self.pending + os.read(self.master, 4096)).split(b"\n")
        for line in lines:
            print(line.decode(errors="replace").strip(), flush=True)

    def run(self):
        buffer = b""
        while True:
            watch = [0] + ([self.master] if self.master and not self.stalled else [])
            ready = select.select(watch, [], [])[0]
            if self.master in ready:
                self.read()
            if 0 in ready:
                data = os.read(0, 4096)
                if not data:
                    return
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    self.command(line.decode().strip())


if __name__ == "__main__":
    Board(sys.argv[1]).run()
