"""What the argument FILE of ``exercise`` stands for: an exercise file, or a network's spec that asks by itself.

An exercise file may name a file beside it or in a folder inside its own, and no other: it comes from someone else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from backprop_cli.bundled import bundled_exercise, bundled_exercises, bundled_names, bundled_spec
from backprop_cli.errors import BackpropError, Problem, SpecError, did_you_mean
from backprop_cli.exercises.asking import Asking, given_names, without_repeats
from backprop_cli.exercises.exercise import DIGITS, Exercise, Question, QuestionKind, Range, Rule
from backprop_cli.exercises.look_ups import look_ups
from backprop_cli.exercises.making import steps_of
from backprop_cli.exercises.solvable import unsolvable
from backprop_cli.exercises.tolerances import is_too_strict
from backprop_cli.exercises.workload import manageable, require_manageable
from backprop_cli.exercises.written_numbers import decimal_of
from backprop_cli.network import Network, load, load_data, load_text
from backprop_cli.output import as_json
from backprop_cli.renderers import formula_text
from backprop_cli.sources import STANDARD_INPUT, content_of_argument, network_of, pointed_out
from backprop_cli.spec.exercise_file import ExerciseFile, VaryRange, read_exercise_file
from backprop_cli.spec.findings import Path as Where
from backprop_cli.symbolic.graph import Role
from backprop_cli.translation import enumerated, tr

MOST_NEIGHBOURS = 1000

Made = TypeVar("Made")


class Loaded(NamedTuple):
    network: Network
    exercise: Exercise


class Wishes(NamedTuple):
    """What a command says beside the file, and goes before what the file says."""

    digits: int | None = None
    exact: bool = False
    tolerance: float | None = None

    def over(self, exercise: Exercise) -> Exercise:
        """The exercise with what is wished for."""
        changed = replace(exercise, exact=exercise.exact or self.exact)
        if self.digits is not None:
            changed = replace(changed, digits=self.digits)
        if self.tolerance is not None:
            questions = tuple(question._replace(tolerance=None) for question in exercise.questions)
            changed = replace(changed, tolerance=self.tolerance, questions=questions)
        return changed


def load_exercise(
    argument: str, digits: int | None = None, exact: bool = False, tolerance: float | None = None
) -> Loaded:
    """The exercise that FILE stands for; ``digits``, ``exact`` and ``tolerance`` go before what it says. Raises
    BackpropError."""
    wishes = Wishes(digits, exact, tolerance)
    loaded = _loaded(argument, wishes)
    if tolerance is not None and (problem := _too_strict(tolerance, loaded.exercise)) is not None:
        raise BackpropError(problem)
    return loaded


def _too_strict(tolerance: float | None, exercise: Exercise) -> str | None:
    """What is wrong with a tolerance that rightly rounded answers do not keep."""
    digits = exercise.digits
    if tolerance is None or exercise.exact or not is_too_strict(tolerance, digits):
        return None
    message = tr("a tolerance of {tolerance} is narrower than rounding to {digits} digits, which takes {half}")
    return message.format(tolerance=decimal_of(tolerance), digits=digits, half=decimal_of(0.5 * 10.0**-digits))


def _loaded(argument: str, wishes: Wishes) -> Loaded:
    if argument == STANDARD_INPUT:
        content, source, folder = content_of_argument(argument), "<stdin>", None
    elif os.path.isfile(argument):
        content, source, folder = content_of_argument(argument), argument, Path(argument).parent
    elif argument in bundled_exercises() and argument not in bundled_names():
        content, source, folder = bundled_exercise(argument).encode(), argument, None
    else:
        return _of_network(network_of(argument), wishes)
    file = read_exercise_file(content, source, lambda file: _of_file(file, folder, wishes))
    if file is not None:
        return _of_file(file, folder, wishes)
    name = "network" if folder is None else Path(argument).stem
    return _of_network(pointed_out(load_text(content, source, name)), wishes)


def _of_network(network: Network, wishes: Wishes) -> Loaded:
    return Loaded(network, manageable(wishes.over(_exercise(network, Asking(network).by_itself()))))


def _exercise(network: Network, questions: Iterable[Question]) -> Exercise:
    return Exercise(
        network,
        network.name,
        DIGITS,
        given_names(network.graph),
        without_repeats(tuple(questions)),
        lambda node: formula_text.render(node, network.names),
    )


def _of_file(file: ExerciseFile, folder: Path | None, wishes: Wishes) -> Loaded:
    network = _network(file, folder)
    checking = _Checking(file, network)
    asking = checking.tried(("network",), lambda: Asking(network))
    questions = [] if asking is None else checking.questions(asking)
    given = checking.given()
    vary = checking.vary()
    exercise = replace(
        _exercise(network, questions),
        title=file.title or network.name,
        digits=file.digits,
        given=given,
        vary=vary,
        learning_rate=file.learning_rate,
        exact=file.exact,
        tolerance=file.tolerance,
    )
    exercise = wishes.over(exercise)
    if file.is_whole and wishes.tolerance is None:
        checking.tolerances(exercise)
    if file.given:
        checking.tried(("questions",), lambda: require_manageable(exercise))
        if file.is_whole and not checking.problems:
            checking.solvable(exercise)
    else:
        exercise = checking.tried(("questions",), lambda: manageable(exercise)) or exercise
    if checking.problems:
        raise SpecError(file.positions.source, checking.problems)
    return Loaded(network, exercise)


class _Checking:
    """Compares what a file names with its network; all problems are gathered."""

    def __init__(self, file: ExerciseFile, network: Network) -> None:
        self._file, self._network = file, network
        self.problems: list[Problem] = []

    def questions(self, asking: Asking) -> list[Question]:
        """The questions of the file, or those that the network asks by itself."""
        if not self._file.questions:
            return list(asking.by_itself())
        found = []
        for number, asked in enumerate(self._file.questions, start=1):
            kind = QuestionKind(asked.kind)
            path = ("questions", self._file.place_of(number - 1), asked.kind)
            try:
                question = asking.question(kind, asked.of, number, asked.points)
                found.append(question._replace(tolerance=asked.tolerance))
            except BackpropError as error:
                self._add(path, str(error))
        if len(found) == len(self._file.questions):
            for place, question in enumerate(without_repeats(found)):
                if not question.cells:
                    self._add(
                        ("questions", self._file.place_of(place)), tr("an earlier question asks for this already")
                    )
        return found

    def given(self) -> tuple[str, ...]:
        names = [q.name for q in self._network.graph.quantities if q.role is not Role.HELPER]
        for place, name in enumerate(self._file.given):
            if name not in names:
                self._unknown(("given", place), name, names)
        return self._file.given or given_names(self._network.graph)

    def vary(self) -> dict[str, Rule]:
        names = given_names(self._network.graph)
        fixed = look_ups(self._network.graph, self._network.values)
        for name in self._file.vary:
            if name not in names:
                self._unknown(("vary", name), name, names, key=True)
            elif name in fixed:
                message = tr("'{name}' says which numbers are used, and must be the same on every sheet")
                self._add(("vary", name), message.format(name=name), key=True)
            else:
                self._whole_numbers(name)
        return {name: _rule(rule) for name, rule in self._file.vary.items()}

    def _whole_numbers(self, name: str) -> None:
        """Class numbers vary among the classes that there are."""
        allowed, rule = self._network.graph[name].whole, self._file.vary[name]
        if allowed is None:
            return
        values = rule if isinstance(rule, tuple) else steps_of(_rule(rule))
        wrong = next((value for value in values if value not in allowed), None)
        if wrong is not None:
            message = tr("'{name}' has whole numbers from {least} to {most}, not {found}")
            found = f"{wrong:g}"
            self._add(("vary", name), message.format(name=name, least=allowed[0], most=allowed[-1], found=found))

    def tolerances(self, exercise: Exercise) -> None:
        """Compare the file's tolerances with what rounding alone takes."""
        set_ones: list[tuple[Where, float | None]] = [(("tolerance",), self._file.tolerance)]
        for place, asked in enumerate(self._file.questions):
            set_ones.append((("questions", place, "tolerance"), asked.tolerance))
        for path, tolerance in set_ones:
            if (message := _too_strict(tolerance, exercise)) is not None:
                self._add(path, message)

    def solvable(self, exercise: Exercise) -> None:
        """Compare what the file gives with what it asks for."""
        for question, message in unsolvable(exercise):
            own = question is not None and bool(self._file.questions)
            self._add(("questions", question) if own and question is not None else ("given",), message)

    def tried(self, path: Where, make: Callable[[], Made]) -> Made | None:
        """What is made; what is wrong with it is a problem at this path."""
        try:
            return make()
        except BackpropError as error:
            self._add(path, str(error))
            return None

    def _unknown(self, path: Where, name: str, names: Sequence[str], key: bool = False) -> None:
        hint = did_you_mean(name, names) or tr("; there are {names}").format(names=enumerated(names))
        self._add(path, tr("there is no quantity '{name}'{hint}").format(name=name, hint=hint), key)

    def _add(self, path: Where, message: str, key: bool = False) -> None:
        self.problems.append(self._file.positions.problem(path, message, key=key))


