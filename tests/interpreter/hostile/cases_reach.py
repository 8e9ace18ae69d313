"""Cases against the doors: files, secrets, other processes, the network, notes between calls, the harness, privilege,
answers."""

# ruff: noqa: E501  (a snippet stays in one piece)

from __future__ import annotations

import os
import re

from judge import CANARY, KEY, SECRET, Case, attempts, calls, ended, harmless, never, prints, refused, stops

FILES = [
    Case("the user list", "print(open('/etc/passwd').read())", never("root:")),
    Case("the password list", "print(open('/etc/shadow').read())", never("root:")),
    refused("home folders", "os.listdir('/root')", "os.listdir('/root/.ssh')", "os.listdir('/home/x')", "assert os.listdir('/home')", setup="import os"),
    Case("the file with the answers", f"print(open({CANARY!r}).read())", never(SECRET)),
    refused("writing outside", *(f"open({p!r}, 'w')" for p in ("/tmp/canary/evil", "/evil", "/usr/evil", "/dev/shm/evil", "/run/evil", "/var/tmp/evil", "/tmp/evil", "/dev/evil"))),
    Case("writing into the import path", "import sys\nfor p in sys.path:\n try: open(p + '/evil.pth', 'w'); print('DID', p)\n except OSError: pass", never("DID")),
    refused("mode, times, attributes of shared files", "os.chmod(f, 0o777)", "os.utime(f, (0, 0))", "os.setxattr(f, 'user.x', b'1')", "os.chown(f, 1000, 1000)", "os.truncate(f, 1)", setup="import os; f = os.__file__"),
    Case("removing a shared file", f"import os\nos.remove({CANARY!r})", lambda r: os.path.exists(CANARY)),
    Case("removing the work folder", "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)", harmless),
    Case("renaming the work folder", attempts("os.rename(os.getcwd(), '/tmp/moved')", "os.rename('.', '../moved')", setup="import os"), never("DID")),
    Case("symbolic link outwards", f"import os\nos.symlink({CANARY!r}, 'l'); print(open('l').read())", never(SECRET)),
    Case("hard link outwards", f"import os\nos.link({CANARY!r}, 'h'); print(open('h').read())", never(SECRET)),
    Case("ways around", "\n".join(f"try: print(open({p!r}).read())\nexcept OSError: pass" for p in ("../tmp/canary/secret.txt", "/proc/self/root/tmp/canary/secret.txt", "/proc/1/root/tmp/canary/secret.txt", "/.old/tmp/canary/secret.txt", "/proc/self/cwd/../tmp/canary/secret.txt", "//tmp//canary/./secret.txt")), never(SECRET)),
    Case("disk full of large files", "n = 0\nwhile n < 400: open(f'f{n}', 'wb').write(bytes(1 << 21)); n += 1\nimport time; time.sleep(1); print('DID')", stops("disk_limit"), 3.0),
    Case("disk full of small files", "n = 0\nwhile n < 20000: open(f'i{n}', 'w'); n += 1\nprint('DID')", lambda r: r.status == "disk_limit" or "DID" not in r.stdout, 5.0),
    Case("disk full of unlinked files", "import os\nf = []\nwhile 1:\n f.append(open('u', 'wb', 0)); os.remove('u'); f[-1].write(bytes(1 << 22))", ended, 3.0),
    Case("very deep folders", "import os\nwhile 1: os.mkdir('d'); os.chdir('d')", ended, 1.0),
    Case("folders without rights", "import os\nos.mkdir('n', 0); os.mkdir('m', 0o700); os.mkdir('m/n', 0)", harmless),
    Case("odd file names", "import os\nfor n in (b'\\xff\\xfe', b'a\\nb', b'-rf', b'\\xe2\\x80\\xae'): open(n, 'w')", harmless),
    Case("named pipe left behind", "import os\nos.mkfifo('p')", harmless),
    Case("emptying by opening to read", "import os\nn = os.path.getsize(os.__file__)\ntry: os.close(os.open(os.__file__, os.O_RDONLY | os.O_TRUNC))\nexcept OSError: pass\nprint(n == os.path.getsize(os.__file__))", prints("True")),
    Case("opening with neither right", attempts(f"os.open({CANARY!r}, 3)", f"os.open({CANARY!r}, 3 | os.O_TRUNC)", setup="import os"), never("DID")),
    refused("path handles", "os.listdir(os.open('/', os.O_PATH))", "os.open('etc/passwd', 0, dir_fd=os.open('/', os.O_PATH))", f"open('/proc/self/fd/%d' % os.open({CANARY!r}, os.O_PATH))", setup="import os"),
    calls("openat2 and handles by number", "call(437, 437, -100, b'/etc/passwd', b, 24)", "call(303, 264, -100, b'/etc/passwd', b, b, 0)", "call(304, 265, -100, b, 0)"),
    refused("device files", "open('/dev/mem', 'rb')", "open('/dev/sda', 'rb')", "open('/dev/kmsg')", "open('/dev/tty')", "open('/dev/ptmx', 'r+b')", "open('/dev/fuse', 'r+b')"),
    Case("endless device", "open('/dev/zero').read()", ended, 3.0),
    refused("the kernel's windows", *(f"open({p!r}).read()" for p in ("/proc/self/maps", "/proc/cpuinfo", "/proc/cmdline", "/proc/self/mem", "/proc/kallsyms", "/sys/kernel/notes", "/proc/self/status"))),
    Case("sqlite reads a shared file", f"import sqlite3\nprint(sqlite3.connect('file:{CANARY}?mode=ro', uri=True).execute('select 1').fetchall())\nprint(sqlite3.connect(':memory:').execute(\"select readfile('{CANARY}')\").fetchall())", never(SECRET)),
    Case("numpy reads a shared file", f"import numpy as np\nprint(bytes(np.fromfile({CANARY!r}, dtype='u1')))", never(SECRET), 5.0),
    Case("C library reads a shared file", f"import ctypes\nc = ctypes.CDLL(None); c.fopen.restype = ctypes.c_void_p\nprint('f', c.fopen({CANARY!r}.encode(), b'r'))", prints("f None")),
]

