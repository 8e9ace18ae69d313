"""Cases against the kernel: calls it grew lately, the windows of /proc and /sys, signals, clocks, raw machine code."""

# ruff: noqa: E501  (a snippet stays in one piece)

from __future__ import annotations

from judge import CANARY, KEY, Case, attempts, barred, ended, harmless, never, prints, refused, stops

NEW_CALLS = [
    barred("other processes by descriptor", "pidfd_open 434 (os.getppid(), 0)", "pidfd_getfd 438 (0, 1, 0)", "pidfd_send_signal 424 (0, 9, 0, 0)", "process_mrelease 448 (0, 0)", "process_madvise 440 (0, b, 1, 21, 0)"),
    barred("own rules over the filter's", "landlock_create_ruleset 444 (b, 8, 0)", "landlock_create_ruleset 444 (0, 0, 1)", "landlock_add_rule 445 (0, 1, b, 0)", "landlock_restrict_self 446 (0, 0)"),
    barred("filters that ask somebody else", "seccomp 317/277 (1, 8, b)", "seccomp 317/277 (2, 0, b)", "seccomp 317/277 (3, 0, b)", "seccomp 317/277 (0, 0, 0)"),
    barred("hidden memory", "memfd_secret 447 (0)", "memfd_create 319/279 (b, 0)", "userfaultfd 323/282 (1)", "remap_file_pages 216/234 (0, 4096, 0, 0, 0)"),
    barred("mounts without mount", "open_tree 428 (-100, b'/', 1)", "move_mount 429 (-100, b'/', -100, b'/', 0)", "fsopen 430 (b'tmpfs', 0)", "fsconfig 431 (0, 0, 0, 0, 0)", "fsmount 432 (0, 0, 0)", "fspick 433 (-100, b'/', 0)", "mount_setattr 442 (-100, b'/', 0, b, 32)"),
    barred("mounts described and opened with attributes", "statmount 457 (b, b, 512, 0)", "listmount 458 (b, b, 8, 0)", "open_tree_attr 467 (-100, b'/', 1, b, 32)", "listns 470 (b, b, 8, 0)"),
    barred("security modules", "lsm_get_self_attr 459 (100, b, b, 0)", "lsm_set_self_attr 460 (100, b, 32, 0)", "lsm_list_modules 461 (b, b, 0)"),
    barred("sealed memory", "mseal 462 (id(b) & ~4095, 4096, 0)"),
    barred("attributes by the newer door", "setxattrat 463 (-100, b'.', 0, b'user.n', b, 16)", "getxattrat 464 (-100, b'.', 0, b'user.n', b, 16)", "listxattrat 465 (-100, b'.', 0, b, 16)", "removexattrat 466 (-100, b'.', 0, b'user.n')", "file_getattr 468 (-100, b'.', b, 24, 0)", "file_setattr 469 (-100, b'.', b, 24, 0)"),
    barred("which pages are in memory", "cachestat 451 (0, b, b, 0)", "mincore 27/232 (id(b) & ~4095, 4096, b)", "readahead 187/213 (1, 0, 4096)", "fadvise64 221/223 (1, 0, 4096, 4)", "preadv2 327/286 (1, b, 1, 0, 0, 8)", "pwritev2 328/287 (1, b, 1, 0, 0, 16)", "madvise 28/233 (id(b) & ~4095, 4096, 20)", "madvise 28/233 (id(b) & ~4095, 4096, 21)"),
    barred("space reserved beyond a file's limit", *(f"fallocate 285/47 (os.open('f', 66), {mode}, ctypes.c_long(0), ctypes.c_long(300 << 20))" for mode in (1, 3, 16, 64))),
    barred("where memory lies", "set_mempolicy_home_node 450 (0, 4096, 0, 0)", "mbind 237/235 (0, 4096, 0, 0, 0, 0)", "set_mempolicy 238/237 (0, 0, 0)", "migrate_pages 256/238 (0, 1, b, b)", "move_pages 279/239 (0, 0, 0, 0, 0, 0)"),
    barred("quotas", "quotactl_fd 443 (0, 0x800007, 0, b)", "quotactl 179/60 (0x800007, b'/', 0, b)"),
    barred("rings and batches", "io_uring_setup 425 (4, b)", "io_uring_enter 426 (0, 1, 0, 0, 0, 0)", "io_uring_register 427 (0, 0, 0, 0)", "io_setup 206/0 (8, b)", "io_submit 209/2 (0, 0, 0)", "vmsplice 278/75 (1, b, 1, 0)"),
    barred("flushing the machine", "sync 162/81 ()", "syncfs 306/267 (1)"),
    barred("the filter's own process control", *(f"prctl 157/167 ({option}, 1, 0, 0, 0)" for option in (1, 4, 8, 22, 24, 26, 28, 29, 33, 35, 36, 38, 47, 53, 57, 59, 62, 65, 0x59616D61))),
    barred("opening in newer ways", "openat2 437 (-100, b'/etc/passwd', b, 24)", "name_to_handle_at 303/264 (-100, b'/etc/passwd', b, b, 0)", "open_by_handle_at 304/265 (-100, b, 0)", "clone3 435 (b, 88)", "execveat 322/281 (-100, b'/bin/sh', 0, 0, 0)"),
    Case("modes by the newest call", "import ctypes, os\nf = os.__file__; m = os.stat(f).st_mode\nctypes.CDLL(None).syscall(452, -100, f.encode(), 0o777, 0)\nprint(m == os.stat(f).st_mode)", prints("True")),
    Case("memory as shadow stacks", "import ctypes\nc = ctypes.CDLL(None); c.syscall.restype = ctypes.c_long\nn = sum(c.syscall(453, 0, ctypes.c_size_t(1 << 30), 1) > 0 for _ in range(8))\nprint('DID' if n > 1 else 'no')", never("DID")),
    Case("futexes of the newer kind", "import ctypes\nc = ctypes.CDLL(None); w = ctypes.c_uint(0)\nc.syscall(455, ctypes.byref(w), ctypes.c_ulong(0), ctypes.c_ulong(~0 & 0xffffffff), 2, None, 0)\nprint('woke')", lambda r: r.status == "timeout" or r.stdout == "woke\n"),
    Case("futex that others could wake", "import ctypes, mmap, os\nm = mmap.mmap(os.open(os.__file__, 0), 4096, mmap.MAP_SHARED, mmap.PROT_READ)\nprint('mapped')", harmless),
]

