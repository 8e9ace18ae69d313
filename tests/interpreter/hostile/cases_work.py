"""Cases against the limits: time, processes, memory, output, input."""

# ruff: noqa: E501  (a snippet stays in one piece)

from __future__ import annotations

from judge import Case, attempts, calls, ended, harmless, never, prints, refused, stops

TIME = [
    Case("endless loop", "while 1: pass", stops("timeout")),
    Case("endless loop in C", "max(iter(int, 1))", stops("timeout")),
    Case("loop that swallows everything", "while 1:\n try:\n  while 1: pass\n except BaseException: continue", stops("timeout")),
    Case("sleep keeps what was printed", "import time\nprint('early')\ntime.sleep(99)", lambda r: r.status == "timeout" and r.stdout == "early\n"),
    Case(
        "all signals ignored",
        "import signal, time\nfor s in range(1, 65):\n try: signal.signal(s, signal.SIG_IGN)\n except (OSError, ValueError): pass\ntime.sleep(99)",
        stops("timeout"),
    ),
    Case("number too large to finish", "n = 7 ** (10 ** 9)\nprint(n % 10 ** 5)", ended),
    Case("nested brackets for the parser", "[" * 90_000 + "]" * 90_000, ended),
    Case("long chain for the compiler", "+" * 180_000 + "1", harmless),
    Case("huge power folded by the compiler", "x = " + "**".join(["9"] * 40), harmless),
    Case("regular expression that explodes", "import re\nre.match(r'(a+)+$', 'a' * 40 + '!')", stops("timeout")),
    Case("stops itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", stops("timeout")),
    Case("pauses for ever", "import signal\nsignal.pause()", stops("timeout")),
    Case("alarm to outlive the limit", "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)\nsignal.signal(14, lambda *a: None)\nwhile 1: time.sleep(1)", stops("timeout")),
    Case("thread that never ends", "import threading\ndef f():\n while 1: pass\nthreading.Thread(target=f).start()", stops("timeout")),
    Case("endless destructor", "class A:\n def __del__(self):\n  while 1: pass\nA()", stops("timeout")),
    Case("endless exit hook", "import atexit, threading\nthreading._register_atexit(lambda: [0 for _ in iter(int, 1)])", stops("timeout", "ok")),
    Case("exception whose text never ends", "class E(Exception):\n def __str__(self):\n  while 1: pass\nraise E", stops("timeout")),
    Case("deadlock on a lock", "import threading\nl = threading.Lock(); l.acquire(); l.acquire()", stops("timeout")),
    Case("reading from a pipe nobody writes", "import os\nr, w = os.pipe(); os.read(r, 1)", stops("timeout")),
]

