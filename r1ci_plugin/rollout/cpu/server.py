"""The Ray actor that serves rollouts: verl's server methods over an `EmbeddedEngine`.

Left out: sampling (`embedded.py` and below), starting actors and shipping weights (`replica.py`).
"""

from __future__ import annotations

import os
from typing import Any

import torch
from verl.workers.rollout.replica import TokenOutput

from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
from r1ci_plugin.rollout.cpu.models import load_policy


class CPUServer:
    """One replica. Every public method is called remotely by verl or by our adapter.

    Args:
        path: the policy's folder; `tokenizer_path` where its tokenizer lies elsewhere.
        load_weights: False if the trainer sends them before the first request.
        prompt_length, response_length: verl's bounds, used when a request names no max_tokens.
        max_model_len, max_num_seqs, seed, threads, kv_cache_bytes: as in `EmbeddedEngine`.
    """

    def __init__(
        self,
        path: str,
        tokenizer_path: str | None,
        trust_remote_code: bool,
        load_weights: bool,
        prompt_length: int,
        response_length: int,
        ignore_eos: bool,
        **engine: Any,
    ) -> None:
        model, tokenizer = load_policy(
            path, weights=load_weights, tokenizer_path=tokenizer_path, trust_remote_code=trust_remote_code
        )
        self._engine = EmbeddedEngine(model, tokenizer, **engine)
        self._prompt_length, self._response_length = prompt_length, response_length
        self._ignore_eos = ignore_eos
        self._global_steps: int | None = None

    async def ready(self) -> int:
        """The process id, once the model is loaded."""
        return os.getpid()

    async def generate(
        self,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        request_id: str,
        image_data: list[Any] | None = None,
        video_data: list[Any] | None = None,
        audio_data: list[Any] | None = None,
        mm_processor_kwargs: dict[str, Any] | None = None,
        priority: int = 0,
    ) -> TokenOutput:
        """verl's token-in, token-out call. Raises ValueError on images, video, sound and unservable parameters."""
        if image_data or video_data or audio_data or mm_processor_kwargs or priority:
            raise ValueError("the CPU rollout engine serves text without priorities only")
        params = {"ignore_eos": self._ignore_eos, **sampling_params}
        if params.get("max_tokens") is None and params.get("max_new_tokens") is None:
            room = self._prompt_length + self._response_length - len(prompt_ids)
            params["max_tokens"] = max(1, min(self._response_length, room))
        for name in ("max_tokens", "max_new_tokens"):
            if params.get(name) is not None:
                params[name] = max(1, params[name])  # verl's servers give at least one token
        got = await self._engine.generate(list(prompt_ids), params, request_id)
        return TokenOutput(
            token_ids=got.token_ids,
            log_probs=got.log_probs,
            stop_reason=got.stop_reason,
            num_preempted=0,
            extra_fields={"global_steps": self._global_steps, "num_cached_tokens": got.num_cached_tokens},
        )

    # ---- weights

    async def load_weights(self, weights: dict[str, torch.Tensor], last: bool, global_steps: int | None) -> None:
        await self._engine.load_weights(weights, last)
        if last:
            self._global_steps = global_steps

    async def digest(self) -> str:
        return await self._engine.digest()

    async def set_global_steps(self, global_steps: int) -> None:
        self._global_steps = global_steps

    # ---- control

    async def abort_request(self, request_id: str) -> dict[str, Any]:
        return {"aborted": bool(await self._engine.abort(request_id)), "request_id": request_id}

    async def abort_all_requests(self, reject_request: bool = False) -> dict[str, Any]:
        ended = await self._engine.pause(reject=reject_request)
        return {"aborted_count": len(ended), "request_ids": ended}

    async def resume_generation(self) -> None:
        await self._engine.resume()

    async def wake_up(self, tags: list[str] | None = None) -> None:
        await self._engine.forget()

    async def sleep(self) -> None:
        await self._engine.sleep()

    async def clear_kv_cache(self) -> None:
        await self._engine.forget()

    async def release_kv_cache(self) -> None:
        await self._engine.forget()

    async def resume_kv_cache(self) -> None:
        """Nothing was taken away that must come back."""

    async def start_profile(self, **kwargs: Any) -> None:
        """There is no device profiler to start."""

    async def stop_profile(self) -> None:
        """There is no device profiler to stop."""

    async def statistics(self) -> dict[str, int]:
        return await self._engine.statistics()