SECRETS = [
    Case("environment", "import os\nprint(dict(os.environ))", never(KEY, "TRAINER_KEY")),
    Case("environment of the C library", "import ctypes\nc = ctypes.CDLL(None); c.getenv.restype = ctypes.c_char_p\nprint(c.getenv(b'TRAINER_KEY'))", never(KEY)),
    Case("environment of ancestors", "import os\nfor p in ('self', '1', str(os.getppid())):\n try: print(open(f'/proc/{p}/environ').read())\n except OSError: pass", never(KEY)),
    Case("the initial stack", "import ctypes\nk = bytes(reversed(b'777-reniart')) \nc = ctypes.CDLL(None)\ne = ctypes.c_void_p.in_dll(c, 'environ').value\ns = ctypes.c_void_p.in_dll(c, '__libc_stack_end').value\nprint('hits', ctypes.string_at(s, 512).count(k))", never("hits 1", "hits 2")),
    Case("arguments of the host", "import sys\nprint(sys.orig_argv, sys.argv)", never("/tmp/canary", "host.log", KEY)),
    Case("objects of the harness", "import gc\nprint([o for o in gc.get_objects() if isinstance(o, dict) and 'TRAINER_KEY' in o])", prints("[]")),
]

OTHERS = [
    Case("kill the parent", attempts("os.kill(os.getppid(), 9)", "os.kill(1, 9)", "os.killpg(os.getpgid(os.getppid()), 9)", setup="import os"), never("DID")),
    Case("kill everyone", attempts("os.kill(-1, 9)", "os.kill(0, 9)", setup="import os"), never("DID")),
    calls("signals by other calls", "call(62, 129, os.getppid(), 9)", "call(234, 131, os.getppid(), os.getppid(), 9)", "call(200, 130, os.getppid(), 9)", "call(129, 138, os.getppid(), 9, b)", "call(297, 240, os.getppid(), os.getppid(), 9, b)"),
    Case("signal by a descriptor's owner", attempts("fcntl.fcntl(r, 8, os.getppid())", "fcntl.fcntl(r, 10, 9)", "fcntl.ioctl(r, 0x8901, os.getppid())", "fcntl.fcntl(r, 15, bytes(8))", setup="import fcntl, os; r, w = os.pipe()"), never("DID")),
    Case("trace the parent", "import ctypes, os\nc = ctypes.CDLL(None)\nprint(c.ptrace(16, os.getppid(), 0, 0), c.ptrace(0x4206, os.getppid(), 0, 0), c.ptrace(0, 0, 0, 0))", prints("-1 -1 -1")),
    Case("the parent's memory", attempts("open(f'/proc/{os.getppid()}/mem', 'rb')", "open('/proc/1/mem', 'rb')", setup="import os"), never("DID")),
    calls("memory of others by number", "call(310, 270, os.getppid(), 0, 0, 0, 0, 0)", "call(311, 271, os.getppid(), 0, 0, 0, 0, 0)", "call(434, 434, os.getppid(), 0)", "call(424, 424, 0, 9, 0, 0)", "call(438, 438, 0, 0, 0)", "call(440, 440, 0, 0, 0, 0, 0)", "call(448, 448, 0, 0)"),
    calls("limits and priority of others", "call(302, 261, os.getppid(), 0, 0, b)", "call(141, 140, 0, os.getppid(), 19)", "call(203, 122, os.getppid(), 8, b)", "call(144, 119, os.getppid(), 0, b)", "call(251, 30, 1, os.getppid(), 0)"),
    Case("ungoverned priority", attempts("os.nice(-5)", "os.sched_setaffinity(0, {0})", "os.sched_setscheduler(0, 1, os.sched_param(1))", setup="import os"), never("DID")),
    Case("outlive the slot", "import ctypes\nprint(ctypes.CDLL(None).prctl(1, 0, 0, 0, 0))", prints("-1")),
    Case("terminal input for others", attempts("fcntl.ioctl(0, 0x5412, b'x')", "fcntl.ioctl(1, 0x5412, b'x')", setup="import fcntl"), never("DID")),
]

