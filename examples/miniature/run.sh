#!/usr/bin/env bash
# The study in miniature (docs/study.md): does the curriculum teach, and how much? On two cores, without GPU and without
# network after the install. From any folder, again and again: a result that is there is not made twice.
#   bash examples/miniature/run.sh                     the core form: SFT only, plain GRPO and staged, five seeds
#   bash examples/miniature/run.sh extension [ARM ...] every other arm, or some
#   bash examples/miniature/run.sh piece reverse 1     one arm with one seed
#   bash examples/miniature/run.sh tune [ARM ...]      learning rates, on other seeds and questions
#   bash examples/miniature/run.sh prepare             what all pieces share: fine-tuned policy, questions, potential
#   bash examples/miniature/run.sh quick               the way to stage 1 with hardly any training, in minutes
#   bash examples/miniature/run.sh analyse             tables and figures of the results there are
# Options: --results FOLDER, --parallel N, --page docs/study.md (with analyse).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

source examples/install.sh train,report
exec .venv/bin/python "$here/study.py" "$@"
