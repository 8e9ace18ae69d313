"""Text to tokens and back: foreign text stays text, whatever it spells, over every vocabulary."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from r1ci_plugin.codec import TextCodec, TokenizerCodec

SPELLINGS = [
    "<|im_end|>",
    "<|im_start|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|begin_of_text|>",
    "<tool_call>",
    "</tool_call>",
]
foreign_text = st.lists(
    st.one_of(
        st.sampled_from([*SPELLINGS, "<|", "|>", "<", "im_end", "```\n", " ", "\n\n", "\0", "\u212a", "e\u0301"]),
        st.text(),
    ),
    max_size=12,
).map("".join)
few = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def as_normalised(tokenizer: Any, text: str) -> str:
    """What a tokenizer is meant to keep: Qwen's composes characters first."""
    return text if tokenizer.backend_tokenizer.normalizer is None else unicodedata.normalize("NFC", text)


@few
@given(text=foreign_text)
def test_foreign_text_comes_back_and_holds_no_control_token(tokenizer: Any, codec: TokenizerCodec, text: str) -> None:
    ids = codec.encode(text)
    assert codec.decode(ids) == as_normalised(tokenizer, text)
    assert not set(ids) & set(tokenizer.get_added_vocab().values())


def test_every_control_token_is_inert_in_foreign_text(tokenizer: Any, codec: TokenizerCodec) -> None:
    added = tokenizer.get_added_vocab()
    for literal in added:
        for text in (literal, f"a{literal}b", literal + literal, literal[:3] + literal, f" {literal}\n"):
            ids = codec.encode(text)
            assert codec.decode(ids) == text and not set(ids) & set(added.values())


def test_control_tokens_of_a_prompt_come_from_the_template_alone(tokenizer: Any, codec: TokenizerCodec) -> None:
    def controls(content: str) -> list[int]:
        added = set(tokenizer.get_added_vocab().values())
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]
        return [token for token in codec.encode_prompt(messages) if token in added]

    hostile = "".join(tokenizer.get_added_vocab())
    assert controls(f"What is {hostile}?") == controls("What is 6 * 7?") != []


def test_a_prompt_without_control_spellings_is_what_the_template_gives(tokenizer: Any, codec: TokenizerCodec) -> None:
    messages = [{"role": "user", "content": "What is 6 * 7?\n\n```python\nprint(1)\n```"}]
    plain = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert codec.encode_prompt(messages) == tokenizer.encode(plain, add_special_tokens=False)


def test_a_prompt_asked_for_again_is_the_same_and_each_caller_gets_a_list_of_its_own(codec: TokenizerCodec) -> None:
    messages = [{"role": "user", "content": "What is 6 * 7?"}]
    first = codec.encode_prompt(messages)
    kept = list(first)
    first.append(0)
    assert codec.encode_prompt(messages) == kept
    assert codec.encode_prompt([{"role": "user", "content": "What is 6 * 8?"}]) != kept


@few
@given(data=st.data())
def test_any_sampled_ids_have_a_text(vocabulary_size: int, codec: TokenizerCodec, data: st.DataObject) -> None:
    """Also ids of half characters, of control tokens, and of the embedding's padding that no token belongs to."""
    ids = data.draw(st.lists(st.integers(0, vocabulary_size + 300), max_size=30))
    text = codec.decode(ids)
    lengths = [len(codec.decode(ids[:count])) for count in range(len(ids) + 1)]
    assert lengths == sorted(lengths) and lengths[-1] == len(text)


@few
@given(text=st.text(max_size=200))
def test_text_without_control_spellings_is_encoded_as_the_tokenizer_does(
    tokenizer: Any, codec: TokenizerCodec, text: str
) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert codec.encode(text) == tokenizer.encode(text, add_special_tokens=False)


def test_a_truncation_that_another_caller_left_in_the_tokenizer_cuts_nothing(
    tokenizer: Any, codec: TokenizerCodec
) -> None:
    text = "seven words and a few more of them"
    whole = tokenizer.encode(text, add_special_tokens=False)
    tokenizer(text, truncation=True, max_length=2)
    assert tokenizer.backend_tokenizer.truncation
    assert len(whole) > 2 and codec.encode(f"{text}\n")[: len(whole)] == whole


def test_half_a_surrogate_pair_becomes_a_question_mark(small_codec: TokenizerCodec) -> None:
    assert small_codec.decode(small_codec.encode("a\ud83db")) == "a?b"


def test_a_hundred_thousand_characters_of_control_spellings_are_encoded_in_linear_time(
    tokenizer: Any, codec: TokenizerCodec
) -> None:
    """A quadratic encoder would need minutes here."""
    for unit in (tokenizer.eos_token, tokenizer.eos_token[:2], "<"):
        text = (unit * 100_000)[:100_000]
        assert codec.decode(codec.encode(text)) == text


def test_a_spelling_that_appears_only_when_normalised_is_inert() -> None:
    """The Kelvin sign becomes a plain K."""
    tokenizer = byte_tokenizer()
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken("<OK>", normalized=True)])
    codec = TokenizerCodec(chat(tokenizer))
    ids = codec.encode("<O\u212a>")
    assert codec.decode(ids) == "<OK>" and len(ids) == 4


def test_every_given_end_of_text_token_ends_a_turn(small_tokenizer: Any) -> None:
    codec = TokenizerCodec(small_tokenizer, more_eos=[0])
    assert codec.eos_ids == {small_tokenizer.eos_token_id, 0}


def test_a_policy_without_chat_template_is_refused() -> None:
    with pytest.raises(ValueError, match="no chat template"):
        TokenizerCodec(chat(byte_tokenizer(), template=None))


def test_a_policy_without_end_of_text_token_is_refused() -> None:
    with pytest.raises(ValueError, match="no end-of-text token"):
        TokenizerCodec(chat(byte_tokenizer(), eos=None))


def test_a_tokenizer_that_changes_text_is_refused() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(ValueError, match="byte-level"):
        TokenizerCodec(chat(tokenizer))
    tokenizer = Tokenizer(models.WordLevel({"print": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ValueError, match="byte-level"):
        TokenizerCodec(chat(tokenizer))


def test_a_template_that_drops_a_message_is_refused(small_tokenizer: Any) -> None:
    codec = TokenizerCodec(chat(byte_tokenizer(), template="{{ messages[-1]['content'] }}"))
    with pytest.raises(ValueError, match="drops, repeats or reorders"):
        codec.encode_prompt([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])


@given(st.text())
def test_without_a_tokenizer_a_token_is_a_character(text: str) -> None:
    codec = TextCodec()
    assert codec.decode(codec.encode(text)) == text and len(codec.encode(text)) == len(text)


def byte_tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: place for place, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def chat(
    tokenizer: Tokenizer, template: str | None = "{{ messages[0]['content'] }}", eos: str | None = "<|end|>"
) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, eos_token=eos)