NETWORK = [
    refused("outside", "socket.create_connection(('1.1.1.1', 80), .2)", "socket.socket(socket.AF_INET6)", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", setup="import socket"),
    refused("the trainer's dashboard", "urllib.request.urlopen('http://127.0.0.1:8265', timeout=.2)", setup="import urllib.request"),
    refused("names", "socket.gethostbyname('localhost')", "socket.getaddrinfo('example.org', 80)", setup="import socket"),
    refused("local sockets", "socket.socket(socket.AF_UNIX).bind('\\0x')", "socket.socket(socket.AF_UNIX).connect('/tmp/x')", setup="import socket"),
    refused("kernel sockets", *(f"socket.socket({family}, 3, 0)" for family in (16, 17, 38, 40, 15, 44, 2, 31)), setup="import socket"),
    Case("messages to named sockets", attempts("a.sendto(b'x', '/tmp/canary/socket')", "a.sendmsg([b'x'], [], 0, '/tmp/canary/socket')", "socket.send_fds(a, [b'x'], [1])", setup="import socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)"), never("DID")),
    Case("asyncio works all the same", "import asyncio\nasync def f(): return await asyncio.to_thread(lambda: 5)\nprint(asyncio.run(f()))", prints("5"), 3.0),
    calls("sockets by number", "call(41, 198, 2, 1, 0)", "call(53, 199, 30, 1, 0, b)", "call(425, 425, 4, b)", "call(46, 211, 0, b, 0)", "call(307, 269, 0, b, 1, 0)"),
]

_RANDOM: dict[str, str] = {}


def _fresh_numbers(result: object) -> bool:
    numbers = re.findall(r"\d\.\d+", getattr(result, "stdout", ""))
    seen = _RANDOM.setdefault("seen", "")
    _RANDOM["seen"] = seen + " ".join(numbers)
    return len(numbers) == 3 and not any(number in seen for number in numbers)


_DRAW = "import random, numpy, sympy\nprint(random.random(), numpy.random.rand(), sympy.core.random.random())"
_MARK = "MARK-OF-ANOTHER-SAMPLE"
_LOOK = "import gc, sys\nk = 'ELPMAS-REHTONA-FO-KRAM'[::-1]\nprint('hits', sum(k in o for o in gc.get_objects() if isinstance(o, (dict, list, set, tuple))), sys.gettrace())"

NOTES = [
    Case("leave a note in the work folder", "open('note', 'w').write('42'); open('tmp/note', 'w').write('42')", stops("ok")),
    Case("find it", "import os\nprint(sorted(os.listdir('.')), os.listdir('tmp'))", prints("['tmp'] []")),
    Case("leave a note in the folder's facts", "import os\nfor f in (lambda: os.chmod('.', 0o1755), lambda: os.utime('tmp', (7, 7)), lambda: os.setxattr('.', 'user.n', b'42')):\n try: f()\n except OSError: pass", stops("ok")),
    Case("find them", "import os\ns, t = os.stat('.'), os.stat('tmp')\nprint(s.st_mode & 0o1055, t.st_mtime == 7, os.listxattr('.'))", prints("0 False []")),
    refused("notes in common folders", *(f"open({d!r} + '/note', 'w')" for d in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", "/", "/scratch/.."))),
    calls("shared memory, queues, keys", "c.shmget(99, 4096, 0o1666)", "c.semget(99, 1, 0o1666)", "c.msgget(99, 0o1666)", "call(240, 180, b'n', 0o102, 0o600, 0)", "call(248, 217, b'user', b'n', b'4', 1, -3)", "call(250, 219, 0, -3, 0)"),
    Case("locks and watches on shared files", attempts("fcntl.flock(open(os.__file__), fcntl.LOCK_EX)", "fcntl.fcntl(open(os.__file__), 1024, 0)", "fcntl.fcntl(os.open('/scratch', 0), 1026, 1)", setup="import fcntl, os"), never("DID")),
    calls("file watches by number", "call(294, 26, 0)", "call(254, 27, 0, b'/', 2)", "call(300, 262, 0, 0)", "call(73, 32, 0, 2)"),
    Case("tamper with modules", "import math, json, builtins, sys\nmath.pi = 3; json.dumps = None; builtins.LEAK = 1; sys.modules['re'] = None; int.__doc__", stops("ok")),
    Case("they are whole", "import math, json, builtins, re\nprint(round(math.pi, 2), hasattr(builtins, 'LEAK'), json.dumps(1), re.escape('a'))", prints("3.14 False 1 a")),
    Case("tamper with C objects", "import ctypes, sys\nctypes.memset(id(257) + 24, 1, 1); ctypes.c_int.from_address(id(None)).value += 5", harmless),
    Case("they are whole, too", "print(257 + 1, None is None)", prints("258 True")),
    Case("random numbers", _DRAW, _fresh_numbers, 10.0),
    Case("random numbers again", _DRAW, _fresh_numbers, 10.0),
    Case("random numbers once more", _DRAW, _fresh_numbers, 10.0),
    Case("plant a mark", f"x = '{_MARK} ' * 3000\nprint(x)", stops("ok")),
    Case("plant it again", f"x = '{_MARK} ' * 3000\nprint(x)", stops("ok")),
    Case("find the mark in inherited objects", _LOOK, prints("hits 0 None")),
    Case(
        "find the mark in inherited memory",
        "import ctypes, os\nk = bytes(reversed(b'ELPMAS-REHTONA-FO-KRAM'))\nc = ctypes.CDLL(None)\nc.sbrk.restype = ctypes.c_void_p\nend = c.sbrk(0)\nn = 0\nsize = 1 << 20\nfor back in range(1, 9):\n p = ctypes.create_string_buffer(4096)\n lo = end - back * size\n for page in range(lo, lo + size, 4096):\n  r, w = os.pipe()\n  if c.write(w, ctypes.c_void_p(page), 4096) > 0: n += k in os.read(r, 4096)\n  os.close(r); os.close(w)\nprint('hits', n)",
        lambda r: r.status == "ok" and int(r.stdout.split()[1]) <= 1,
        5.0,
    ),
]

HARNESS = [
    Case("patch the frames above", "import sys\nf = sys._getframe()\nwhile f:\n for k in list(f.f_globals):\n  if not k.startswith('__'): f.f_globals[k] = None\n f = f.f_back", harmless),
    Case("write to every descriptor", "import os\nfor d in range(3, 2048):\n try: os.write(d, b'{}'); print('DID', d)\n except OSError: pass", never("DID")),
    Case("forge a result", "print('{\"exit_code\": 0, \"ended_by\": \"\"}')\nraise SystemExit(5)", lambda r: r.exit_code == 5 and r.status == "error"),
    Case("descriptors left open", "import os\nprint([d for d in range(3, 2048) if not os.system is None and (lambda d: [1 for _ in [0] if (lambda: os.fstat(d))])(d) and 0])\nn = 0\nfor d in range(3, 2048):\n try: os.fstat(d); n += 1\n except OSError: pass\nprint('open', n)", lambda r: "open 0" in r.stdout),
    Case("forge a memory error", "raise MemoryError('from the code')", stops("memory")),
    Case("hooks of the interpreter", "import sys\nsys.excepthook = lambda *a: sys.exit(0)\nsys.settrace(lambda *a: 1/0)\n1/0", stops("error")),
    Case("module of the harness", "import sys, gc, types\nprint([m.__name__ for m in gc.get_objects() if isinstance(m, types.ModuleType) and m.__name__.startswith('r1ci')], [n for n in sys.modules if 'harness' in n])", prints("[] []")),
]

PRIVILEGE = [
    calls("namespaces and mounts", "c.unshare(0x10000000)", "c.unshare(0x20000)", "c.mount(b'n', b'/tmp', b'tmpfs', 0, None)", "c.umount2(b'/scratch', 2)", "call(155, 41, b'.', b'.')", "c.setns(0, 0)", "call(442, 442, -100, b'/', 0, b, 32)", "call(428, 428, -100, b'/', 0)", "call(429, 429, 0, b'', 0, b'', 0)", "call(430, 430, b'tmpfs', 0)"),
    refused("devices and roots", "os.mknod('x', 0o20666, os.makedev(1, 1))", "os.chroot('.')", "os.mknod('y', 0o60666, os.makedev(8, 0))", setup="import os"),
    refused("identity", "os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.setresuid(0, 0, 0)", "os.setreuid(0, 0)", setup="import os"),
    Case("raised limits", attempts("resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))", "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))", "resource.setrlimit(resource.RLIMIT_NOFILE, (9999, 9999))", "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))", setup="import os, resource"), never("DID")),
    calls("doors of the kernel", "call(425, 425, 4, b)", "call(426, 426, 0, 0, 0, 0, 0)", "call(321, 280, 0, b, 64)", "call(323, 282, 0)", "call(298, 241, b, 0, -1, -1, 0)", "call(319, 279, b'x', 0)", "call(447, 447, 0)", "call(135, 92, 8)", "call(206, 0, 1, b)"),
    calls("own rules and filters", "call(444, 444, b, 8, 0)", "call(446, 446, 0, 0)", "call(317, 277, 1, 0, b)", "c.prctl(22, 2, b)", "c.prctl(4, 1, 0, 0, 0)", "call(126, 91, b, b)"),
    calls("clock, name, modules", "c.settimeofday(b, None)", "c.clock_settime(0, b)", "c.sethostname(b'x', 1)", "call(175, 105, b, 1, b'')", "call(246, 104, 0, 0, 0, 0)", "c.reboot(0)", "c.swapon(b'/x', 0)", "c.acct(b'/x')"),
    Case("calls that are younger than the list", "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nprint({(c.syscall(n, 0, 0, 0, 0, 0, 0), ctypes.get_errno()) for n in range(457, 600)})", prints("{(-1, 38)}")),
    Case("back doors of the same calls", "import ctypes\nprint(ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0))", lambda r: r.stdout.strip() == "-1" or r.status == "killed"),
    Case(
        "32-bit entry",
        "import ctypes, mmap, platform\nif platform.machine() != 'x86_64': raise SystemExit('x')\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes.fromhex('b814000000cd80c3'))\nf = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\nprint('pid', f())",
        never("pid"),
    ),
]

ANSWERS = [
    Case("the solver itself", "from r1ci_plugin.tasks import get_task\nt = get_task('symbench/game24'); print('DID', t.solve(t.make(seed=1)))", never("DID")),
    refused("other libraries with answers", *(f"__import__({name!r})" for name in ("r1ci_plugin", "reasoning_gym", "verl", "math_verify", "torch", "transformers", "pip"))),
    Case("by site", "import site, sys\nsite.main()\nsys.path += site.getsitepackages()\nimport r1ci_plugin.tasks\nprint('DID')", never("DID")),
    Case("by the stdlib's neighbour", attempts("importlib.import_module('site-packages.r1ci_plugin')", "importlib.import_module('site-packages.reasoning_gym')", "importlib.import_module('dist-packages.verl')", setup="import importlib"), never("DID")),
    Case("beside numpy", "import numpy, os, sys, importlib\nhome = os.path.dirname(os.path.dirname(os.path.realpath(numpy.__file__)))\ntry: seen = os.listdir(home)\nexcept OSError: seen = []\nprint(sorted({'verl', 'r1ci_plugin', 'reasoning_gym'} & set(seen)))\nsys.path.insert(0, home); importlib.invalidate_caches()\nfor n in ('verl', 'r1ci_plugin', 'reasoning_gym', 'torch'):\n try: importlib.import_module(n); print('DID', n)\n except ImportError: pass", lambda r: r.status == "ok" and r.stdout == "[]\n", 5.0),
    Case("text of the sources", "import numpy, os\nhome = os.path.dirname(os.path.dirname(os.path.realpath(numpy.__file__)))\nfor n in ('verl/__init__.py', 'reasoning_gym/__init__.py', 'pip/__init__.py'):\n try: print('DID', open(home + '/' + n).read(9))\n except OSError: pass", never("DID"), 5.0),
    Case("through loaders and metadata", "import importlib.metadata as m, pkgutil, importlib.util as u\nprint([d.name for d in m.distributions()], u.find_spec('verl'), [p.name for p in pkgutil.iter_modules() if p.name in ('verl', 'reasoning_gym', 'r1ci_plugin')])", prints("[] None []")),
    refused("where the project lives", "__import__('os').listdir('@PROJECT@')", "__import__('os').scandir('@PROJECT@/r1ci_plugin')"),
    Case("run folders and data", attempts("open('@PROJECT@/setup.py')", "open('@PROJECT@/runs/x')", "__import__('os').listdir('@PROJECT@')", "__import__('os').listdir('@PROJECT@/..')"), never("DID")),
    Case("importing from the source folder", attempts("__import__('runner')", "__import__('_harness.runner')", "u.spec_from_file_location('h', '@PROJECT@/r1ci_plugin/interpreter/local/host/runner.py').loader.exec_module(u)", setup="import importlib.util as u"), never("DID")),
]

CASES = FILES + SECRETS + OTHERS + NETWORK + NOTES + HARNESS + PRIVILEGE + ANSWERS
