"""Many nodes on one machine: two Ray nodes, two nodes of executors, and one of those dies in the middle of a step.

    bash examples/quickstart.sh                                 # once: installs into .venv, builds questions
    .venv/bin/python examples/multi_node/one_machine.py data/quickstart runs/multi_node [overrides of the recipe]

The real thing but for the wires: every Ray node is `ray start` with an address, a store and a temporary folder of its
own, the executors are `r1ci sandbox serve` behind a list of endpoints, and the main job joins the cluster as any other
would. After the first step one server is frozen, like a machine that has lost its network; once code calls wait at it,
it is killed. They go to the other one: nothing is lost, and the model sees nothing of it. The counters at the end say
so.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

BIN = Path(sys.executable).parent
HEAD, SECOND = "127.0.0.2", "127.0.0.3"
"""Loopback addresses: the nodes are told apart, and nothing is reachable from other machines."""
JOB = {
    "trainer.total_training_steps": 4,
    "trainer.save_freq": -1,
    "trainer.val_before_train": False,
    "trainer.test_freq": -1,
    "data.train_batch_size": 4,
    "actor_rollout_ref.actor.ppo_mini_batch_size": 4,
    "actor_rollout_ref.rollout.agent.num_workers": 2,  # one a node
    "r1ci.executor.kind": "remote",
    "r1ci.records.share": 1,
}


def main(data: Path, run: Path, overrides: list[str]) -> int:
    """Returns 0 if the job ended well and the death of the server cost nothing."""
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(TemporaryDirectory(prefix="r1ci_")))
        secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32), "R1CI_SANDBOX_TOKEN": token_hex(32)}
        environment = {**os.environ, **secret, "R1CI_BACKEND": "cpu", "R1CI_DATA": str(data.absolute())}
        start = Starter(stack, temporary, environment)

        ports = [free_port(), free_port()]
        servers = [start("sandbox", BIN / "r1ci", "sandbox", "serve", "--port", port, "--slots", 2) for port in ports]
        cluster = f"{HEAD}:{free_port()}"
        ray_node(start, temporary, HEAD, "--head", "--port", cluster.rpartition(":")[2], "--include-dashboard=false")
        wait_for(lambda: answers(cluster), 60, "the head node of Ray")
        ray_node(start, temporary, SECOND, "--address", cluster)
        wait_for(lambda: nodes_of(cluster, environment) == 2, 120, "the second node of Ray")
        wait_for(lambda: all(answers(f"127.0.0.1:{port}") for port in ports), 60, "the code servers")

        job = start("job", *command(run.absolute(), cluster, ports, overrides), log=run.absolute() / "console.log")
        metrics = Metrics(run)
        wait_for(lambda: metrics.steps() or job.poll() is not None, 600, "the first step")
        print(f"step 1 is done; the server at port {ports[1]} freezes", flush=True)
        os.kill(servers[1].pid, signal.SIGSTOP)
        wait_for(lambda: calls_waiting(ports[1]) or job.poll() is not None, 300, "a code call at the frozen server")
        print("code calls wait at it: now it dies", flush=True)
        servers[1].kill()
        return report(job.wait(timeout=900), metrics, run)


def command(run: Path, cluster: str, ports: list[int], overrides: list[str]) -> list[str]:
    """The main job, on the cluster instead of a Ray of its own."""
    places = {
        "trainer.default_local_dir": run,
        "ray_kwargs.ray_init.address": f"'{cluster}'",
        "r1ci.executor.endpoints": "[" + ",".join(f"'http://127.0.0.1:{port}'" for port in ports) + "]",
    }
    settings = [f"{key}={value}" for key, value in {**JOB, **places}.items()]
    return [sys.executable, "-m", "verl.trainer.main_ppo", "+recipe=r1ci_stage1", *settings, *overrides]


def nodes_of(cluster: str, environment: dict[str, str]) -> int:
    """How many nodes have joined a cluster."""
    status = [str(BIN / "ray"), "status", "--address", cluster]
    return subprocess.run(status, env=environment, capture_output=True, text=True, check=False).stdout.count(" node_")


def ray_node(start: Starter, temporary: Path, address: str, *role: str) -> None:
    """`--block` keeps the node in the foreground: with it end its processes. CPUs and GPUs are only counted."""
    sizes = ("--num-cpus", 6, "--num-gpus", 1, "--object-store-memory", 100_000_000)
    folder = temporary / address
    start(address, BIN / "ray", "start", "--block", *role, "--node-ip-address", address, "--temp-dir", folder, *sizes)


class Starter:
    """Starts programs that end with this one, each with its log."""

    def __init__(self, stack: ExitStack, folder: Path, environment: dict[str, str]) -> None:
        self._stack, self._folder, self._environment = stack, folder, environment

    def __call__(self, name: str, *words: object, log: Path | None = None) -> subprocess.Popen[bytes]:
        log = log or self._folder / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(word) for word in words], env=self._environment, stdout=output, stderr=output
            )
        self._stack.callback(end, process)
        return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Politely, then not."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Metrics:
    """What the run has logged so far."""

    def __init__(self, run: Path) -> None:
        self._folder = run / "metrics"

    def steps(self) -> list[dict[str, float]]:
        lines = [line for file in sorted(self._folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
        return [json.loads(line)["data"] for line in lines if line.endswith("}")]

    def sum_of(self, name: str) -> float:
        return sum(step[name] for step in self.steps())


def report(code: int, metrics: Metrics, run: Path) -> int:
    if code:
        print(f"the job failed, see {run / 'console.log'}")
        return code
    lost, retries = metrics.sum_of("r1ci/agent/lost"), metrics.sum_of("r1ci/sandbox/retries")
    print(
        f"{len(metrics.steps())} steps, {metrics.sum_of('r1ci/sandbox/calls'):.0f} code calls; the death of a server:"
    )
    print(f"  {retries:.0f} attempts were made again on the other one, {lost:.0f} trajectories were lost")
    return int(lost > 0 or retries == 0)


def calls_waiting(port: int) -> bool:
    """Whether bytes have come for a local port that its owner, frozen, has not read (proc(5), net/tcp)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, _, state, queues = line.split()[1:5]
        is_established = state == "01"
        if is_established and int(local.rpartition(":")[2], 16) == port and int(queues.rpartition(":")[2], 16) > 0:
            return True
    return False


def answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {seconds:.0f} s")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
