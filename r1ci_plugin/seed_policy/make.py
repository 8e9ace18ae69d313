"""Make the seed policy from nothing: corpus, tokenizer, weights, card.

    python -m r1ci_plugin.seed_policy.make --out r1ci_plugin/assets/seed_policy

About half an hour on two cores. A plain training loop on purpose: the policy is a means to test the trainer, not made
by it. Left out: measuring the result (`r1ci_plugin.seed_policy.measure`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.protocol import RESULT_PREFIX, STOP, render_prompt
from r1ci_plugin.seed_policy.corpus import Spoken, corpus, messages
from r1ci_plugin.seed_policy.kinds import Said, alike
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer

HIDDEN, LAYERS, HEADS, INTERMEDIATE = 192, 4, 3, 512
"""Head dimension 64, which GPU attention kernels serve."""
CONTEXT = 1024
TOKENS_A_STEP = 4096
LEARNING_RATE = 1e-3
COPY_STEPS = 600
"""Steps on random copies first: a model this small finds copying by itself only after far more text than it gets."""
IGNORED = -100  # torch's label for a position without loss

Example = tuple[list[int], list[int]]
"""Token ids, and as many labels: the id on sampled tokens, IGNORED elsewhere."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the policy to")
    parser.add_argument("--questions", type=int, default=24_000, help="trajectories of the corpus")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)

    spoken = asyncio.run(_corpus(arguments.questions, arguments.seed))
    tokenizer = build_tokenizer(kinds_of(spoken))
    examples = [encode(item, TokenizerCodec(tokenizer)) for item in spoken]
    examples = [example for example in examples if len(example[0]) <= CONTEXT]
    model = new_model(tokenizer)
    print(
        f"{len(examples)} trajectories, {sum(len(ids) for ids, _ in examples)} tokens, "
        f"{model.num_parameters()} parameters"
    )
    train(model, copies(len(tokenizer), COPY_STEPS, arguments.seed), "copying")
    train(model, epochs_of(examples, arguments.epochs, arguments.seed), "trajectories")
    save(model, tokenizer, spoken, arguments.out)


async def _corpus(count: int, seed: int) -> list[Spoken]:
    started = time.monotonic()
    async with LocalExecutor() as executor:
        spoken = await corpus(count, executor, seed)
    print(f"corpus: {len(spoken)} trajectories in {time.monotonic() - started:.0f} s")
    return spoken


def kinds_of(spoken: list[Spoken]) -> list[list[str]]:
    """The texts of a corpus that share phrases, and the frame of a result."""
    said = (
        Said(item.question.task, item.form, render_prompt(item.question.prompt), item.turns, item.results)
        for item in spoken
    )
    frames = [[f"{RESULT_PREFIX}\n"], ["assistant\n"], ["user\n"], [f"\n{STOP}"]]
    return [*frames, *alike(said)]


def encode(item: Spoken, codec: TokenizerCodec) -> Example:
    """A trajectory as the rollout would have recorded it: loss on sampled tokens alone."""
    prompt = codec.encode_prompt(messages(item.question))
    trajectory = item.replay(codec, prompt, Limits())
    ids = prompt + trajectory.response_ids
    mask = [0] * len(prompt) + trajectory.response_mask
    return ids, [token if sampled else IGNORED for token, sampled in zip(ids, mask, strict=True)]


def new_model(tokenizer: Any) -> Any:
    """Random weights in the architecture of Qwen2: a Llama with biases in attention.

    It is saved as a Llama, because transformers puts Qwen2's own tokenizer class on every model of type qwen2, whatever
    its files say (transformers/models/auto/tokenization_auto.py).
    """
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=HIDDEN // HEADS,
        attention_bias=True,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    look_back(model)
    return model


@torch.no_grad()
def look_back(model: Any, frequencies: int = 12, strength: float = 5.5) -> None:
    """Let the first head of the first layer look at the previous token from the start, through its biases alone.

    Copying needs such a head, and a small model takes long to find it. Rotary embedding turns the constant key (1, 0)
    and the constant query (cos w, -sin w) of a frequency w into the score cos(w (distance - 1)), highest at distance 1.
    """
    attention = model.model.layers[0].self_attn
    half = HIDDEN // HEADS // 2
    angles = 10_000.0 ** (-torch.arange(frequencies) / half)
    attention.k_proj.bias[:frequencies] = strength
    attention.q_proj.bias[:frequencies] = strength * torch.cos(angles)
    attention.q_proj.bias[half : half + frequencies] = -strength * torch.sin(angles)


def train(model: Any, steps: list[list[Example]], name: str) -> None:
    """One optimizer step for each list of examples: AdamW with warm-up and cosine decay."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step, len(steps)))
    started, average = time.monotonic(), 0.0
    model.train()
    for step, examples in enumerate(steps, start=1):
        ids, labels, attention = padded(examples)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # halves the time; weights stay in float32
            loss = model(input_ids=ids, attention_mask=attention, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        average = loss.item() if step == 1 else 0.98 * average + 0.02 * loss.item()
        if step % 50 == 0 or step == len(steps):
            print(
                f"{name}: step {step}/{len(steps)}  loss {average:.4f}  {time.monotonic() - started:.0f} s", flush=True
            )


def _cosine(step: int, steps: int, warm_up: int = 50) -> float:
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def copies(vocabulary: int, steps: int, seed: int, length: int = 48) -> list[list[Example]]:
    """Random token strings that come again and again, other tokens between; no loss on the first time."""
    rng = Random(f"copies|{seed}")

    def tokens(least: int, most: int) -> list[int]:
        return [rng.randrange(vocabulary - 3) for _ in range(rng.randint(least, most))]

    def example() -> Example:
        text = tokens(2, 16)
        ids: list[int] = []
        labels: list[int] = []
        while len(ids) < length:
            between = tokens(0, 3)
            known = text[1:] if ids else []
            ids += [*between, *text]
            labels += [*[IGNORED] * (len(between) + len(text) - len(known)), *known]
        return ids[:length], labels[:length]

    return [[example() for _ in range(32)] for _ in range(steps)]


def epochs_of(examples: list[Example], epochs: float, seed: int) -> list[list[Example]]:
    """Batches of about TOKENS_A_STEP tokens, alike lengths together, in an order of its own for each epoch."""
    rng = Random(f"epochs|{seed}")
    steps: list[list[Example]] = []
    for _ in range(math.ceil(epochs)):
        order = sorted(examples, key=lambda example: len(example[0]) + 8 * rng.random())
        groups: list[list[Example]] = [[]]
        for example in order:
            if groups[-1] and (len(groups[-1]) + 1) * len(example[0]) > TOKENS_A_STEP:
                groups.append([])
            groups[-1].append(example)
        rng.shuffle(groups)
        steps += groups
    return steps[: math.ceil(len(steps) * epochs / math.ceil(epochs))]


def padded(rows: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(ids, labels, attention mask), each (examples, tokens), padded on the right."""
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in rows])
    labels = torch.tensor([row + [IGNORED] * (width - len(row)) for _, row in rows])
    attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row, _ in rows])
    return ids, labels, attention


def save(model: Any, tokenizer: Any, spoken: list[Spoken], out: Path) -> None:
    """Weights in bfloat16, tokenizer, and the ids of all questions seen, so that data can be built without them."""
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    seen = sorted({item.question.question_id for item in spoken})
    (out / "questions_seen.json").write_text(json.dumps(seen, separators=(",", ":")))
    print(f"written to {out}: {sum(path.stat().st_size for path in out.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
