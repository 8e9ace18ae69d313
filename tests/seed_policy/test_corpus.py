"""The corpus: tokens as a rollout would have recorded them, and questions that no data set draws."""

import pytest

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.data.plan import MAX_SEED, PARTS, SEEDS_OF_A_PART
from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.seed_policy import corpus, make
from r1ci_plugin.seed_policy.measure import FIRST_SEED as MEASURED_FROM
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer


@pytest.fixture
async def spoken() -> list[corpus.Spoken]:
    async with LocalExecutor(slots=2) as executor:
        return await corpus.corpus(96, executor)


async def test_the_loss_lies_on_what_the_teacher_said_and_nothing_else(spoken: list[corpus.Spoken]) -> None:
    tokenizer = build_tokenizer(make.kinds_of(spoken))
    codec = TokenizerCodec(tokenizer)
    for item in spoken:
        ids, labels = make.encode(item, codec)
        learned = [token for token, label in zip(ids, labels, strict=True) if label != make.IGNORED]
        assert tokenizer.decode(learned) == "".join(item.turns) + tokenizer.eos_token
        assert all(label in (token, make.IGNORED) for token, label in zip(ids, labels, strict=True))


async def test_every_trajectory_is_well_formed(spoken: list[corpus.Spoken]) -> None:
    codec = TokenizerCodec(build_tokenizer(make.kinds_of(spoken)))
    for item in spoken:
        trajectory = item.replay(codec, codec.encode_prompt(corpus.messages(item.question)), Limits())
        assert trajectory.outcome == "answered" and trajectory.is_well_formed(), item


def test_the_corpus_draws_from_seeds_of_its_own() -> None:
    last_of_data_sets = (MAX_SEED + 1) * len(PARTS) * SEEDS_OF_A_PART
    assert last_of_data_sets <= MEASURED_FROM < corpus.FIRST_SEED
