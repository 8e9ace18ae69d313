"""Bytes from sizes: the arithmetic of the memory plan, pure.

Every function gives bytes on one GPU unless it says otherwise. `tokens` are those of a packed micro batch on one GPU,
`shards` the GPUs over which FSDP cuts a tensor. Marks: a source, or [ours] for an approximation. `tests/plan` holds
the counts to transformers' own models and the saved activations to what autograd keeps.

Left out: which of these lie in memory at the same time (`moments.py`).
"""

from __future__ import annotations

from r1ci_plugin.plan.shapes import ModelShape

GIB = 2**30

BF16, FP32 = 2, 4
"""Bytes of a number. FSDP computes in bfloat16 and reduces gradients in float32 (verl/workers/engine/fsdp)."""

TRAINER_CONTEXT = 2.0 * GIB
"""[ours] CUDA context, NCCL buffers and cuBLAS workspace of the trainer's process."""
ENGINE_OUTSIDE = 2.5 * GIB
"""[ours] What the engine's process holds beside its share of the GPU, asleep or awake: CUDA context, NCCL buffers and
CUDA graphs."""
FRAGMENTATION = 0.05
"""[ours] Share of a moment's tensors that PyTorch's allocator keeps on top, in blocks that fit nothing else."""
NODE_BASE = 64 * GIB
"""[ours] Host memory of a node for everything else: Ray and its object store, agent loops, code calls, page cache."""
FUSED_CHUNK, ENTROPY_CHUNK_COPIES = 512, 3
"""Tokens of a chunk in verl's fused head (verl/utils/experimental/torch_functional.py), and float32 copies of a chunk
of logits in its chunked entropy (verl/utils/torch_functional.py)."""


def weights(shape: ModelShape, bytes_each: int, shards: int) -> float:
    """A cut of the weights; also of the gradients, which FSDP2 keeps in the weights' own type."""
    return shape.parameters * bytes_each / shards


def moments(shape: ModelShape, bytes_each: int, shards: int) -> float:
    """AdamW's two moments, in the type of the weights (torch.optim.AdamW)."""
    return 2 * weights(shape, bytes_each, shards)


def step_temporaries(shape: ModelShape, bytes_each: int, shards: int) -> float:
    """torch.optim.AdamW's default `foreach` form takes one more copy of the weights while it steps
    (PyTorch's documentation of `foreach`)."""
    return weights(shape, bytes_each, shards)


def gathered_layers(shape: ModelShape) -> float:
    """Whole layers in bfloat16: the one that computes and the one fetched ahead."""
    return 2 * shape.layer * BF16


def layer_gradients(shape: ModelShape) -> float:
    """A layer's whole gradients in bfloat16, and in float32 while they are reduced."""
    return shape.layer * (BF16 + FP32)


def gathered_embedding(shape: ModelShape) -> float:
    """A tied embedding belongs to FSDP's root, which stays whole from forward to backward; an untied one is wrapped by
    itself and given back (verl/utils/fsdp_utils.py, `_select_fsdp2_wrap_targets`)."""
    return shape.embedding * BF16 if shape.tied else 0.0


def head_backward(shape: ModelShape) -> float:
    """The output head while its gradient is made: its weights, its gradient, and that in float32 to be reduced."""
    own = 0 if shape.tied else BF16  # a tied head is counted as the gathered embedding
    return shape.embedding * (own + BF16 + FP32)


def saved_by_layer(shape: ModelShape) -> float:
    """Bytes a token that autograd keeps of one decoder layer in bfloat16 without recomputing (transformers' modeling
    code with flash attention).

    Each of two norms: input in float32, normalised, and scaled; queries, keys, values and attention's output; gate, its
    activation, up, and their product. Qwen3's norms of queries and keys: input in float32 and normalised.
    """
    norms = 2 * shape.hidden * (FP32 + 2 * BF16)
    attention = 2 * (shape.query_width + shape.kv_width) * BF16 + shape.heads * FP32
    qk_norms = shape.qk_norm * (shape.query_width + shape.kv_width) * (FP32 + BF16)
    return norms + attention + qk_norms + 4 * shape.intermediate * BF16


def activations(shape: ModelShape, tokens: int, *, recompute: bool, on_host: bool = False) -> float:
    """What is kept from forward to backward: with recomputing, the input of every layer, else all a layer saves. On the
    host, all but two layers' share of it (verl/utils/activation_offload.py; two: ours). And what the last norm and the
    output head save."""
    each = shape.hidden * BF16 if recompute else saved_by_layer(shape)
    last = shape.hidden * (FP32 + 2 * BF16)
    return tokens * (each * (min(2, shape.layers) if on_host else shape.layers) + last)


