"""Is every node of the Ray cluster fit for a job? The nodes are asked themselves, before the job begins.

verl imports our classes on whichever node it starts a worker, and the trainer writes its run folder from whichever node
it lands on. So each node is asked for the package, the verl plugin door, the run folder, and the files of data and
policy. The question travels as code, not by name: it must arrive where the package is missing. Costs some seconds, and
is asked only where a job joins a cluster. Left out: starting clusters (`examples/multi_node/`), one machine
(the other modules here).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.checks.trainer import cpus_of
from r1ci_plugin.data.files import data_files
from r1ci_plugin.installing import install

TIMEOUT_S = 60.0
"""For a node to start a Python process and answer."""
PROOF = ".nodes"
"""File in the run folder that every node must read. It holds a word made for this job, so that a folder of the same
name on a node's own disk does not pass."""


def address_of(config: Any) -> str | None:
    """The cluster that `ray.init` of this job will join; None where it starts Ray on this machine."""
    address = config.ray_kwargs.ray_init.get("address") or os.environ.get("RAY_ADDRESS") or None
    if address == "local":
        return None
    if address is None:
        from r1ci_plugin import backend

        return "auto" if backend.choose().on_cluster else None
    return str(address)


def check_nodes(config: Any, address: str) -> Iterator[Finding]:
    """Findings on the cluster at `address`, which this process joins for the moment."""
    folder = Path(config.trainer.default_local_dir).absolute()
    proof = uuid4().hex
    (folder / PROOF).write_text(proof)
    question = _question(folder / PROOF, _files(config))
    own = question()
    with _joined(address) as fault:
        if fault:
            yield broken(f"the Ray cluster at {address} cannot be joined ({fault})", "ray status, on this machine")
            return
        yield from _check_resources(config)
        for node, answer in _ask_all(question):
            yield judge(node, answer, own, proof)


def judge(node: str, answer: Mapping[str, Any], own: Mapping[str, Any], proof: str) -> Finding:
    """What a node answered, against what this machine answers."""
    if "fault" in answer:
        return broken(f"node {node} does not answer: {answer['fault']}", "ray status, and ray start it again")
    if answer.get("version") is None:
        return broken(
            f"node {node} has no r1ci_plugin in {answer['python']}", f"there, in the same version: {install()}"
        )
    for what, key in (("r1ci_plugin", "version"), ("verl", "verl"), ("the code of r1ci_plugin", "digest")):
        if answer[key] != own[key]:
            return broken(
                f"node {node} has another version of {what}: {answer[key]}, here it is {own[key]}",
                f"there: install the same r1ci_plugin {own['version']} and verl {own['verl']} as here",
            )
    if not answer["is_plugged"]:
        return broken(
            f"verl does not load r1ci_plugin on node {node}",
            f"there: {install()} (PYTHONPATH won't do), and ray start without VERL_USE_EXTERNAL_PLUGINS",
        )
    if answer["proof"] != proof:
        return broken(
            f"node {node} does not see the run folder", "put it on storage that every node sees: R1CI_RUNS=FOLDER"
        )
    if answer["missing"]:
        return broken(
            f"node {node} does not see {answer['missing'][0]}", "put data and policy on storage that every node sees"
        )
    return ok(f"node {node} has r1ci_plugin {own['version']} and sees the run folder")


def _files(config: Any) -> list[str]:
    """Data and, unless it is a name on the hub, the policy."""
    policy = os.path.expanduser(str(config.actor_rollout_ref.model.path))
    return [name for name in [*map(str, data_files(config)), policy] if os.path.exists(name)]


def _question(proof: Path, files: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """What every node is asked. A closure, so that Ray ships its code; it imports what it needs itself."""
    proof_file, wanted = str(proof), list(files)

    def answer() -> dict[str, Any]:
        import hashlib
        import importlib.metadata as metadata
        import importlib.util
        import os
        import sys
        from pathlib import Path

        spec = importlib.util.find_spec("r1ci_plugin")
        if spec is None or spec.origin is None:
            return {"version": None, "python": sys.executable}
        root = Path(spec.origin).parent
        digest = hashlib.sha256()
        for file in sorted(root.rglob("*.py")):
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
        version = next(line for line in Path(spec.origin).read_text().splitlines() if line.startswith("__version__"))
        switch = os.environ.get("VERL_USE_EXTERNAL_PLUGINS", "auto").strip().lower()
        doors = {door.name for door in metadata.entry_points(group="verl.plugins")}
        try:
            text = Path(proof_file).read_text()
        except OSError:
            text = ""
        try:
            verl = metadata.version("verl")
        except metadata.PackageNotFoundError:
            verl = "none"
        return {
            "version": version.split('"')[1],
            "digest": digest.hexdigest()[:12],
            "verl": verl,
            "python": sys.executable,
            "is_plugged": "r1ci" in doors and (switch in ("auto", "") or "r1ci" in switch.split(",")),
            "proof": text,
            "missing": [name for name in wanted if not os.path.exists(name)],
        }

    return answer


@contextmanager
def _joined(address: str) -> Iterator[str]:
    """A connection to the cluster, quiet and without the job's settings; yields why there is none, or nothing."""
    import logging

    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray's are many: no such host, another version, no token
        yield f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return
    try:
        yield ""
    finally:
        ray.shutdown()


def _ask_all(question: Callable[[], dict[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name, answer) of every node that can run something, all asked at once."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(question)
    asked = []
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU", 0) > 0:
            place = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
            asked.append((node, task.options(num_cpus=0, scheduling_strategy=place).remote()))
    for node, promise in asked:
        name = f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
        try:
            yield name, ray.get(promise, timeout=TIMEOUT_S)
        except Exception as error:  # of Ray, or of the question there
            yield name, {"fault": f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"}


def _check_resources(config: Any) -> Iterator[Finding]:
    import ray

    given, needed = int(ray.cluster_resources().get("CPU", 0)), cpus_of(config)
    if given < needed:
        yield broken(
            f"the Ray cluster has {given} CPUs, this job needs {needed} and would wait for ever",
            "add nodes, or ray start --num-cpus=N (they are only counted)",
        )
