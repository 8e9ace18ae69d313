"""System call numbers by name, for the two architectures whose tables we checked; any other machine is refused.

Source: the kernel's own headers (asm/unistd_64.h for x86-64, asm-generic/unistd.h for aarch64). None: the
architecture has no such call.
"""

from __future__ import annotations

import os

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine name -> (column in the table below, the kernel's audit number, which a filter compares)."""

# fmt: off
TABLE: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None), "ioctl": (16, 29), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206), "sendmsg": (46, 211),
    "bind": (49, 200), "listen": (50, 201), "socketpair": (53, 199), "clone": (56, 220), "fork": (57, None),
    "vfork": (58, None), "execve": (59, 221), "kill": (62, 129), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "fcntl": (72, 25), "flock": (73, 32), "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "ptrace": (101, 117), "syslog": (103, 116),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setgroups": (116, 159), "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "rt_sigqueueinfo": (129, 138), "utime": (132, None),
    "mknod": (133, None), "uselib": (134, None), "personality": (135, 92), "ustat": (136, None), "sysfs": (139, None),
    "setpriority": (141, 140), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "vhangup": (153, 58),
    "modify_ldt": (154, None), "pivot_root": (155, 41), "_sysctl": (156, None), "prctl": (157, 167),
    "adjtimex": (159, 171), "chroot": (161, 51), "sync": (162, 81), "acct": (163, 89), "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "init_module": (175, 105), "delete_module": (176, 106), "quotactl": (179, 60), "nfsservctl": (180, 42),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "tkill": (200, 130), "sched_setaffinity": (203, 122),
    "io_setup": (206, 0), "io_submit": (209, 2), "lookup_dcookie": (212, 18), "remap_file_pages": (216, 234),
    "semtimedop": (220, 192), "clock_settime": (227, 112), "tgkill": (234, 131), "utimes": (235, None),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "ioprio_set": (251, 30), "inotify_init": (253, None), "inotify_add_watch": (254, 27), "migrate_pages": (256, 238),
    "openat": (257, 56), "mknodat": (259, 33), "fchownat": (260, 54), "futimesat": (261, None), "fchmodat": (268, 53),
    "unshare": (272, 97), "vmsplice": (278, 75), "move_pages": (279, 239), "utimensat": (280, 88),
    "accept4": (288, 242), "inotify_init1": (294, 26), "rt_tgsigqueueinfo": (297, 240), "perf_event_open": (298, 241),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "prlimit64": (302, 261),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "clock_adjtime": (305, 266),
    "syncfs": (306, 267),
    "sendmmsg": (307, 269), "setns": (308, 268), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "finit_module": (313, 273), "sched_setattr": (314, 274), "seccomp": (317, 277),
    "memfd_create": (319, 279), "kexec_file_load": (320, 294), "bpf": (321, 280), "execveat": (322, 281),
    "userfaultfd": (323, 282), "pidfd_send_signal": (424, 424), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "pidfd_open": (434, 434), "clone3": (435, 435), "openat2": (437, 437), "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440), "mount_setattr": (442, 442), "quotactl_fd": (443, 443),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
    "memfd_secret": (447, 447), "process_mrelease": (448, 448), "set_mempolicy_home_node": (450, 450),
    "cachestat": (451, 451), "fchmodat2": (452, 452),
    "mincore": (27, 232), "madvise": (28, 233), "readahead": (187, 213), "fadvise64": (221, 223),
    "fallocate": (285, 47), "preadv2": (327, 286), "pwritev2": (328, 287),
}
# fmt: on

NEWEST = 456
"""Calls numbered above this one are younger than this table, on every architecture: they are answered as unknown."""


class UnsupportedMachine(RuntimeError):
    """The machine's architecture has no checked table here."""


def architecture() -> tuple[int, int]:
    """(column, audit number) of this machine. Raises UnsupportedMachine."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise UnsupportedMachine(f"no checked system call table for {machine!r}; there are {known}")
    return ARCHITECTURES[machine]


def number(name: str) -> int | None:
    """The number of a call on this machine; None if it lacks the call. Raises KeyError for a name not in the table."""
    return TABLE[name][architecture()[0]]
