"""The critic of the CPU back end loads where no flash-attn is, with one value for every token."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoConfig

import r1ci_plugin
from r1ci_plugin.rollout.cpu.engine import _load_value_model

SEED_POLICY = Path(r1ci_plugin.__file__).parent / "assets" / "seed_policy"


def test_a_critic_starts_from_a_policy_and_gives_every_token_a_value() -> None:
    config = AutoConfig.from_pretrained(SEED_POLICY)
    config.num_labels = 1
    critic = _load_value_model(str(SEED_POLICY), torch.float32, config, False)
    assert critic(input_ids=torch.tensor([[1, 2, 3]])).logits.shape == (1, 3, 1)
    assert critic.dtype == torch.float32
