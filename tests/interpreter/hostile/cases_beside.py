"""Cases against another call that runs at the same moment, in the slot beside: its files, its memory, its life."""

# ruff: noqa: E501  (a snippet stays in one piece)

from __future__ import annotations

from judge import Case, attempts, never, prints

_MARK = "MARK-OF-THE-CALL-BESIDE"
_VICTIM = f"import os, time\nopen('note', 'w').write({_MARK!r}); open('tmp/note', 'w').write({_MARK!r}); x = {_MARK!r} * 9\nprint(os.getcwd(), os.getpid(), flush=True)\ntime.sleep(.3)\nassert open('note').read() == {_MARK!r} and os.listdir('tmp') == ['note']"
_START = "import os, time\ntime.sleep(.1)\n"


def _beside(name: str, code: str) -> Case:
    return Case(name, _START + code, never("DID", _MARK), beside=_VICTIM)


CASES = [
    _beside("its scratch folder by path", "me = os.path.realpath('.')\nfor n in range(400):\n for p in (f'/scratch/{n}', os.path.join(os.path.dirname(me), str(n))):\n  for f in ('note', 'tmp/note'):\n   try:\n    if p != me: print('DID', p, open(f'{p}/{f}').read())\n   except OSError: pass"),
    _beside("its scratch folder by walking", "for d, s, f in os.walk(os.path.dirname(os.path.realpath('.'))):\n if 'note' in f: print('DID', d)"),
    _beside("writing into its scratch folder", "me = os.path.realpath('.')\nfor n in range(400):\n for p in (f'/scratch/{n}', os.path.join(os.path.dirname(me), str(n))):\n  for act in (lambda: open(p + '/evil', 'w'), lambda: os.mkdir(p + '/tmp/evil'), lambda: os.rename(p + '/note', 'n'), lambda: os.link(p + '/note', 'n'), lambda: os.remove(p + '/note')):\n   try:\n    if p != me: act(); print('DID', p)\n   except OSError: pass"),
    _beside("its process by signals", "for n in range(1, 2000):\n if n != os.getpid():\n  for s in (0, 9, 19):\n   try: os.kill(n, s); print('DID', n)\n   except OSError: pass"),
    _beside("its process by threads' signals", "import ctypes\nc = ctypes.CDLL(None)\narm = os.uname().machine == 'aarch64'\nfor n in range(1, 2000):\n if n != os.getpid() and (c.syscall(131 if arm else 234, n, n, 9) == 0 or c.syscall(130 if arm else 200, n, 9) == 0): print('DID', n)"),
    _beside("its memory", "import ctypes\nc = ctypes.CDLL(None)\nb = ctypes.create_string_buffer(64); v = (ctypes.c_void_p * 2)(ctypes.addressof(b), 64)\narm = os.uname().machine == 'aarch64'\nfor n in range(1, 2000):\n if n != os.getpid():\n  if c.ptrace(16, n, 0, 0) == 0 or c.ptrace(0x4206, n, 0, 0) == 0 or c.syscall(270 if arm else 310, n, v, 1, v, 1, 0) > 0: print('DID', n)\n  for w in ('mem', 'maps', 'environ', 'cwd/note', 'root', 'fd/1'):\n   try: print('DID', n, open(f'/proc/{n}/{w}', 'rb').read(9))\n   except OSError: pass"),
    _beside("its descriptors", "import ctypes\nc = ctypes.CDLL(None)\nfor n in range(1, 400):\n p = c.syscall(434, n, 0)\n if p >= 0: print('DID', n)\n for d in range(9):\n  if n != os.getpid() and c.syscall(438, n, d, 0) >= 0: print('DID', n, d)"),
    _beside("its limits and turns", "import ctypes, resource\nc = ctypes.CDLL(None)\nfor n in range(1, 2000):\n if n != os.getpid():\n  for act in (lambda: resource.prlimit(n, resource.RLIMIT_CPU, (0, 0)), lambda: os.sched_setaffinity(n, {0}), lambda: os.setpriority(0, n, 19), lambda: os.sched_setscheduler(n, 5, os.sched_param(0))):\n   try: act(); print('DID', n)\n   except OSError: pass"),
    Case(
        "a meeting of two calls by sockets, locks and pipes",
        _START + attempts("socket.socket(socket.AF_UNIX).connect('\\0meet')", "socket.socket(socket.AF_INET).connect(('127.0.0.1', 4711))", "fcntl.flock(open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)", "os.open('/scratch/fifo', os.O_RDONLY | os.O_NONBLOCK)", "os.open('/tmp/fifo', os.O_RDONLY | os.O_NONBLOCK)", setup="import socket, fcntl"),
        never("DID"),
        beside="import socket, os, time\nfor act in (lambda: socket.socket(socket.AF_UNIX).bind('\\0meet'), lambda: socket.socket().bind(('127.0.0.1', 4711)), lambda: os.mkfifo('/scratch/fifo'), lambda: os.mkfifo('/tmp/fifo')):\n try: act()\n except OSError: pass\ntime.sleep(.3)",
    ),
    Case("the call beside sees nothing of this one", "open('note', 'w').write('x'); open('tmp/more', 'w')\nimport time; time.sleep(.3); print('x')", prints("x"), beside="import os, time\ntime.sleep(.15)\nassert sorted(os.listdir('.')) == ['tmp'] and not os.listdir('tmp')"),
]
