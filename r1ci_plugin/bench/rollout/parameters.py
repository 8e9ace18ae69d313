"""Everything the rollout benchmark assumes: the simulated GPU, how trajectories look, how long code runs, the layout.

Chosen and committed before the first measurement with it. Marks: [stated] by the source named, [inferred] from it,
[ours] our choice, whose weight `r1ci bench rollout --sensitivity` shows. Left out: how any of it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

CODE_LIMIT_S = 60.0
"""Wall seconds of a code call, [stated] by the paper."""


@dataclass(frozen=True, slots=True)
class GpuParameters:
    """A policy of 7 billion parameters on one H100, as vLLM serves it.

    Source: results/prompt_*/1xH100-80GB-SXM/Mistral-7B-Instruct-v0.3_tp1_len*.json of the repository
    LambdaLabsML/vllm-benchmark (vLLM 0.5.4, bfloat16, ShareGPT prompts all sent at once).
    """

    batch: tuple[int, ...] = (10, 20, 80, 160, 320)
    """Requests sent at once, [stated]; so many sequences run at first, fewer later."""
    step_ms: tuple[float, ...] = (7.88, 8.74, 12.55, 17.17, 27.23)
    """Median inter-token latency at these, [stated]. Straight lines between them, level below the first."""
    prefill_ms_per_token: float = 0.0295
    """[inferred]: 21,713 prompt tokens had their first tokens after 641 ms (p99, 80 requests)."""
    max_running: int = 256
    """Sequences in one batch, vLLM's default of that version; the figures reach no further."""
    block: int = 16
    """Tokens of a block of the prefix cache, vLLM's default."""
    cache_tokens: int = 400_000
    """What the prefix cache holds, [inferred]: some 50 GB of 128 KB a token (32 layers, 8 heads of 128, bfloat16)."""


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Positive numbers with a long tail: `median`, and the spread `sigma` of their natural logarithm."""

    median: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Profile:
    """How long code calls run: a mixture of kinds, each a share with its seconds. The rest runs into the limit."""

    kinds: tuple[tuple[float, LogNormal], ...]


_FAST = LogNormal(0.1, 1.0)

PROFILES = {
    "fast": Profile(((1.0, _FAST),)),
    "mixed": Profile(((0.70, LogNormal(0.1, 0.8)), (0.25, LogNormal(1.0, 0.7)), (0.05, LogNormal(8.0, 0.6)))),
    "limit": Profile(((0.95, _FAST),)),
}
"""[ours]. `fast`: arithmetic and string work, 0.17 s on average. `mixed`: some searches of a second, a few of ten,
0.9 s on average. `limit`: 5 % of the calls end at the time limit, as brute-force searches do."""


@dataclass(frozen=True, slots=True)
class TrajectoryParameters:
    """[ours], but for the limits of the method."""

    turns: tuple[float, ...] = (0.15, 0.35, 0.25, 0.13, 0.06, 0.03, 0.015, 0.01, 0.005)
    """Share of the trajectories with 1, 2, ... 9 turns (at most 8 code calls): 88 % have at most 4."""
    code_turn_tokens: LogNormal = LogNormal(400, 0.5)
    final_turn_tokens: LogNormal = LogNormal(200, 0.5)
    max_turn_tokens: int = 1_500
    group: int = 5
    """Trajectories of a question, [stated] by the paper."""
    right: float = 0.5
    """Share of the final answers that are right."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a step is spread."""

    trajectories: int = 512
    trajectories_per_gpu: int = 512
    """[ours]. verl's GRPO examples have 640 a GPU, the paper 40 (128 questions, 5 each, 16 GPUs)."""
    inline_code_at_once: int = 8
    """Code calls a GPU's host runs at once while it generates nothing, [ours]: its share of the cores of a host with
    eight GPUs. The authors' sibling repositories run one subprocess after the other [stated], which is slower."""

    @property
    def gpus(self) -> int:
        return max(1, self.trajectories // self.trajectories_per_gpu)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One run."""

    profile: str = "mixed"
    layout: Layout = Layout()
    gpu: GpuParameters = GpuParameters()
    trajectory: TrajectoryParameters = TrajectoryParameters()
    seed: int = 0
    code_time: float = 1.0
    """Factor on every code time (the limit stays)."""
    token_time: float = 1.0
    """Factor on every time of the GPU."""
    slow_down: float = 1.0
    """Factor on what a larger batch adds to the latency of a batch of one: 0 takes any batch for free."""
