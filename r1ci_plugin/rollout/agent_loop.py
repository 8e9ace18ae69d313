"""The multi-turn rollout that verl runs: one trajectory per call, engine-neutral, tokens in and tokens out.

It connects three things and decides nothing: the state machine (`trajectory.py`) says what comes next, verl's server
client samples, the executor runs code. Whatever the code or the infrastructure does, it returns: a finished trajectory
as one `AgentLoopOutput`, a lost one as an empty list, which verl takes as "no sample"
(verl/trainer/ppo/v1/agent_loop_tq.py), so that GRPO compares the survivors among themselves. Left out: judging the
answer (`reward/manager.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput, register

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.curriculum.records import RECORD_FIELD, is_kept
from r1ci_plugin.curriculum.staleness import VERSIONS_FIELD, TurnVersions, bounds
from r1ci_plugin.data.row import AGENT, read_row
from r1ci_plugin.drive import Sampled, drive
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.record import Record, Usage, policy_name
from r1ci_plugin.rollout.shared import codec_for, executor_for, freeze_imports, settings_for
from r1ci_plugin.tasks import Question
from r1ci_plugin.trajectory import Generate, Interaction, Trajectory

logger = logging.getLogger(__name__)


@register(AGENT)
class CodeInterpreterAgentLoop(AgentLoopBase):  # type: ignore[misc]  # verl ships no types
    """Drives one trajectory. verl makes an instance for each; executor and codec are shared by the worker process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        freeze_imports()
        self.settings = settings_for(self.config)
        self.codec: TokenizerCodec = codec_for(self.tokenizer, lambda: self.config.actor_rollout_ref.model.path)
        self.executor: Executor = executor_for(self.settings.executor)

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> list[AgentLoopOutput]:
        """`kwargs` is a row of the dataset; `raw_prompt` holds the messages."""
        interaction = Interaction(
            self.codec,
            self._prompt_ids(kwargs["raw_prompt"]),
            self.settings.interaction,
            response_tokens=self.rollout_config.response_length,
            context_tokens=self.rollout_config.max_model_len,
        )
        rollout = _Rollout(self, sampling_params, sample_key=str(kwargs.get("uid", "")))
        trajectory = await drive(interaction, rollout.sample, rollout.run)
        if trajectory.outcome == "lost":
            logger.warning("trajectory of %s lost: %s", kwargs.get("data_source"), trajectory.reason)
            return []
        output = rollout.output(trajectory)
        if (question := self._recorded(kwargs)) is not None:
            output.extra_fields[RECORD_FIELD] = rollout.record(trajectory, question, kwargs).to_dict()
        return [output]

    def _recorded(self, row: Mapping[str, Any]) -> Question | None:
        """The question of a row whose trajectories are kept. A row with a ground truth of its own has no record."""
        question_id = (row.get("extra_info") or {}).get("question_id")
        if not question_id or not is_kept(question_id, self.settings.records.share):
            return None
        try:
            return read_row(row)
        except (KeyError, TypeError, ValueError):
            return None

    def _prompt_ids(self, messages: Any) -> list[int]:
        ids = self.codec.encode_prompt([dict(message) for message in messages])
        if len(ids) > self.rollout_config.prompt_length:
            raise ValueError(
                f"a prompt of {len(ids)} tokens is over data.max_prompt_length={self.rollout_config.prompt_length}: "
                "set data.filter_overlong_prompts=true or raise the limit"
            )
        return ids


class _Rollout:
    """What one trajectory needs beside its state machine: where to sample and run, and what that took."""

    def __init__(self, loop: CodeInterpreterAgentLoop, sampling_params: dict[str, Any], sample_key: str) -> None:
        self._loop = loop
        self._sampling_params = sampling_params
        self._sample_key = sample_key
        # One id a trajectory keeps it on the server that holds its prefix (verl/workers/rollout/llm_server.py).
        self._request_id = uuid4().hex
        self._generate_s = 0.0
        self._execute_s = 0.0
        self._preempted = 0
        self._usage = Usage()
        self._started = time.perf_counter()
        self._versions: list[TurnVersions] = []

    async def sample(self, token_ids: list[int], command: Generate) -> Sampled:
        started = time.perf_counter()
        output = await self._loop.server_manager.generate(
            request_id=self._request_id,
            prompt_ids=token_ids,
            sampling_params={
                **self._sampling_params,
                "max_tokens": command.max_tokens,
                "stop": list(command.stop),
                "include_stop_str_in_output": True,
                "stop_token_ids": sorted(self._loop.codec.eos_ids),
            },
        )
        self._generate_s += time.perf_counter() - started
        self._usage += Usage(1, len(token_ids), len(output.token_ids))
        self._preempted += max(0, output.num_preempted or 0)
        oldest, newest = (output.extra_fields.get(f"{end}_global_steps") for end in ("min", "max"))
        self._versions.append((oldest, newest, len(output.token_ids)))
        return output.token_ids, output.log_probs

    async def run(self, code: str) -> ExecResult:
        limits = self._loop.settings.interaction
        started = time.perf_counter()
        result = await self._loop.executor.run(
            code, timeout=limits.code_timeout_s, memory_mb=limits.code_memory_mb, sample_key=self._sample_key
        )
        self._execute_s += time.perf_counter() - started
        return result

    def _mask(self, trajectory: Trajectory) -> list[int]:
        if self._loop.settings.interaction.train_on_results:
            return [1] * len(trajectory.response_mask)
        return trajectory.response_mask

    def output(self, trajectory: Trajectory) -> AgentLoopOutput:
        """The trajectory as verl takes it. What the reward manager and the metrics need travels in `extra_fields`."""
        oldest, newest = bounds(self._versions)
        return AgentLoopOutput(
            prompt_ids=trajectory.prompt_ids,
            response_ids=trajectory.response_ids,
            response_mask=self._mask(trajectory),
            response_logprobs=trajectory.response_log_probs,
            num_turns=1 + len(trajectory.turns) + len(trajectory.calls),
            metrics=AgentLoopMetrics(
                generate_sequences=self._generate_s, tool_calls=self._execute_s, num_preempted=self._preempted
            ),
            extra_fields={
                "r1ci_answer": trajectory.answer,
                "r1ci_facts": {**trajectory.facts(), **self._times()},
                "r1ci_isolation": next((call.result.isolation for call in trajectory.calls if call.result), ""),
                # verl's staleness metrics cast both to int (verl/trainer/ppo/v1/trainer_base.py).
                "min_global_steps": oldest,
                "max_global_steps": newest,
                VERSIONS_FIELD: self._versions,
                "turn_scores": [],
                "tool_rewards": [],
            },
        )

    def _times(self) -> dict[str, float]:
        """Seconds of this trajectory: from its start to now, and of them those spent sampling and running code."""
        wall = time.perf_counter() - self._started
        return {"wall_s": wall, "generate_s": self._generate_s, "execute_s": self._execute_s}

    def record(self, trajectory: Trajectory, question: Question, row: Mapping[str, Any]) -> Record:
        """The trajectory for people to look at; verdict and reward are added where they are known."""
        return Record(
            key="",
            question=question,
            agent="code_agent",
            trajectory=trajectory,
            verdict=None,
            sample=int(row.get("session_id", 0)),
            policy=policy_name(self._loop.config.actor_rollout_ref.model.path),
            temperature=float(self._sampling_params["temperature"]),
            usage=self._usage,
            wall_s=time.perf_counter() - self._started,
        )