PROCESSES = [
    Case("fork storm", "import os\nwhile 1:\n try: os.fork()\n except OSError: pass", stops("timeout")),
    calls("raw fork, vfork, clone, clone3", "call(57, 220, 17, 0, 0, 0, 0)", "call(58, 220, 17, 0, 0, 0, 0)", "call(56, 220, 17, 0, 0, 0, 0)", "call(435, 435, b, 64)"),
    calls("clone into new namespaces", "call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)", "call(56, 220, 0x20000000 | 17, 0, 0, 0, 0)", "call(56, 220, 0x10000 | 0x800 | 0x100 | 0x20000, 0, 0, 0, 0)"),
    Case("daemon by double fork", "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: time.sleep(40)\n os._exit(0)\nprint('x')", ended),
    Case("child that holds stdout", "import subprocess\nsubprocess.Popen(['sleep', '40'])\nprint('over')", ended),
    Case("thread that holds stdout", "import threading, time\nthreading.Thread(target=time.sleep, args=(40,), daemon=True).start()\nprint('x')", lambda r: r.status == "ok" and r.run_s < 2),
    Case("a thousand zombies", "import os\nfor _ in range(1000):\n if os.fork() == 0: os._exit(0)", ended),
    Case(
        "thread storm",
        "import threading, time\nn = 0\ntry:\n while n < 4000:\n  threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); n += 1\nexcept BaseException as e: print(type(e).__name__)\nprint('n', n)",
        never("n 4000"),
    ),
    Case(
        "thread storm with small stacks",
        "import threading, time\nthreading.stack_size(32768)\nn = 0\ntry:\n while n < 4500: threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); n += 1\nexcept BaseException as e: print(type(e).__name__)\ntime.sleep(.2)\nprint('many' if n > 130 else 'few', n)",
        never("many"),
        3.0,
    ),
    Case("sixteen threads work", "from concurrent.futures import ThreadPoolExecutor as P\nimport threading\nb = threading.Barrier(16)\nwith P(16) as p: print(len(list(p.map(lambda n: b.wait(), range(16)))))", prints("16")),
    Case("a few threads work", "from concurrent.futures import ThreadPoolExecutor as P\nwith P(3) as p: print(sum(p.map(abs, [-1, 2, -3])))", prints("6")),
    refused("exec and spawn", "os.execv('/bin/sh', ['sh'])", "os.posix_spawn('/bin/sh', ['sh'], {})", "subprocess.run(['/bin/sh'])", "os.execv(os.open('/bin/sh', 0), [''])", setup="import os, subprocess"),
    refused("multiprocessing", "m.Process(target=print).start()", "m.Pool(1)", setup="import multiprocessing as m"),
    Case("thread storm from C", "import ctypes\nc = ctypes.CDLL(None)\nF = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)\nf = F(lambda a: c.pause())\nt = ctypes.c_ulong()\nn = 0\nwhile n < 4000 and c.pthread_create(ctypes.byref(t), None, f, None) == 0: n += 1\nprint('n', n)", never("n 4000")),
]

MEMORY = [
    Case("eight gigabytes at once", "b = bytes(8 << 30)", stops("memory")),
    Case("list that doubles", "l = [1]\nwhile 1: l += l", ended, 2.0),
    Case("shared mapping", "import mmap\nm = mmap.mmap(-1, 8 << 30)", ended),
    Case("memory as a file", "import os\nos.memfd_create('m')\nprint('DID')", never("DID")),
    Case("many threads that allocate", "import threading\nfor _ in range(40): threading.Thread(target=lambda: bytearray(1 << 28)).start()", harmless),
    Case("recursion without a limit", "import sys\nsys.setrecursionlimit(1 << 30)\ndef f(n): return [f(n + 1)]\nf(0)", ended, 1.0),
    Case("recursion", "def f(n): return f(n + 1)\nf(0)", stops("error")),
    Case("numpy array too large", "import numpy as np\nnp.ones(1 << 33)", stops("memory"), 5.0),
    Case("numpy map of a file beyond the quota", "import numpy as np\nm = np.memmap('m', dtype='u1', mode='w+', shape=1 << 33)\nm[:] = 1", ended, 5.0),
    Case("pages locked in memory", "import ctypes\nprint('r', ctypes.CDLL(None).mlockall(3))", never("r 0")),
    Case("pipes as memory", attempts("fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)", setup="import fcntl, os"), never("DID")),
    refused("stack that grows", "t.stack_size(1 << 30); t.Thread(target=abs, args=(1,)).start()", setup="import threading as t"),
    Case("strings that double", "s = 'ab'\nwhile 1: s = s + s", ended, 2.0),
    Case("compressed bomb", "import zlib\nd = zlib.compress(bytes(1 << 26))\nx = [zlib.decompress(d) for _ in range(100)]", ended, 1.0),
]