WINDOWS = [
    refused("the process's own windows", *(f"open('/proc/{who}/{what}', 'rb').read()" for who in ("self", "thread-self", "1") for what in ("auxv", "environ", "maps", "pagemap", "syscall", "stack", "io", "mountinfo", "fdinfo/1", "limits"))),
    refused("switches of the kernel", *(f"open({p!r}, 'w').write('1')" for p in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/self/oom_score_adj", "/proc/self/uid_map", "/proc/self/clear_refs", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state"))),
    refused("control groups", "open('/sys/fs/cgroup/cgroup.procs', 'w').write('0')", "os.mkdir('/sys/fs/cgroup/mine')", "os.listdir('/sys/fs/cgroup')", setup="import os"),
    refused("namespaces as files", *(f"assert not c.setns(os.open('/proc/{who}/ns/{kind}', 0), 0)" for who in ("self", "1", "%d' % os.getppid() + '") for kind in ("mnt", "pid", "user", "net")), setup="import os, ctypes; c = ctypes.CDLL(None)"),
    refused("open files by their windows", "os.listdir('/proc/self/fd')", "os.listdir('/dev/fd')", "os.listdir('/proc/self/map_files')", "open('/proc/self/fd/3', 'rb')", "open('/proc/self/exe', 'rb')", "os.listdir('/proc/self/root/')", "os.listdir('/proc/self/cwd/..')", setup="import os"),
    Case("own output opened again", attempts("open('/dev/fd/1', 'r+b').write(b'x')", "open('/proc/self/fd/1', 'r+b').truncate(1 << 40)", "open('/dev/stdout', 'w').write('y')"), harmless),
    refused("the network's windows", *(f"open('/proc/{p}').read()" for p in ("net/tcp", "self/net/unix", "net/dev", "1/net/route"))),
    Case("links of other processes", "import os\nfor p in range(1, 600):\n for w in ('cwd', 'exe', 'root', 'fd/0', 'fd/3', 'fd/9', 'ns/user'):\n  try:\n   if p != os.getpid(): print('DID', p, os.readlink(f'/proc/{p}/{w}'))\n  except OSError: pass", never("DID")),
    Case("command lines of all processes", "for p in range(1, 600):\n for w in ('cmdline', 'environ', 'comm', 'status', 'cgroup'):\n  try: print('DID', open(f'/proc/{p}/{w}').read())\n  except OSError: pass", never("DID", KEY)),
    Case("the log of the kernel", "import ctypes\nb = ctypes.create_string_buffer(4096)\nc = ctypes.CDLL(None)\nprint(c.klogctl(3, b, 4096), c.klogctl(10, b, 0))", prints("-1 -1")),
    Case("whole memory by kernel files", attempts("open('/proc/kcore', 'rb')", "open('/dev/port', 'rb')", "open('/proc/kpageflags', 'rb')", "open('/sys/kernel/debug/x')", "open('/proc/keys')"), never("DID")),
]

