"""Turns: a contender in a process of its own does one round for each line that it is sent.

    python PROGRAM.py INPUT [OPTIONS]            one line of JSON first, then one for each line on standard input
    python PROGRAM.py INPUT [OPTIONS] --rounds N no questions: N rounds of each contender in turn, one row for each

First line: {"workload", "contenders": [{"contender", "unit", "count"}]}, or {"skipped": reason}, after which the
process ends. A line `run CONTENDER` is answered by {"ns", "answer"}: nanoseconds of the timed part alone, and what came
out. A question that cannot be answered ends the process with a message on standard error and exit code 1.
"""

import argparse
import gc
import json
import statistics
import sys
from dataclasses import dataclass
from typing import Callable, Sequence


@dataclass(frozen=True)
class Contender:
    name: str
    unit: str
    """Things done in a round: its nanoseconds are divided by them."""
    count: int
    """One round: nanoseconds of its timed part, and the answer."""
    run: Callable[[], tuple[int, str]]


def tell(line: dict) -> None:
    print(json.dumps(line), flush=True)


def skip(contender: str, reason: str) -> None:
    """What a program says that cannot run here."""
    tell({"contender": contender, "skipped": reason})


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("input", help="the prepared input")
    parser.add_argument("--workload", default="none", help="the name of what the input holds")
    parser.add_argument("--rounds", type=int, default=0, help="ask no questions: run so many rounds of each")
    return parser


def take_turns(workload: str, rounds: int, contenders: Sequence[Contender]) -> None:
    # What was prepared lives until the end: the collector need not look at it again in every round.
    gc.collect()
    gc.freeze()
    if rounds > 0:
        print_rows(workload, rounds, contenders)
        return
    named = {each.name: each for each in contenders}
    about = [{"contender": each.name, "unit": each.unit, "count": each.count} for each in contenders]
    tell({"workload": workload, "contenders": about})
    for line in sys.stdin:
        verb, _, name = line.rstrip("\n").partition(" ")
        if verb != "run" or name not in named:
            sys.exit(f"expected `run` and one of {', '.join(named)}, got {line!r}")
        ns, answer = named[name].run()
        tell({"ns": ns, "answer": answer})


def print_rows(workload: str, rounds: int, contenders: Sequence[Contender]) -> None:
    """One round to warm up, then `rounds`, beginning with another contender each time."""
    times: dict[str, list[float]] = {each.name: [] for each in contenders}
    answers: dict[str, str] = {}
    for turn in range(rounds + 1):
        first = turn % len(contenders)
        for each in [*contenders[first:], *contenders[:first]]:
            ns, answer = each.run()
            if answers.setdefault(each.name, answer) != answer:
                sys.exit(f"{each.name}: expected {answers[each.name]}, got {answer}")
            if turn > 0:
                times[each.name].append(ns / each.count)
    for each in contenders:
        all_rounds = sorted(times[each.name])
        fastest = all_rounds[: max(1, len(all_rounds) // 4)]
        row = {"workload": workload, "contender": each.name, "unit": each.unit}
        row |= {"median": statistics.median(fastest), "spread": spread(all_rounds), "answer": answers[each.name]}
        tell(row)


def spread(ordered: Sequence[float]) -> float:
    """Distance of the quartiles as a share of the median; 0 for a single round."""
    if len(ordered) < 2:
        return 0.0
    lower, middle, upper = statistics.quantiles(ordered, n=4, method="inclusive")
    return (upper - lower) / middle
