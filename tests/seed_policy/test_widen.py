"""Widening: new words become tokens, and what the policy knew stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from r1ci_plugin.protocol import PROTOCOL, render_prompt
from r1ci_plugin.seed_policy import seed_policy_path
from r1ci_plugin.seed_policy.widen import widen
from r1ci_plugin.sft.teacher import ScriptedTeacher
from r1ci_plugin.sft.training_set import SCHEMA, SEEN_FILE, SET_FILE
from r1ci_plugin.tasks import get_task

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
NEW = "reasoning_gym/lcm"


def row(number: int) -> dict[str, Any]:
    question = get_task(NEW).make(number, 1)
    turn = ScriptedTeacher(question, "guess", Random(0)).speak()
    return {
        "question_id": question.question_id,
        "task": NEW,
        "difficulty": 1,
        "form": "guess",
        "teacher": "scripted",
        "prompt": [{"role": "user", "content": render_prompt(question.prompt)}],
        "trajectory": json.dumps({"turns": [{"text": turn}]}),
        "turns": 1,
        "protocol": PROTOCOL,
    }


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("widen")
    parquet.write_table(pa.Table.from_pylist([row(number) for number in range(40)], SCHEMA), folder / SET_FILE)
    before, after = widen(seed_policy_path(), folder, folder / "policy", words=50)
    assert after > before
    return folder / "policy"


def loaded(folder: Path) -> tuple[Any, Any]:
    return transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModelForCausalLM.from_pretrained(folder)


def test_a_new_task_takes_few_tokens_and_its_text_comes_back(wide: Path) -> None:
    old, new = (transformers.AutoTokenizer.from_pretrained(folder) for folder in (seed_policy_path(), wide))
    prompt = render_prompt(get_task(NEW).make(1000, 1).prompt)
    assert new.decode(new.encode(prompt)) == prompt
    assert len(new.encode(prompt)) < 0.2 * len(old.encode(prompt))


def test_known_tokens_keep_their_weights_and_new_ones_begin_as_their_spelling(wide: Path) -> None:
    (old, seed), (new, policy) = loaded(seed_policy_path()), loaded(wide)
    rows, wider = (model.get_input_embeddings().weight.float() for model in (seed, policy))
    known, words = old.get_vocab(), new.get_vocab()
    assert set(known) < set(words) and policy.config.vocab_size == len(new) == len(wider)
    for word in known:
        assert torch.equal(rows[known[word]], wider[words[word]])
    fresh = next(word for word in words if word not in known)
    spelled = old.encode(new.decode([words[fresh]]), add_special_tokens=False)
    assert torch.allclose(wider[words[fresh]], rows[spelled].mean(dim=0), rtol=0.01)  # bfloat16


def test_it_says_the_same_as_before_on_what_it_knew(wide: Path) -> None:
    (old, seed), (new, policy) = loaded(seed_policy_path()), loaded(wide)
    chat = [{"role": "user", "content": render_prompt(get_task("reasoning_gym/count_bits").make(1, 1).prompt)}]
    said = []
    for tokenizer, model in ((old, seed.float()), (new, policy.float())):
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=False)
        out = model.generate(ids, max_new_tokens=12, do_sample=False)
        said.append(tokenizer.decode(out[0, ids.shape[1] :]))
    assert said[0] == said[1] and said[0].strip()


def test_the_control_tokens_and_the_seen_questions_go_along(wide: Path) -> None:
    new, policy = loaded(wide)
    assert policy.config.eos_token_id == new.eos_token_id == new.convert_tokens_to_ids("<|im_end|>")
    assert policy.config.pad_token_id == new.pad_token_id
    assert (wide / SEEN_FILE).read_bytes() == (seed_policy_path() / SEEN_FILE).read_bytes()
