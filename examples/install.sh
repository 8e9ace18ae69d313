# Sourced by quickstart.sh and tests/run.sh, in the top folder of the checkout: makes .venv with the package in it.
#   source examples/install.sh EXTRAS          e.g. train,report
# Does nothing where the same install has been done before; R1CI_PYTHON names another interpreter than python3.
extras=$1
python=${R1CI_PYTHON:-python3}
TORCH=2.13.0

"$python" - <<'PY' || { echo "r1ci needs Python 3.10 to 3.12: set R1CI_PYTHON=python3.11" >&2; exit 1; }
import sys
sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))
PY

[ -x .venv/bin/python ] || "$python" -m venv .venv
stamp=.venv/r1ci-installed
wanted="$extras $(cat setup.py examples/install.sh | cksum)"
if [ "$(grep "^$extras " "$stamp" 2>/dev/null | tail -n 1)" != "$wanted" ]; then
    echo "== installing r1ci_plugin[$extras] into .venv (a few minutes the first time)"
    if ! compgen -G '/dev/nvidia[0-9]*' >/dev/null && [ ! -e /dev/kfd ] && ! .venv/bin/python -c 'import torch' 2>/dev/null; then
        # without a GPU: this torch first, before anything asks for another
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "torch==$TORCH"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$extras]"
    echo "$wanted" >>"$stamp"
fi
