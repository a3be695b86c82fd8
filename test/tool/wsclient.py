#!/usr/bin/python3
"""Browsers for tests: N WebSocket clients by an independent library.

wsclient.py URL [N]   standard input: "K TEXT" sends TEXT on client K (0..), "K close", "K stall"
                      standard output: "ready" when all are open, then "K TEXT" for each text
                      received and "K closed CODE"
"""
import asyncio
import sys

import websockets


async def receive(k, ws, stalled):
    try:
        while True:
            await stalled[k].wait()
            print(k, await ws.recv(), flush=True)
    except websockets.ConnectionClosed as e:
        print(k, "closed", e.rcvd.code if e.rcvd else 1006, flush=True)


async def commands(clients, stalled):
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        k, _, text = line.decode().rstrip("\n").partition(" ")
        if text == "close":
            await clients[int(k)].close()
        elif text == "stall":
            stalled[int(k)].clear()
        else:
            await clients[int(k)].send(text)


async def main(url, n):
    clients = [await websockets.connect(url, ping_interval=None, compression=None, max_queue=4)
               for _ in range(n)]
    stalled = [asyncio.Event() for _ in range(n)]
    for e in stalled:
        e.set()
    tasks = [asyncio.create_task(receive(k, ws, stalled)) for k, ws in enumerate(clients)]
    print("ready", flush=True)
    asyncio.create_task(commands(clients, stalled))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1))
