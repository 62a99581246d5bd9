"""Runs a command in a terminal of its own and tells, as JSON, what it wrote and what was left of the terminal.

Usage: terminal.py COLUMNS ROWS STEPS COMMAND...
STEPS: a JSON list, each {"until": text} (waits until this text has been written since the last step), {"keys": text},
{"resize": [columns, rows]} or {"signal": number}. Ends with the command, or after 20 s without what is waited for.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

WAIT_S_MAX = 20


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def modes(fd):
    flags = termios.tcgetattr(fd)[3]
    return {"echo": bool(flags & termios.ECHO), "lines": bool(flags & termios.ICANON)}


def main():
    columns, rows, steps, command = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]
    ours, theirs = pty.openpty()
    resize(ours, columns, rows)
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(theirs, fd)
        os.execvp(command[0], command)
    written, seen, code, late = b"", 0, None, time.monotonic() + WAIT_S_MAX
    during = None
    while code is None and time.monotonic() < late:
        if select.select([ours], [], [], 0.02)[0]:
            written += os.read(ours, 65536)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
        while code is None and steps:
            step = steps[0]
            if "until" in step:
                at = written.find(step["until"].encode(), seen)
                if at < 0:
                    break
                seen = at + len(step["until"].encode())
                during = modes(theirs)
            elif "keys" in step:
                seen = len(written)
                os.write(ours, step["keys"].encode())
            elif "resize" in step:
                seen = len(written)
                resize(ours, *step["resize"])
                os.kill(child, signal.SIGWINCH)
            else:
                os.kill(child, step["signal"])
            steps.pop(0)
            late = time.monotonic() + WAIT_S_MAX
    if code is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    while select.select([ours], [], [], 0)[0]:
        written += os.read(ours, 65536)
    text = written.decode("utf-8", "replace")
    print(json.dumps({"code": code, "text": text, "during": during, "after": modes(theirs), "left": steps}))


main()