SIGNALS = [
    Case("handler that repairs every crash", "import signal, ctypes\nsignal.signal(11, signal.SIG_IGN)\nctypes.string_at(8)", stops("killed", "timeout")),
    Case("handler in C that loops on a crash", "import ctypes\nc = ctypes.CDLL(None)\nc.signal(11, ctypes.cast(c.pause, ctypes.c_void_p))\nctypes.string_at(8)", ended),
    Case("flood of pending signals", "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(34, 64))\nn = 0\nwhile n < 100000: os.kill(os.getpid(), 34 + n % 30); n += 1\nprint(n)", harmless, 3.0),
    Case("flood of timers", "import ctypes\nc = ctypes.CDLL(None)\nt = ctypes.c_void_p()\nn = 0\nwhile n < 50000 and c.timer_create(1, None, ctypes.byref(t)) == 0: n += 1\nprint('DID' if n >= 50000 else 'no')", never("DID"), 3.0),
    Case("timer that shoots after the end", "import ctypes, signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\nsignal.alarm(1)\nprint('x')", prints("x")),
    Case("storm of alarms", "import signal, time\nn = [0]\nsignal.signal(14, lambda *a: n.__setitem__(0, n[0] + 1))\nsignal.setitimer(signal.ITIMER_REAL, 1e-5, 1e-5)\nwhile 1: pass", stops("timeout")),
    Case("deaf to the end of its time", "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile 1: pass", stops("timeout")),
    Case("deaf to a full output", "import signal, os\nsignal.signal(signal.SIGXFSZ, lambda *a: None)\nwhile 1:\n try: os.write(1, b'x' * 99999)\n except OSError: pass", ended),
    Case("every signal, raised", "import signal\nfor s in (1, 2, 3, 10, 12, 13, 15): signal.signal(s, lambda *a: print('got', a[0])); signal.raise_signal(s)", lambda r: r.stdout.count("got") == 7),
    *(Case(f"ends itself by signal {number}", f"import os\nos.kill(os.getpid(), {number})", stops("killed")) for number in (1, 3, 4, 5, 6, 7, 8, 15, 31, 64)),
    Case("signal to its own thread", "import signal, threading\nsignal.pthread_kill(threading.get_ident(), 9)", stops("killed")),
    Case("signal to its group", attempts("os.killpg(0, 9)", "os.killpg(os.getpgid(0), 9)", "os.kill(-os.getpid(), 9)", setup="import os"), never("DID")),
]

CLOCKS = [
    Case("ends just as its time does", "import time\ntime.sleep(0.5985)\nprint('x')", stops("ok", "timeout")),
    Case("busy in many threads", "import threading, hashlib\nd = bytes(1 << 26)\ndef f():\n while 1: hashlib.sha256(d)\n[threading.Thread(target=f).start() for _ in range(12)]", stops("timeout"), 1.0),
    Case("stopped in every thread", "import os, threading, signal, time\nfor _ in range(5): threading.Thread(target=time.sleep, args=(60,)).start()\nos.kill(os.getpid(), signal.SIGSTOP)", stops("timeout")),
    Case("limits lowered to nothing", "import resource as r\nfor l in (r.RLIMIT_STACK, r.RLIMIT_DATA, r.RLIMIT_NOFILE, r.RLIMIT_FSIZE, r.RLIMIT_CPU):\n r.setrlimit(l, (0, 0))\nprint(1)\nopen('x')", harmless),
    Case("more processes and stack than given", attempts("r.setrlimit(r.RLIMIT_NPROC, (r.getrlimit(r.RLIMIT_NPROC)[1] + 1, -1))", "r.setrlimit(r.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))", "r.setrlimit(r.RLIMIT_MSGQUEUE, (1 << 20, 1 << 20))", "r.setrlimit(r.RLIMIT_CORE, (-1, -1))", "r.setrlimit(r.RLIMIT_SIGPENDING, (1 << 20, 1 << 20))", setup="import resource as r"), never("DID")),
    Case("sleeping without a clock", "import select\nselect.poll().poll()", stops("timeout")),
    Case("turns of the scheduler", "import os\nwhile 1: os.sched_yield()", stops("timeout")),
    Case("time that a shared file was read", "import os, sys\nimport importlib.util as u\np = u.find_spec('this').origin\na = os.stat(p).st_atime_ns\ntry: os.utime(p, ns=(7, 7))\nexcept OSError: pass\nprint(os.stat(p).st_atime_ns == a)", prints("True")),
]

