"""The script that starts clusters, with `ssh` and the programs it starts replaced: what it says to which node."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "multi_node" / "cluster.sh"
PROGRAM = """#!/usr/bin/env bash
printf '%s|' "$NODE" "$(basename "$0")" "$@" >>"$CALLS"
printf 'tokens %s %s\\n' "${#RAY_AUTH_TOKEN}" "${#R1CI_SANDBOX_TOKEN}" >>"$CALLS"
case "$*" in *serve* | *--block*) exec sleep 600 ;; esac
"""
SSH = """#!/usr/bin/env bash
export NODE=$1
shift
printf '%s\\n' "$*" >>"$CALLS.ssh"
exec "$@"
"""


class Cluster:
    """Two GPU nodes and two CPU nodes, all of them this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        for name, text in (("ssh", SSH), ("ray", PROGRAM), ("r1ci", PROGRAM), ("python", PROGRAM)):
            file = folder / "bin" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o755)

    def __call__(self, *words: str, gpu: str = "g1", cpu: str = "c1") -> None:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "R1CI", "RAY"))},
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            **{"VENV": str(self.folder), "CALLS": str(self.calls), "PATIENCE": "0"},
            **{"STATE": str(self.folder / "state"), "SECRETS": str(self.folder / "secrets")},
            **{"GPU_NODES": gpu, "CPU_NODES": cpu},
        }
        subprocess.run(["bash", SCRIPT, *words], env=environment, check=True, timeout=60)

    def told(self, count: int) -> list[list[str]]:
        """The words of each program that was started, behind the node it was started on."""
        deadline = time.monotonic() + 20
        while len(lines := self.calls.read_text().splitlines() if self.calls.exists() else []) < count:
            assert time.monotonic() < deadline, lines
            time.sleep(0.05)
        assert all(line.endswith("|tokens 64 64") for line in lines)
        return [line.split("|")[:-1] for line in lines]


def is_alive(pid: int) -> bool:
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_services_start_on_their_nodes_with_tokens_that_no_command_line_shows_and_end_again(cluster: Cluster) -> None:
    cluster("up")
    try:
        told = cluster.told(2)
        assert ["c1", "r1ci", "sandbox", "serve", "--host", "0.0.0.0", "--port", "8080"] in told
        assert ["g1", "ray", "start", "--block", "--head", "--port", "6379", "--include-dashboard=false"] in told
        secrets = (cluster.folder / "secrets").read_text()
        assert (cluster.folder / "secrets").stat().st_mode & 0o077 == 0
        for word in secrets.split():
            assert word in ("export", "RAY_AUTH_MODE=token") or word.partition("=")[2] not in cluster.calls.read_text()
        assert set(Path(f"{cluster.calls}.ssh").read_text().splitlines()) == {"bash -s"}
        notes = [(cluster.folder / "state" / f"{name}.pid").read_text().split() for name in ("ray", "sandbox")]
        pids = [int(pid) for pid, _ in notes]
        assert (cluster.folder / "state").stat().st_mode & 0o077 == 0
    finally:
        cluster("down")
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_a_process_that_was_started_is_ended(cluster: Cluster) -> None:
    (state := cluster.folder / "state").mkdir(mode=0o700)
    with subprocess.Popen(["sleep", "60"]) as other:
        (state / "ray.pid").write_text(f"{other.pid} 12345\n")  # its number came round again
        (state / "sandbox.pid").write_text("999999999 12345\n")
        cluster("down")
        assert other.poll() is None and not list(state.iterdir())
        other.kill()


def test_a_folder_that_is_another_users_link_is_not_used(cluster: Cluster) -> None:
    (cluster.folder / "elsewhere").mkdir()
    (cluster.folder / "state").symlink_to(cluster.folder / "elsewhere")
    with pytest.raises(subprocess.CalledProcessError):
        cluster("up")
    assert not list((cluster.folder / "elsewhere").iterdir())


def test_all_nodes_of_an_allocation_have_the_same_tokens(cluster: Cluster) -> None:
    say = 'echo "$RAY_AUTH_TOKEN $R1CI_SANDBOX_TOKEN" >>"$CALLS"'
    real = shutil.which("od")
    for name, text in (
        ("scontrol", "printf 'n%s\\n' 1 2 3 4"),
        ("srun", "shift 5; exec \"$@\""),
        ("od", f'sleep 0.2; exec {real} "$@"'),  # time enough for all nodes to want one
        *((name, say) for name in ("ray", "r1ci", "python")),
    ):
        (cluster.folder / "bin" / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (cluster.folder / "bin" / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{cluster.folder / 'bin'}:{os.environ['PATH']}", "SLURM_JOB_ID": "1"}
    environment |= {"VENV": str(cluster.folder), "CALLS": str(cluster.calls), "PATIENCE": "1", "CPU_COUNT": "2"}
    environment |= {"SECRETS": str(cluster.folder / "secrets"), "SLURM_JOB_NODELIST": "n[1-4]"}
    subprocess.run(["bash", SCRIPT, "slurm"], env=environment, check=True, timeout=60)
    told = cluster.calls.read_text().splitlines()
    assert len(told) == 5 and len(set(told)) == 1 and len(told[0]) == 129
    assert [path.name for path in cluster.folder.glob("secrets*")] == ["secrets"]


def test_the_job_runs_on_the_head_node_and_knows_every_code_server(cluster: Cluster) -> None:
    cluster("run", "+recipe=r1ci_stage1", "trainer.nnodes=2", "a=[x, 'y z']", gpu="g1 g2", cpu="c1 c2")
    (told,) = cluster.told(1)
    assert told[:4] == ["g1", "python", "-m", "verl.trainer.main_ppo"]
    assert "++ray_kwargs.ray_init.address='g1:6379'" in told
    assert "r1ci.executor.endpoints=['http://c1:8080','http://c2:8080']" in told
    assert told[-3:] == ["+recipe=r1ci_stage1", "trainer.nnodes=2", "a=[x, 'y z']"]


def test_without_cpu_nodes_code_runs_where_the_trajectories_are(cluster: Cluster) -> None:
    cluster("run", "+recipe=r1ci_stage1", cpu="")
    (told,) = cluster.told(1)
    assert not [word for word in told if "executor" in word]
