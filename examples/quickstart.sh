#!/usr/bin/env bash
# From a bare machine to a trained policy: makes .venv, installs, builds the questions of eight tasks, and runs the main job
# with the tiny seed policy. No GPU and no download of a model is needed. From any folder, again and again: a finished step
# is not done twice, a stopped training goes on at its last checkpoint.
#   bash examples/quickstart.sh [overrides of the recipe]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source examples/install.sh train,report

export R1CI_DATA=$PWD/data/quickstart R1CI_RUNS=$PWD/runs/quickstart
# of the twelve tasks the seed policy was shown, the eight that it can do now and then
TASKS=symbench/letters,symbench/number_multiply,symbench/string_insertion,bbh/boolean_expressions
TASKS+=,bbh/multistep_arithmetic_two,reasoning_gym/chain_sum,reasoning_gym/spell_backward,reasoning_gym/count_bits

if [ ! -f "$R1CI_DATA/validation.parquet" ]; then
    echo "== building the questions of eight tasks in $R1CI_DATA"
    .venv/bin/r1ci data build --out "$R1CI_DATA" --tasks "$TASKS" --difficulty 1-2 --questions-per-task 100 \
        --validation-per-task 10 --exclude r1ci_plugin/assets/seed_policy/questions_seen.json
fi

run=$R1CI_RUNS/r1ci_stage1
mkdir -p "$run"
echo "== training (everything verl says: $run/console.log)"
# every batch has each task alike, so that steps can be compared
.venv/bin/python -m verl.trainer.main_ppo +recipe=r1ci_stage1 r1ci.curriculum.balance_tasks=true \
    trainer.total_training_steps=60 trainer.test_freq=60 "$@" >>"$run/console.log" 2>&1 &
trap 'kill $! 2>/dev/null || true' INT TERM
.venv/bin/python examples/progress.py "$run" --pid $! || true
wait $!
.venv/bin/python examples/progress.py "$run" --summary
echo "== drawing the report"
.venv/bin/r1ci report "$run"
echo "open it in a browser: $run/report/index.html"
