"""The seed policy's tokenizer: whole phrases, whole words, single digits, and bytes for the rest.

Small enough that the embedding does not outweigh the model, and shaped for one skill: text is cut at the same places
wherever it stands, so that an operand has the same tokens in the prompt and in a script, and copying is copying. What
every question of a task has in common becomes one token a phrase, which keeps sequences short. It is a byte-level BPE
without merges: a piece that is in the vocabulary is one token, any other piece is spelled in bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

PIECE = re.compile(r"[A-Za-z]+|[0-9]|\n+| +|[^A-Za-z0-9\n ]")
"""How text is cut where no phrase matches."""

END, START, PAD = "<|im_end|>", "<|im_start|>", "<|endoftext|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def build_tokenizer(texts_by_kind: Iterable[Sequence[str]], words: int = 700, known: Iterable[str] = ()) -> Any:
    """A transformers tokenizer for texts of several kinds; each kind (a task's prompts, say) gives the phrases all its
    texts share.

    words: the most frequent words that become tokens. known: tokens, as text, of an earlier tokenizer that stay tokens.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    kinds = [list(texts) for texts in texts_by_kind if texts]
    kept = list(known)
    found = {phrase for texts in kinds for phrase in common_phrases(texts)}
    found |= {text for text in kept if len(PIECE.findall(text)) > 1}
    phrases = sorted(found, key=lambda text: (-len(text), text))
    singles = {text for text in kept if len(PIECE.findall(text)) == 1}
    vocabulary = _vocabulary(phrases, sorted(singles.union(_frequent_words(kinds, words))))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    pattern = "|".join([*map(_whole, phrases), PIECE.pattern])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (PAD, START, END)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def common_phrases(texts: Sequence[str], least: int = 4) -> list[str]:
    """Runs of pieces that stand in every text, longest first cut; `least` characters at the least."""
    if not texts:
        return []
    phrases = [PIECE.findall(texts[0])]
    for text in texts[1:]:
        other = _joined(PIECE.findall(text))
        phrases = [run for phrase in phrases for run in _runs_inside(phrase, other)]
    found = {"".join(run) for run in phrases if len(run) > 1}
    return sorted(phrase for phrase in found if len(phrase) >= least and not phrase.isspace())


def _runs_inside(phrase: list[str], other: str) -> list[list[str]]:
    """The phrase cut into the longest runs that `other` (joined pieces) contains."""
    runs: list[list[str]] = []
    start = 0
    while start < len(phrase):
        end = start
        while end < len(phrase) and _joined(phrase[start : end + 1]) in other:
            end += 1
        if end - start > 1:
            runs.append(phrase[start:end])
        start = max(end, start + 1)
    return runs


def _joined(pieces: list[str]) -> str:
    return "\x00" + "\x00".join(pieces) + "\x00"


def _whole(phrase: str) -> str:
    """A pattern that does not begin or end inside a word."""
    before = "(?<![A-Za-z])" if phrase[0].isalpha() else ""
    after = "(?![A-Za-z])" if phrase[-1].isalpha() else ""
    return before + re.sub(r"([^A-Za-z0-9 \n])", r"\\\1", phrase) + after


def _frequent_words(kinds: Sequence[Sequence[str]], count: int) -> list[str]:
    seen = Counter(piece for texts in kinds for text in texts for piece in set(PIECE.findall(text)) if len(piece) > 1)
    return [word for word, times in sorted(seen.most_common(count)) if times > 2]


def _vocabulary(phrases: Sequence[str], words: Sequence[str]) -> dict[str, int]:
    from tokenizers import pre_tokenizers

    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    longer = ["".join(piece for piece, _ in spell.pre_tokenize_str(text)) for text in (*words, *phrases)]
    return {token: index for index, token in enumerate(dict.fromkeys([*alphabet, *longer]))}
