"""The command line of the study in miniature; `run.sh` calls it.

    study.py [core | extension [ARM ...] | piece ARM SEED | tune [ARM ...] | prepare | quick | analyse]

A piece whose result is there is not run again, so the same command goes on after any interruption, and results add up
over sittings. Left out: everything that is done.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import analysis
import figures
import page
import pieces
import protocol as protocols
import result as results
import training
from commands import CommandFailed, stop_all
from pieces import Piece
from protocol import Protocol, ProtocolError
from shared import prepare

from r1ci_plugin.installing import install

CHECKOUT = protocols.HERE.parents[1]


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        _do(arguments)
    except (CommandFailed, ProtocolError, results.ResultError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
    finally:
        stop_all()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="core", choices=[*PLANS, "analyse"])
    parser.add_argument("names", nargs="*", help="for piece: ARM SEED; for extension and tune: arms, all if none")
    parser.add_argument("--protocol", default="core", help="a file beside protocol.yaml with what differs, by name")
    parser.add_argument("--results", type=Path, help="folder of the results (examples/miniature/results)")
    parser.add_argument("--work", type=Path, default=CHECKOUT / "runs" / "miniature", help="folder for everything else")
    parser.add_argument("--parallel", type=int, default=min(2, _processors()), help="pieces at a time, of 2 GB each")
    parser.add_argument("--page", type=Path, help="for analyse: Markdown page to put the tables into")
    return parser.parse_args()


def _do(arguments: argparse.Namespace) -> None:
    protocol = protocols.load("quick" if arguments.what == "quick" else arguments.protocol)
    kept = protocols.HERE / "results" / ("" if protocol.form == "core" else protocol.form)
    folder: Path = arguments.results or (arguments.work / "quick" if arguments.what == "quick" else kept)
    if arguments.what != "analyse":
        wanted = PLANS[arguments.what](protocol, arguments.names, _tuned(protocol, kept, folder))
        _run(protocol, wanted, arguments.work, folder, arguments.parallel)
    _analyse(protocol, folder, arguments.page)


def _piece(protocol: Protocol, names: Sequence[str], tuned: dict[str, float]) -> list[Piece]:
    if len(names) != 2 or names[0] not in protocol.arms or not names[1].isdigit():
        raise ProtocolError(f"piece ARM SEED: arms are {', '.join(protocol.arms)}")
    return [pieces.piece(protocol, names[0], int(names[1]), tuned)]


def _tune(protocol: Protocol, names: Sequence[str], tuned: dict[str, float]) -> list[Piece]:
    return pieces.tuning(protocol, _arms(names, protocol.tuning.arms))


def _extension(protocol: Protocol, names: Sequence[str], tuned: dict[str, float]) -> list[Piece]:
    return pieces.extension(protocol, tuned, _arms(names, protocol.arms))


def _arms(names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ProtocolError(f"no such arm: {name}; there are {', '.join(known)}")
    return tuple(names)


Plan = Callable[[Protocol, Sequence[str], dict[str, float]], list[Piece]]
PLANS: dict[str, Plan] = {
    "core": lambda protocol, names, tuned: pieces.core(protocol, tuned),
    "extension": _extension,
    "piece": _piece,
    "tune": _tune,
    "prepare": lambda protocol, names, tuned: [],
    "quick": lambda protocol, names, tuned: pieces.core(protocol, tuned),
}


def _tuned(protocol: Protocol, kept: Path, folder: Path) -> dict[str, float]:
    """Learning rates by the results in `folder`; of arms not tuned there, by those that are kept of the same settings:
    who repeats the study in another folder need not tune again."""
    before = [one for one in results.read_all(kept) if one.settings == training.settings_of(protocol, one)]
    here = training.current(protocol, folder)
    first, second = (analysis.tuned(analysis.Study.of(protocol, found)) for found in (before, here))
    return first | second


def _run(protocol: Protocol, wanted: Sequence[Piece], work: Path, folder: Path, parallel: int) -> None:
    left = [piece for piece in wanted if not training.is_done(protocol, piece, folder)]
    _say(f"{len(wanted) - len(left)} of {len(wanted)} pieces are done; results in {folder}")
    shared = prepare(protocol, work, _say)
    baselines = ["sft"] + ["cold_start"] * any(protocol.arms[piece.arm].start == "cold" for piece in wanted)
    for name in baselines:
        training.measure_baseline(shared, name, work, folder, _say)
    _say(f"pass rates: r1ci potential show {shared.folder / 'potential'}; groups: r1ci stages show {shared.manifest}")
    started, failed = time.monotonic(), []
    parallel = max(1, min(parallel, len(left)))
    shares = _shares(parallel)
    with ThreadPoolExecutor(parallel, initializer=lambda: os.sched_setaffinity(0, shares.pop())) as threads:
        jobs = {threads.submit(training.train, shared, piece, work, folder, _say): piece for piece in left}
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                name, error = jobs[job].name, job.exception()
                if error is not None and not isinstance(error, CommandFailed):
                    raise error
                failed += [f"{name}: {error}"] if error is not None else []
                minutes = (time.monotonic() - started) / 60
                _say(f"{name} {'failed' if error else 'is done'} ({done} of {len(left)}, {minutes:.0f} minutes)")
        except BaseException:
            for job in jobs:
                job.cancel()
            stop_all()
            raise
    if failed:
        raise CommandFailed("\n".join([f"{len(failed)} pieces failed; the same command tries them again", *failed]))


def _shares(parallel: int) -> list[set[int]]:
    """The processors of each piece at a time, passed on from its thread to its processes: two pieces that share all of
    them wake each other's threads for a fifth of the time."""
    if parallel > _processors():
        raise ValueError(f"{parallel} pieces at a time need as many processors, and there are {_processors()}")
    return [set(sorted(os.sched_getaffinity(0))[place::parallel]) for place in range(parallel)]


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _analyse(protocol: Protocol, folder: Path, target: Path | None) -> None:
    study = analysis.Study.of(protocol, training.current(protocol, folder))
    print(page.markdown(study))
    try:
        for file in figures.draw(figures.panels(study), folder / "figures"):
            _say(f"figure: {file}")
        if target is not None:
            page.fill(target, study)
            _say(f"filled {target}")
    except ImportError:
        if target is not None:
            raise ValueError(f"{target} has figures, which need more: {install('report')}") from None
        _say(f"no figures: {install('report')}")


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")  # at once, since several threads say something


if __name__ == "__main__":
    main()