def recomputed_layer(shape: ModelShape, tokens: int) -> float:
    """One layer during its backward: all it saves, and the gradients in flight, taken as those of gate, up and their
    product [ours]."""
    return tokens * (saved_by_layer(shape) + 3 * shape.intermediate * BF16)


def forward_layer(shape: ModelShape, tokens: int) -> float:
    """One layer in a pass without gradients: gate, its activation, up, product, and a norm in float32 [ours]."""
    return tokens * (4 * shape.intermediate * BF16 + shape.hidden * (FP32 + 2 * BF16))


def logits(shape: ModelShape, tokens: int, *, fused: bool, scaled: bool = False) -> float:
    """Logits in bfloat16, whose gradient is made in place by flash-attn's cross entropy (verl's logprobs_from_logits);
    with the fused head a float32 chunk, its softmax and its gradient. `scaled` by a temperature, there is a copy of
    them, in the backward pass of their gradient (`_scale_logits_by_temperature`, verl/workers/engine/fsdp)."""
    if fused:
        return FUSED_CHUNK * shape.vocab * FP32 * 3
    return tokens * shape.vocab * BF16 * (2 if scaled else 1)


def entropy(shape: ModelShape, tokens: int, *, chunk: int | None, fused: bool) -> float:
    """Entropy beside the logits: the softmax in bfloat16 as an upper bound of what the compiled form keeps [ours], or
    float32 copies of a chunk; the fused head makes it in its own chunks."""
    if fused:
        return 0.0
    if chunk is not None:
        return ENTROPY_CHUNK_COPIES * min(chunk, tokens) * shape.vocab * FP32
    return tokens * shape.vocab * BF16


def largest_tensor(shape: ModelShape, bytes_each: int) -> float:
    """The embedding, whole in its own type and in bfloat16, as it is on its way to the engine (verl's
    get_per_tensor_param)."""
    return shape.embedding * (bytes_each + BF16)


def engine_weights(shape: ModelShape, tensor_parallel: int) -> float:
    """vLLM's weights in bfloat16; norms and biases are on every GPU, which is left out [ours]."""
    return shape.parameters * BF16 / tensor_parallel


def engine_workspace(shape: ModelShape, tensor_parallel: int, batched_tokens: int, sequences: int) -> float:
    """What vLLM sets aside when it profiles a largest step: one layer of all batched tokens, and float32 logits and
    their softmax for every sequence [ours]."""
    layer = batched_tokens * (3 * shape.intermediate * BF16 / tensor_parallel + 4 * shape.hidden * BF16)
    return layer + sequences * shape.vocab * FP32 * 2


def kv_token(shape: ModelShape, tensor_parallel: int) -> float:
    """Bytes of cache for one token: a key and a value in bfloat16 for each layer and each of this GPU's heads; with
    more GPUs than heads, heads are held more than once (vLLM's attention layers)."""
    heads = max(shape.kv_heads / tensor_parallel, 1.0)
    return 2 * shape.layers * heads * shape.head_dim * BF16


def loading(shape: ModelShape, bytes_each: int, gpus_per_node: int) -> float:
    """Host memory of a node while a model is read: every process reads a tied model whole, of an untied one only the
    first process does (verl/utils/fsdp_utils.py, `get_init_weight_context_manager`)."""
    return shape.parameters * bytes_each * (gpus_per_node if shape.tied else 1)


def export(shape: ModelShape, bytes_each: int) -> float:
    """Host memory of the first process while it writes the policy for Hugging Face: all weights in their own type, and
    an empty model in bfloat16 (verl/utils/checkpoint/fsdp_checkpoint_manager.py)."""
    return shape.parameters * (bytes_each + BF16)


def checkpoint(shape: ModelShape, bytes_each: int, *, exported: bool, critic: bool = False) -> float:
    """Bytes on disk: weights, two moments, and the exported policy in the weights' type; of a critic the first two."""
    return shape.parameters * bytes_each * ((4 if exported else 3) + (3 if critic else 0))


def checkpoints_at_once(kept: int) -> int:
    """The oldest is deleted before the next is written, but the only one is not
    (verl/utils/checkpoint/checkpoint_manager.py)."""
    return max(2, kept)
