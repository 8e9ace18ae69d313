#!/usr/bin/env bash
# Installs the package into .venv (once) and runs every test: style, types, then pytest. From any folder, again and again.
#   bash tests/run.sh [arguments for pytest]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source examples/install.sh train,report,dev
# real merges of Qwen and Llama 3, as data files of packages whose code and dependencies are not used
if [ ! -f .venv/r1ci-vocabularies ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dashscope==2.0.2 llama-models==0.3.0
    touch .venv/r1ci-vocabularies
fi
export R1CI_REQUIRE_VOCABULARIES=1

echo "== ruff"
.venv/bin/ruff check .
echo "== mypy"
.venv/bin/mypy
echo "== pytest"
exec .venv/bin/python -m pytest -n "${R1CI_TEST_WORKERS:-2}" --dist loadfile --no-loadscope-reorder "$@"
