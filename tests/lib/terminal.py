"""Runs a command on a terminal of its own: `terminal.py STEPS COMMAND…`. STEPS is JSON, a list of [a text to wait for, the
keys to send then]. Prints its exit code and what it showed as JSON, also where a text does not come in time."""

import json
import os
import pty
import signal
import sys

LONGEST_S = 100

steps = [[part.encode() for part in step] for step in json.loads(sys.argv[1])]
command = sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(LONGEST_S)

shown, seen = b"", 0
while True:
    try:
        data = os.read(terminal, 1 << 16)
    except OSError:  # Nobody has the terminal open any more.
        break
    shown += data
    while steps and (at := shown.find(steps[0][0], seen)) >= 0:
        wanted, keys = steps.pop(0)
        seen = at + len(wanted)
        os.write(terminal, keys)
    if not data:
        break
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "screen": shown.decode(errors="replace").replace("\r\n", "\n")}))
