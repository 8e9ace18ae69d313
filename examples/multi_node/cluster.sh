#!/usr/bin/env bash
# Many nodes: a Ray cluster of GPU nodes, code servers on CPU nodes, the main job on the first GPU node. docs/scale.md explains.
#
# Before: r1ci_plugin installed on every node, in the same version and the same $VENV; data, policy and run folders on storage
# that every node sees. The job asks every node for that before it begins, and names the node that lacks something.
#
# Bare ssh, from any machine that reaches all of them:
#   GPU_NODES="gpu1 gpu2" CPU_NODES="cpu1 cpu2 cpu3 cpu4 cpu5" bash examples/multi_node/cluster.sh up
#   GPU_NODES="gpu1 gpu2" CPU_NODES="cpu1 cpu2 cpu3 cpu4 cpu5" bash examples/multi_node/cluster.sh run +recipe=r1ci_stage1 trainer.nnodes=2
#   GPU_NODES="gpu1 gpu2" CPU_NODES="cpu1 cpu2 cpu3 cpu4 cpu5" bash examples/multi_node/cluster.sh down
#
# Slurm, in one allocation, whose last CPU_COUNT nodes run code and need no GPU:
#   CPU_COUNT=5 sbatch --nodes=7 --ntasks-per-node=1 --exclusive examples/multi_node/cluster.sh slurm +recipe=r1ci_stage1 trainer.nnodes=2
#
# Kubernetes: code servers by examples/sandbox/kubernetes.yaml, Ray by KubeRay with this package in its image.
set -euo pipefail

VENV=${VENV:-$PWD/.venv}             # the same path on every node
PORT=${PORT:-6379}                   # of Ray's head
SANDBOX_PORT=${SANDBOX_PORT:-8080}
SECRETS=${SECRETS:-$HOME/.r1ci_cluster}
STATE=${STATE:-/tmp/r1ci_$(id -un)}  # folder of this user alone on every node, for logs and process ids

secrets() {                          # both services ask for a token; made once, and whole from the first moment: all nodes have the same
    local new
    [ -f "$SECRETS" ] && return
    new=$(mktemp "$SECRETS.XXXXXX")  # readable for this user alone
    printf 'export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=%s R1CI_SANDBOX_TOKEN=%s\n' \
        "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$new"
    ln "$new" "$SECRETS" 2>/dev/null || mv -n "$new" "$SECRETS"      # of several at the same moment one wins
    rm -f "$new"
}

on() {                               # on NODE COMMAND...: by ssh, or by srun inside a Slurm allocation
    local node=$1
    shift
    {
        cat "$SECRETS"               # over stdin, never on a command line
        printf 'cd %q && exec ' "$PWD"
        printf '%q ' "$@"
    } | if [ -n "${SLURM_JOB_ID:-}" ]; then
        srun --overlap --nodes=1 --ntasks=1 -w "$node" bash -s
    else
        ssh "$node" bash -s
    fi
}

# For the nodes: make the folder, which nobody else may own; and a process's id with the time of its start, nothing if it is gone.
ABOUT='private() { mkdir -p -m 700 "$1" && [ -O "$1" ] && [ ! -L "$1" ] || { echo "$1 is not a folder of this user: set STATE" >&2; false; }; }
started() { local facts; { facts=$(<"/proc/$1/stat"); } 2>/dev/null || return 0; set -- "$1" ${facts##*) }; echo "$1 ${21}"; }
'

keep() {                             # keep NODE NAME COMMAND...: a service. With srun it ends with the allocation; with ssh it stays,
    local node=$1 name=$2            # and its log and process id lie in $STATE there
    shift 2
    if [ -n "${SLURM_JOB_ID:-}" ]; then
        on "$node" "$@" &
    else
        on "$node" bash -c "$ABOUT"'private "$1" || exit
            nohup "${@:3}" >"$1/$2.log" 2>&1 </dev/null &
            started "$!" >"$1/$2.pid"' - "$STATE" "$name" "$@"
    fi
}

up() {
    local head=${GPU_NODES%% *} node
    for node in ${CPU_NODES:-}; do       # one code server a CPU node, a slot a core; it asks for the token
        keep "$node" sandbox "$VENV/bin/r1ci" sandbox serve --host 0.0.0.0 --port "$SANDBOX_PORT"
    done
    keep "$head" ray "$VENV/bin/ray" start --block --head --port "$PORT" --include-dashboard=false
    sleep "${PATIENCE:-20}"
    for node in ${GPU_NODES#"$head"}; do # `--block`: a Ray node lives as long as its process
        keep "$node" ray "$VENV/bin/ray" start --block --address "$head:$PORT"
    done
    sleep "${PATIENCE:-20}"
}

run() {                              # on the head node. Without CPU nodes, every GPU node runs the code calls of its trajectories
    local head=${GPU_NODES%% *} node endpoints=""
    for node in ${CPU_NODES:-}; do endpoints+="${endpoints:+,}'http://$node:$SANDBOX_PORT'"; done
    on "$head" env RAY_ADDRESS="$head:$PORT" R1CI_BACKEND="${R1CI_BACKEND:-gpu}" R1CI_DATA="${R1CI_DATA:-data/r1ci}" R1CI_RUNS="${R1CI_RUNS:-runs}" \
        "$VENV/bin/python" -m verl.trainer.main_ppo "++ray_kwargs.ray_init.address='$head:$PORT'" \
        ${endpoints:+r1ci.executor.kind=remote "r1ci.executor.endpoints=[$endpoints]"} "$@"
}

down() {                             # ends only what `up` has started: a process of this id that started at that time
    local node
    for node in ${GPU_NODES:-} ${CPU_NODES:-}; do
        on "$node" bash -c "$ABOUT"'private "$1" || exit
            for note in "$1"/{ray,sandbox}.pid; do
                [ -f "$note" ] || continue
                read -r pid _ <"$note"
                if [ "$(started "$pid")" = "$(cat "$note")" ]; then kill "$pid"; fi
                rm "$note"
            done' - "$STATE"
    done
}

slurm() {                            # inside an allocation: the last CPU_COUNT nodes run code, all others train
    local nodes count=${CPU_COUNT:-1}
    mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
    GPU_NODES="${nodes[*]:0:${#nodes[@]}-count}"
    CPU_NODES="${nodes[*]:${#nodes[@]}-count}"
    trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
    up
    run "$@"
}

case ${1:-} in
    up | run | down | slurm) secrets; "$@" ;;
    *) sed -n '2,17p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