_MACHINE_CODE = "import ctypes, mmap, platform, os\narm = platform.machine() == 'aarch64'\ndef raw(x86, arm64):\n m = mmap.mmap(-1, 4096, prot=7)\n m.write(arm64 if arm else x86)\n return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()\ndef call(x86, arm64):\n return raw(b'\\xb8' + x86.to_bytes(4, 'little') + b'\\xbf\\x11\\0\\0\\0\\x31\\xf6\\x31\\xd2\\x0f\\x05\\xc3', (0xd2800008 | arm64 << 5).to_bytes(4, 'little') + bytes.fromhex('200280d2010080d2020080d2010000d4c0035fd6'))\n"

MACHINE = [
    Case("a process by raw machine code", _MACHINE_CODE + "print(call(56, 220))", prints("-1")),
    Case("a socket by raw machine code", _MACHINE_CODE + "print(call(41, 198))", prints("-1")),
    Case("code of the C library overwritten", "import ctypes, os\nc = ctypes.CDLL(None)\na = ctypes.cast(c.getppid, ctypes.c_void_p).value\nprint(c.mprotect(ctypes.c_void_p(a & ~4095), 8192, 7))\nctypes.memset(a, 0, 16)\nc.getppid()", harmless),
    Case("it is whole again", "import ctypes, os\nprint(ctypes.CDLL(None).getppid() == os.getppid())", prints("True")),
    Case("an instruction that does not exist", _MACHINE_CODE + "raw(b'\\x0f\\x0b', bytes(4))", stops("killed")),
    Case("an instruction of the kernel", _MACHINE_CODE + "raw(b'\\xf4', bytes.fromhex('1f4003d5') + bytes(4))", stops("killed")),
    Case("interpreter ended from inside", "import ctypes\nctypes.pythonapi.Py_FinalizeEx()\nprint('x')", harmless),
    Case("interpreter told it is broken", "import ctypes\nctypes.pythonapi.Py_FatalError(b'x')", stops("killed")),
    Case("exit by the C library", "import ctypes\nctypes.CDLL(None).exit(5)", lambda r: r.exit_code == 5),
    Case("the C library's shell", "import ctypes\nc = ctypes.CDLL(None); c.popen.restype = ctypes.c_void_p\nprint(c.popen(b'id', b'r'), c.system(b'id') == 0)", prints("None False")),
    Case("a shared library from a hidden place", attempts(f"ctypes.CDLL({CANARY!r})", "ctypes.CDLL('/tmp/canary/x.so')", "ctypes.CDLL('@PROJECT@/x.so')", setup="import ctypes"), never("DID")),
    Case("a shared library of its own", "import ctypes\nopen('x.so', 'wb').write(bytes.fromhex('7f454c46') + bytes(4096))\nctypes.CDLL('./x.so')", stops("error", "killed")),
    Case("exception thrown into the main thread", "import ctypes, threading, time\nm = threading.main_thread().ident\nthreading.Thread(target=lambda: [ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(m), ctypes.py_object(SystemExit)) for _ in range(99)]).start()\ntime.sleep(60)", stops("timeout", "ok", "error")),
    Case("the whole initial stack", "import ctypes, os\nk = bytes(reversed(b'777-reniart')); c = ctypes.CDLL(None)\nat = ctypes.c_void_p.in_dll(c, '__libc_stack_end').value & ~4095\nn = 0\nr, w = os.pipe()\nwhile c.write(w, ctypes.c_void_p(at), 4096) > 0: n += os.read(r, 4096).count(k); at += 4096\nprint('hits', n)", prints("hits 0")),
]

CASES = NEW_CALLS + WINDOWS + SIGNALS + CLOCKS + MACHINE
