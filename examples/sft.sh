#!/usr/bin/env bash
# Supervised fine-tuning from a bare machine: trajectories by the scripted teacher, filters, verl's SFT trainer, and the
# pass rate on held-out questions before and after. No GPU, no network beyond the install. From any folder, again and
# again: a finished step is not done twice.
#   bash examples/sft.sh [overrides of the recipe]
# The policy is the seed policy, which answers more than half of these questions by a guess in words. The set holds only
# trajectories in which code computes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source examples/install.sh train

export R1CI_BACKEND=cpu R1CI_SFT=$PWD/data/sft_example R1CI_RUNS=$PWD/runs/sft_example
# the twelve tasks whose words the seed policy's tokenizer knows
TASKS=symbench/game24,symbench/letters,symbench/number_multiply,symbench/string_insertion
TASKS+=,bbh/word_sorting,bbh/boolean_expressions,bbh/object_counting,bbh/multistep_arithmetic_two
TASKS+=,reasoning_gym/chain_sum,reasoning_gym/spell_backward,reasoning_gym/count_bits,reasoning_gym/base_conversion

measure() { # POLICY NAME
    .venv/bin/r1ci eval run --policy "$1" --tasks "$TASKS" --per-task 10 --difficulty 1-2 --temperature 0.6 \
        --exclude "$R1CI_SFT/questions_seen.json" --response-tokens 384 --result-tokens 128 --context-tokens 1024 \
        --code-timeout 10 --out "$R1CI_RUNS/$2"
}

if [ ! -f "$R1CI_SFT/sft.parquet" ]; then
    echo "== synthesizing trajectories (every script is run)"
    .venv/bin/r1ci sft synthesize --tasks "$TASKS" --forms code --per-task 100 --difficulty 1-2 \
        --result-tokens 128 --code-timeout 10 --out "$R1CI_RUNS/synthesis"
    .venv/bin/r1ci sft check "$R1CI_RUNS/synthesis" --tokenizer seed --max-tokens 1024 --result-tokens 128 \
        --per-task 0 --switching 0 --repairing 0 --out "$R1CI_SFT"
fi

mkdir -p "$R1CI_RUNS"
echo "== fine-tuning (everything verl says: $R1CI_RUNS/console.log)"
.venv/bin/torchrun --standalone --nproc_per_node=1 -m verl.trainer.sft_trainer +recipe=r1ci_sft "$@" 2>&1 |
    tee -a "$R1CI_RUNS/console.log" | grep --line-buffered -o -e '^r1ci: .*' -e 'step:[0-9]*0 .*train/loss:[0-9.]*'

echo "== held-out questions, before and after"
measure seed before
measure "$(.venv/bin/python -c "from r1ci_plugin.recipe_files import policy_of; print(policy_of('r1ci_sft'))")" after
