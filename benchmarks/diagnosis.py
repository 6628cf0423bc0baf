"""How often grading names the mistake: each typical mistake planted at a random step of right solutions.

    python -m benchmarks.diagnosis --networks 100

Random networks (layers, equations with fan-out, recurrent ones), every number asked for or half of them, answers with
four digits after the point. A mistake that moves no answer by more than twice its tolerance cannot be seen and is left
out. ``lost`` counts answers after the first wrong one that get no points though they are consistent with it; ``held``
counts those whose points are held back for the teacher, as the wrong one leaves nothing to compute in them.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

import numpy as np

from backprop_cli.exercises.grading import grade
from backprop_cli.exercises.ids import name_of
from backprop_cli.exercises.marks import Submission, Verdict
from backprop_cli.exercises.mistakes import MISTAKES
from benchmarks.planting import exercise, first_visible, random_network, slips, solved, written

STYLES = ("every", "asked", "none")


def measured(networks: int, seed: int, digits: int, share: float) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """For each mistake how often it was named, ambiguous or missed; and of honest solutions, what was marked wrong."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    honest: Counter[str] = Counter()
    for number in range(networks):
        rng = np.random.default_rng((seed, number))
        one = exercise(random_network(rng), rng, digits, share)
        style = STYLES[number % len(STYLES)]
        right = solved(one, digits, style)
        found = grade(one.key, one.network.graph, [Submission("honest", "1", written(right, digits))])
        honest.update(str(mark.verdict) for mark in found.students[0].marks)
        chosen = defaultdict(list)
        for slip in slips(one):
            chosen[slip.mistake].append(slip)
        for mistake, some in chosen.items():
            for slip in rng.permutation(np.array(some, dtype=object))[:8]:
                slip = type(some[0])(*slip)
                planted = solved(one, digits, style, slip)
                at = first_visible(one, right, planted)
                if at is None or not np.isfinite(list(planted.values())).all():
                    continue
                report = grade(one.key, one.network.graph, [Submission(mistake, "1", written(planted, digits))])
                marks = {mark.cell.id: mark for mark in report.students[0].marks}
                names = [name_of(node.place) for node in one.order if name_of(node.place) in marks]
                first = next((n for n in names if marks[n].verdict is Verdict.WRONG), None)
                count = table[mistake]
                count["planted"] += 1
                if first != name_of(at) or mistake not in marks[name_of(at)].mistakes:
                    count["missed"] += 1
                else:
                    count["named" if len(marks[name_of(at)].mistakes) == 1 else "ambiguous"] += 1
                count["lost"] += sum(mark.verdict.is_lost for name, mark in marks.items() if name != first)
                count["held"] += sum(mark.verdict is Verdict.FLAGGED for name, mark in marks.items() if name != first)
                count["after"] += len(marks) - 1
                break
    return table, honest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--digits", type=int, default=4)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    table, honest = measured(options.networks, options.seed, options.digits, options.share)
    print("| mistake | planted | named | ambiguous | missed | found | answers after it | of these lost | held |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    total: Counter[str] = Counter()
    for mistake in MISTAKES:
        count = table[mistake.id]
        total.update(count)
        print(_row(mistake.id, count))
    print(_row("all", total))
    print(f"\nhonest solutions: {dict(honest)}")


def _row(name: str, count: Counter[str]) -> str:
    planted = count["planted"]
    found = f"{(count['named'] + count['ambiguous']) / planted:.1%}" if planted else "-"
    before = " | ".join(str(count[part]) for part in ("planted", "named", "ambiguous", "missed"))
    after = " | ".join(str(count[part]) for part in ("after", "lost", "held"))
    return f"| {name} | {before} | {found} | {after} |"


if __name__ == "__main__":
    main()
