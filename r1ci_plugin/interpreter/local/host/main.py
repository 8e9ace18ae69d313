"""Entry of the exec'ed processes: `host`, `template` or `floor`, with a descriptor and its settings as JSON.

Called by a one-line boot script that loads this package under a name of its own; see `launch` on the client's side.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .view import View


def main(boot: list[str], role: str, descriptor: int, settings: dict[str, object]) -> None:
    """Be the host, a template or the benchmark's floor until its work is over.

    Each role imports what it needs and no more: what is imported here, every fork carries.
    """
    if role == "template":
        from .template import main as be_template

        be_template({key: str(value) for key, value in settings.items()}, socket.socket(fileno=descriptor))
    elif role == "floor":
        from .floor import main as be_floor

        be_floor({key: str(value) for key, value in settings.items()})
    else:
        _host(boot, socket.socket(fileno=descriptor), settings)


def _host(boot: list[str], listener: socket.socket, settings: dict[str, object]) -> None:
    from .hub import Hub
    from .levels import try_all
    from .pool import Place, Pool, raise_descriptor_limit, volunteer_for_the_killer
    from .remover import remove
    from .view import machine_view

    folder = str(settings["folder"])
    slots = int(str(settings["slots"]))
    raise_descriptor_limit()
    volunteer_for_the_killer()
    links, root, work = (os.path.join(folder, name) for name in ("site", "root", "work"))
    for path in (root, work):
        os.makedirs(path, exist_ok=True)
    view = machine_view(links)
    trial = try_all(view, root)
    greeting: dict[str, object] = {"slots": slots, "pid": os.getpid(), "trial": trial.failures}
    try:
        exactly = settings["level"]
        level = trial.best(str(settings["floor"]), None if exactly is None else str(exactly))
        tree = _build_tree(view, folder) if level == "seccomp" else None
    except LookupError as refusal:
        _refuse(listener, {**greeting, "refused": str(refusal)})
        return
    pool = Pool(Place(level, links, tree or root, work), boot, slots)
    try:
        Hub(listener, pool, slots, {**greeting, "level": level}, os.path.join(folder, "lock")).run()
    finally:
        if tree is not None:
            remove(tree)
    if settings["temporary"]:
        remove(folder)


def _build_tree(view: View, folder: str) -> str:
    """The root folder of all slots, built in a process that ends right after: its memory is not the host's. Raises
    LookupError."""
    from .levels import attempt
    from .remover import remove

    def build() -> None:
        from .tree import build

        build(view, path)

    # A name of its own: a host that ends must not remove what the next one has built.
    path = os.path.join(folder, f"tree-{os.getpid()}")
    if reason := attempt(build):
        remove(path)
        raise LookupError(
            f"no root folder for code calls could be built in {folder}: {reason}. Remedy: name a folder on the file "
            "system of the Python packages, or one with 500 MB free, in XDG_RUNTIME_DIR or TMPDIR"
        )
    return path


def _refuse(listener: socket.socket, greeting: dict[str, object]) -> None:
    """Tell the clients that are already waiting, and go: the next one tries the machine again."""
    listener.settimeout(1.0)
    try:
        while True:
            client, _ = listener.accept()
            client.send(json.dumps(greeting).encode())
            client.close()
    except TimeoutError:
        os.unlink(listener.getsockname())
        sys.exit(3)
