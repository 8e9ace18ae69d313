"""One worker process of verl doing a step of the benchmark: real agent loop, executor and reward manager.

Everything of a trajectory is the real thing: verl makes the agent loop and turns its output into tensors, the loop
drives the state machine, code runs in isolated processes, answers are judged in the killable pool. Only the GPUs are
simulated. Left out: Ray and the data plane between verl's processes, which any step of verl pays for.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import process_time
from types import SimpleNamespace
from typing import Any

from omegaconf import OmegaConf
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput, register
from verl.trainer.ppo.v1 import agent_loop_tq
from verl.utils.dataset.rl_dataset import RLHFDataset

from r1ci_plugin.bench.rollout.parameters import CODE_LIMIT_S, Layout, Parameters
from r1ci_plugin.bench.rollout.phases import Mode, Phases
from r1ci_plugin.bench.rollout.processes import children, cpu_s, peak_mb
from r1ci_plugin.bench.rollout.server import SimulatedServer, TimedExecutor
from r1ci_plugin.bench.rollout.timeline import make_fleet, shares
from r1ci_plugin.bench.rollout.workload import Prompt, Workload, make_workload
from r1ci_plugin.config import settings_from
from r1ci_plugin.interpreter.local.executor import LocalExecutor
from r1ci_plugin.reward.manager import R1CIRewardManager
from r1ci_plugin.rollout.agent_loop import CodeInterpreterAgentLoop
from r1ci_plugin.rollout.shared import executor_for

_AGENT, _IDLE_AGENT = "r1ci_bench", "r1ci_bench_idle"
_RESPONSE_TOKENS = 16_384
"""More than any scripted trajectory has: nothing is cut off."""
_LEAST_LIMIT_S = 1.0
"""A time limit that no script runs into for the machine's sake, whatever the time scale."""
_SAMPLING = {"temperature": 1.0, "top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0, "logprobs": True}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step took."""

    trajectories: int
    calls: int
    step_s: float
    """From the first request to the last reward, in the time of the simulated GPUs (see `time_scale`)."""
    busy_share: float
    code_wait_share: float
    loop_cpu_s: float
    """Processor time of this process, without the simulation: agent loop, verl's part, reward manager."""
    verl_cpu_s: float
    """What verl spends on as many trajectories of these lengths, ending at the same moments, with an agent loop and a
    reward manager that do nothing. All at once they would cost it less: what it runs through would stay warm."""
    simulation_cpu_s: float
    """In this process as well, and in no other figure."""
    verifier_cpu_s: float
    executor_cpu_s: float
    """Of all its clients while this step ran."""
    call_s: float
    """Mean of a code call, in the time of the simulated GPUs."""
    queue_s: float
    """Waiting for a slot, summed over the calls, in the time of the simulated GPUs."""
    peak_mb: float
    lost: int
    right: int

    @property
    def overhead_ms(self) -> float:
        """Our own processor time a trajectory: loop, parsing, records and reward, without the executor's processes."""
        return 1e3 * (self.loop_cpu_s - self.verl_cpu_s + self.verifier_cpu_s) / self.trajectories


@register(_AGENT)
class _BenchLoop(CodeInterpreterAgentLoop):
    """The agent loop, whose server is told when code runs and when it ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.executor = TimedExecutor(self.executor, self.server_manager)

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> list[Any]:
        try:
            return await super().run(sampling_params, **kwargs)
        finally:
            self.server_manager.leave()


@register(_IDLE_AGENT)
class _IdleLoop(AgentLoopBase):  # type: ignore[misc]
    """Returns what it is given, when it is told to, for what verl does around a loop."""

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> list[AgentLoopOutput]:
        script, ends_after_s = self.server_manager.popleft()
        await asyncio.sleep(ends_after_s)
        ids = [token for turn in script.turns for token in turn.ids]
        return [
            AgentLoopOutput(
                prompt_ids=list(script.prompt_ids),
                response_ids=ids,
                response_mask=[1] * len(ids),
                response_logprobs=[-0.5] * len(ids),
                metrics=AgentLoopMetrics(),
            )
        ]


class _VerlWorker(agent_loop_tq.AgentLoopWorkerTQ.__ray_metadata__.modified_class):  # type: ignore[misc]
    """verl's worker without the set-up of a cluster."""

    def __init__(self, config: Any, tokenizer: Any, rewards: R1CIRewardManager) -> None:
        self.config, self.tokenizer, self.processor, self.hf_model_type = config, tokenizer, None, "qwen2"
        self.dataset_cls = RLHFDataset
        self.tools: list[Any] = []
        self.mm_processor_kwargs: dict[str, Any] = {}
        self.distillation_enabled = False
        self.right = 0
        self._rewards = rewards
        handle = SimpleNamespace(compute_score=SimpleNamespace(remote=self._judge))
        self.reward_loop_worker_handles = [handle]

    async def step(self, server: Any, prompts: tuple[Prompt, ...], agent: str = _AGENT) -> None:
        """All trajectories at once, as `_run_prompt` of verl starts them."""
        self.llm_client = server
        trajectory = {"step": 1, "sample_index": 0, "rollout_n": 0, "validate": False}
        trajectories = [
            self._run_agent_loop(_SAMPLING, trajectory, agent_name=agent, trace=False, session_id=number, **row)
            for row, prompt in ((_row(prompt), prompt) for prompt in prompts)
            for number in range(len(prompt.trajectories))
        ]
        await asyncio.gather(*trajectories)

    async def idle_cpu_s(self, workload: Workload, ended: Sequence[float]) -> float:
        """Processor seconds of verl alone, for trajectories of the same lengths that end after as many seconds."""
        began = process_time()
        outputs = deque(zip(workload.trajectories, sorted(ended), strict=True))
        await self.step(outputs, workload.prompts, _IDLE_AGENT)
        return process_time() - began

    async def _judge(self, data: Any) -> dict[str, Any]:
        if "r1ci_facts" not in data[-1].non_tensor_batch["tool_extra_fields"]:
            return {"reward_score": 0.0, "reward_extra_info": {}}
        judged = await self._rewards.run_single(data)
        self.right += int(judged["reward_extra_info"]["acc"])
        return judged


def run_step(
    workload: Workload,
    parameters: Parameters,
    *,
    time_scale: float,
    slots: int,
    mode: Mode = "async",
    on_start: Callable[[], None] = lambda: None,
) -> Measured:
    """A step with GPUs and code `time_scale` times faster than they are, so that all of our own work weighs as many
    times more. The workload must have been made for the same scale. Start-up is not in it; `on_start` is called behind
    it.
    """
    server = _server(workload, parameters, time_scale, mode)
    config = _config(slots, time_scale)
    with _no_data_plane():
        return asyncio.run(_run(workload, parameters, server, config, time_scale, on_start))


async def _run(
    workload: Workload,
    parameters: Parameters,
    server: SimulatedServer,
    config: Any,
    time_scale: float,
    on_start: Callable[[], None],
) -> Measured:
    executor = executor_for(settings_from(config).executor)
    assert isinstance(executor, LocalExecutor)
    rewards = R1CIRewardManager(config, workload.tokenizer)
    worker = _VerlWorker(config, workload.tokenizer, rewards)
    try:
        await asyncio.gather(*(executor.run("pass") for _ in range(executor.slots)))
        await _warm_up(worker, parameters)
        on_start()
        before, counted = _used(executor), executor.stats()
        worker.right, began = 0, asyncio.get_running_loop().time()
        await worker.step(server, workload.prompts)
        step_s = asyncio.get_running_loop().time() - began
        used = {name: seconds - before[name] for name, seconds in _used(executor).items()}
        stats = {name: count - counted.get(name, 0.0) for name, count in executor.stats().items()}
        verl_cpu_s = await worker.idle_cpu_s(workload, server.ended)
        return _measured(workload, server, worker.right, step_s, time_scale, {**used, "verl": verl_cpu_s}, stats)
    finally:
        await rewards.close()
        await executor.close()


def _measured(
    workload: Workload,
    server: SimulatedServer,
    right: int,
    step_s: float,
    time_scale: float,
    used: Mapping[str, float],
    stats: Mapping[str, float],
) -> Measured:
    busy_share, code_wait_share = shares(step_s, server.busy, [server.code[home] for home in range(len(server.busy))])
    return Measured(
        trajectories=len(workload.trajectories),
        calls=int(stats["calls"]),
        step_s=time_scale * step_s,
        busy_share=busy_share,
        code_wait_share=code_wait_share,
        loop_cpu_s=used["process"] - server.cost_s,
        verl_cpu_s=used["verl"],
        simulation_cpu_s=server.cost_s,
        verifier_cpu_s=used["verifiers"],
        executor_cpu_s=used["executor"],
        call_s=time_scale * stats["run_s"] / max(1.0, stats["calls"]),
        queue_s=time_scale * stats["queue_s"],
        peak_mb=peak_mb(),
        lost=int(stats.get("sandbox_error", 0)),
        right=right,
    )


def _server(workload: Workload, parameters: Parameters, time_scale: float, mode: Mode) -> SimulatedServer:
    fleet, scripts = make_fleet(parameters, time_scale), workload.trajectories
    if mode == "async":
        return SimulatedServer(fleet, scripts)
    at_once = parameters.layout.inline_code_at_once if mode == "inline" else None
    return SimulatedServer(fleet, scripts, Phases(len(scripts)), at_once)


async def _warm_up(worker: _VerlWorker, parameters: Parameters) -> None:
    """One question through everything, so that imports and first starts are not in the step."""
    fast = replace(parameters, profile="fast", layout=Layout(trajectories=parameters.trajectory.group))
    workload = make_workload(fast, time_scale=100.0)
    await worker.step(_server(workload, fast, 100.0, "async"), workload.prompts)


def _used(executor: LocalExecutor) -> dict[str, float]:
    """Processor seconds so far."""
    host = executor.host_pid
    verifiers = sum(cpu_s(pid) for pid in children(os.getpid()) if pid != host)
    return {"process": process_time(), "executor": cpu_s(host), "verifiers": verifiers}


def _row(prompt: Prompt) -> dict[str, Any]:
    """The row as verl's dataset and trainer hand it to the worker."""
    row = {name: value for name, value in prompt.row.items() if name not in ("prompt", "agent_name")}
    uid = prompt.row["extra_info"]["question_id"]
    return {**row, "raw_prompt": prompt.row["prompt"], "uid": uid, "index": 0, "global_steps": 1}


def _config(slots: int, time_scale: float) -> Any:
    rollout = {"prompt_length": 4_096, "response_length": _RESPONSE_TOKENS, "max_model_len": None}
    return OmegaConf.create(
        {
            "actor_rollout_ref": {"rollout": rollout, "model": {"path": "/simulated"}},
            "data": {},
            "r1ci": {
                "executor": {"slots": slots},
                "interaction": {"code_timeout_s": max(_LEAST_LIMIT_S, CODE_LIMIT_S / time_scale)},
                "verifier": {"workers": 1},
            },
        }
    )


@contextmanager
def _no_data_plane() -> Iterator[None]:
    """verl's worker hands its tensors to nobody."""

    async def drop(**_: Any) -> None: ...

    queue, agent_loop_tq.tq = agent_loop_tq.tq, SimpleNamespace(async_kv_batch_put=drop)
    try:
        yield
    finally:
        agent_loop_tq.tq = queue
