"""A child that misbehaves, in place of the link's: what it does stands in the environment."""

import os
import select
import socket
import sys

SAYS = {
    "noise": b"\x00\xff not json\n",
    "unknown": b'{"kind":"open","portal":"front"}\n',
    "endless": b"a" * 400_000,
    "fields": b'{"kind":"up","on":1,"protocol":"5"}\n',
    "deep": b"[" * 200_000 + b"\n",
    "early": b'{"kind":"taken","tokens":[1]}\n',
    "greedy": b'{"kind":"up","on":true,"protocol":"5"}\n{"kind":"taken","tokens":[1]}\n',
    "flood": b'{"kind":"up","on":true,"protocol":"5"}\n'
    + b'{"kind":"message","token":1,"topic":"command","payload":"e30=","retained":false,'
    b'"flaw":"","again":false,"number":0}\n' * 2,
    "stranger": b'{"kind":"message","token":1,"topic":"stored","payload":"","retained":false,'
    b'"flaw":"too_long","again":false,"number":0}\n',
    "beats": b'{"kind":"up","on":true,"protocol":"5"}\n',
    "mute": b'{"kind":"up","on":true,"protocol":"5"}\n',
}

if __name__ == "__main__":
    what = os.environ["LINK_STUB"]
    channel = socket.socket(fileno=int(sys.argv[1]))
    if what == "dies":
        sys.exit(7)
    channel.sendall(SAYS[what])
    gone = select.poll()
    gone.register(channel, 0)  # never reads; ends when the door's end has closed
    while what == "beats" and not gone.poll(10):
        channel.sendall(b'{"kind":"beat"}\n')
    gone.poll()