def _rule(rule: VaryRange | tuple[float, ...]) -> Rule:
    return Range(rule.from_, rule.to, rule.step, rule.nonzero) if isinstance(rule, VaryRange) else rule


def _network(file: ExerciseFile, folder: Path | None) -> Network:
    """The network that an exercise file holds or names. Raises SpecError."""
    positions = file.positions
    if isinstance(file.network, dict):
        inside = positions.inside("network")
        name = file.title or Path(positions.source).stem
        load_data(file.network, inside, name)  # what is wrong with it is told at its place in this file
        return load_text(as_json({"name": name, **file.network}), positions.source, name)
    name = file.network.strip()
    path = None if folder is None else _inside(folder, name)
    if path is not None:
        return load(path)
    if name in bundled_names():
        return load_text(bundled_spec(name).text, name, name)
    if folder is not None and _leads_out(folder, name):
        message = tr("'{name}' leads out of this file's folder; a network is a file in it or in a folder inside it")
        raise SpecError(positions.source, [positions.problem(("network",), message.format(name=name))])
    beside = [] if folder is None else [entry.name for entry in sorted(folder.glob("*.yaml"))[:MOST_NEIGHBOURS]]
    neighbours = [entry for entry in beside if folder is not None and _inside(folder, entry) is not None]
    hint = did_you_mean(name, [*bundled_names(), *neighbours])
    message = tr("there is no bundled spec and no file in this file's folder called '{name}'{hint}")
    raise SpecError(positions.source, [positions.problem(("network",), message.format(name=name, hint=hint))])


def _leads_out(folder: Path, name: str) -> bool:
    """Whether a name cannot be one in the folder, or is that of a link out of it. What is outside is not looked at."""
    if _is_outside(Path(name)):
        return True
    try:
        return "\0" not in name and not (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False


def _is_outside(path: Path) -> bool:
    return path.is_absolute() or bool(path.drive) or ".." in path.parts


def _inside(folder: Path, name: str) -> Path | None:
    """The file of this name in the folder, None where there is none or it is outside: a link that leads out of the
    folder counts as outside."""
    path = Path(name)
    if _is_outside(path) or "\0" in name or "\\" in name:
        return None
    try:
        base, found = folder.resolve(), (folder / path).resolve()
        return folder / path if found.is_file() and found.is_relative_to(base) else None
    except (OSError, RuntimeError):  # a circle of links
        return None