OUTPUT = [
    Case("gigabytes on stdout", "s = 'y' * 65536\nwhile 1: print(s)", stops("output_limit")),
    Case("gigabytes, errors swallowed", "import os\nb = b'y' * 65536\nwhile 1:\n try: os.write(1, b)\n except OSError: pass", lambda r: r.stdout_bytes <= 4 << 20 and ended(r)),
    Case("gigabytes on stderr", "import os\nwhile 1: os.write(2, b'z' * 65536)", stops("output_limit")),
    Case("a megabyte, then the end", "print('y' * (1 << 20)); print('THE END')", lambda r: r.status == "ok" and r.stdout.endswith("THE END\n")),
    Case("hole in the output", "import os\nos.lseek(1, 1 << 40, 0); os.write(1, b'x')", lambda r: r.stdout_bytes <= 1),
    Case("hole within the limit", "import os\nos.lseek(1, 3 << 20, 0); os.write(1, b'x')", harmless),
    Case("output cut off behind itself", "import os\nprint('a' * 999)\nos.ftruncate(1, 0)", harmless),
    Case("output grown by truncation", "import os\nos.ftruncate(1, 1 << 40)", ended),
    Case("bytes that are no text", "import os\nos.write(1, bytes(range(256)))", stops("ok")),
    Case("half a character printed", "print('\\udc80\\ud800')", stops("ok")),
    Case("right-to-left and zero-width text", "print('\\u202e\\u200b\\ufeff' * 99)", stops("ok")),
    Case("stdout closed", "import sys\nsys.stdout.close(); sys.stderr.close()", harmless),
    Case("descriptors crossed", "import os\nos.dup2(2, 1); os.dup2(0, 2); print('x')", harmless),
    Case("all descriptors closed", "import os\nos.closerange(0, 4096)", harmless),
    Case("output mapped and changed while read", "import mmap\nm = mmap.mmap(1, 4096)\nprint('DID')", harmless),
    Case("sealed output", "import fcntl\nfcntl.fcntl(1, 1033, 15)\nprint('DID')", never("DID")),
    Case("threads race on stdout", "import threading\ndef f(): print('q' * 9999, flush=True)\n[threading.Thread(target=f).start() for _ in range(20)]", lambda r: r.status == "ok" and r.stdout_bytes == 20 * 10_000),
    Case("descriptor storm", "import os\nf = []\nwhile 1: f.append(os.dup(1))", stops("error")),
    Case("stdout replaced by a liar", "import sys\nclass L:\n def write(self, s): raise SystemError\n def flush(self): raise MemoryError\nsys.stdout = L(); sys.stderr = L()\n1/0", harmless),
]

INPUT = [
    Case("reads stdin", "print(repr(input()))", stops("error")),
    Case("NUL in the code", "print(1)\0", stops("error")),
    Case("lone surrogate in the code", "x = '\ud800'", harmless),
    Case("long string in the code", "x = '" + "a" * 200_000 + "'\nprint(len(x))", prints("200000")),
    Case("names in look-alike letters", "ｅval = 1\nprint(ｅval, 𝑜𝑝𝑒𝑛.__name__)", harmless),
    Case("form feeds and odd line ends", "x = 1\r\n\x0cprint(x)\r", harmless),
    Case("declared in another encoding", "# -*- coding: utf-7 -*-\nprint('+ADw-')", harmless),
    Case("thread that outlasts the script", "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.1), print('late'))).start()", prints("late")),
    Case("leaves early", "import sys\nprint('a'); sys.exit(0)", prints("a")),
    Case("leaves at once", "import os\nos.write(1, b'a\\n'); os._exit(7)", lambda r: r.exit_code == 7 and r.stdout == "a\n"),
    Case("leaves with a large number", "raise SystemExit(1 << 80)", harmless),
    Case("leaves with an object", "class X:\n def __str__(self): raise KeyboardInterrupt\nraise SystemExit(X())", harmless),
    Case("crash", "import ctypes\nctypes.string_at(8)", stops("killed")),
    Case("abort", "import os\nos.abort()", stops("killed")),
    Case("signal to itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", stops("killed")),
    Case("pickle that calls", "import pickle\nclass P:\n def __reduce__(self): return (__import__('os').system, ('true',))\nprint('r', pickle.loads(pickle.dumps(P())))", never("r 0")),
    Case("code object from bytes", "import types\nf = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes([255] * 64))\nf()", harmless),
    Case("exception cycle", "a = ValueError(); b = KeyError(); a.__cause__ = b; b.__cause__ = a\nraise a", stops("error")),
    Case("chain of ten thousand causes", "e = None\nfor _ in range(10000):\n n = ValueError(); n.__cause__ = e; e = n\nraise e", ended),
]

CASES = TIME + PROCESSES + MEMORY + OUTPUT + INPUT
