"""Exercise files: what is wrong is said at its place, and a file names no other outside its folder."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from backprop_cli.bundled import bundled_exercise, bundled_exercises
from backprop_cli.class_list import class_list
from backprop_cli.errors import BackpropError
from backprop_cli.exercise_loading import load_exercise
from backprop_cli.exercise_writing import Sheets, made_for
from backprop_cli.exercises.exercise import QuestionKind, Range
from backprop_cli.exercises.solving import own_numbers
from backprop_cli.spec.exercise_file import json_schema

SPEC = "inputs: {x: [1, 2]}\ntargets: {y: 1}\nlayers: [dense: {units: 1, weights: [[0.5, 0.25]]}]\nloss: half_sse\n"


def written(folder: Path, text: str, name: str = "sheet.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(BackpropError) as error:
        load_exercise(written(folder, text))
    return [line.partition("sheet.yaml:")[2] for line in str(error.value).splitlines()]


@pytest.mark.parametrize("name", bundled_exercises())
def test_bundled_exercises_are_valid(name: str) -> None:
    exercise = load_exercise(name).exercise
    assert exercise.questions
    jsonschema.validate(YAML(typ="safe").load(bundled_exercise(name)), json_schema())


def test_everything_that_a_file_says(tmp_path: Path) -> None:
    text = (
        "title: Mine\nnetwork: two-two-two\ndigits: 3\ngiven: [x, y, W1, b1, W2, b2]\nlearning_rate: 0.1\n"
        "exact: false\n"
        "questions:\n  - forward: z1, a1[2]\n  - cost\n  - gradient: ['W1[1,2]', b1]\n    points: 3\n"
        "vary: {x: [1, 2], y: {from: -1, to: 1, step: 0.5, nonzero: true}}\n"
    )
    exercise = load_exercise(written(tmp_path, text)).exercise
    assert (exercise.title, exercise.digits, exercise.given) == ("Mine", 3, ("x", "y", "W1", "b1", "W2", "b2"))
    assert [q.kind for q in exercise.questions] == [QuestionKind.FORWARD, QuestionKind.COST, QuestionKind.GRADIENT]
    assert exercise.questions[0].cells == ("z1[1]", "z1[2]", "a1[2]")
    assert [q.points for q in exercise.questions] == [3, 1, 3]
    assert exercise.vary == {"x": (1.0, 2.0), "y": Range(-1.0, 1.0, 0.5, True)}
    assert load_exercise(written(tmp_path, text), digits=5).exercise.digits == 5


def test_what_is_wrong_is_said_all_at_once(tmp_path: Path) -> None:
    text = (
        "network: two-two-two\nquestions:\n  - fowrard: z1\n  - cost: 3\n    points: -1\n  - table: forwrd\ndigts: 3\n"
    )
    assert problems(tmp_path, text) == [
        "3:5: unknown question 'fowrard'; did you mean 'forward'?",
        "4:11: expected true, not 3",
        "5:13: points are not negative",
        "6:12: expected forward or backward, not text 'forwrd'; did you mean 'forward'?",
        "7:1: unknown key 'digts'; did you mean 'digits'?",
    ]


def test_problems_of_names_are_said_with_those_of_form(tmp_path: Path) -> None:
    text = (
        "network: two-two-two\nquestions:\n  - fowrard: z1\n  - cost: 3\n  - gradient: W9\n  - cost\n"
        "vary: {q: [1], x: []}\ndigits: many\ngiven: [x, nothing]\n"
    )
    found = problems(tmp_path, text)
    places = [line.partition(": ")[0] for line in found]
    assert places == ["3:5", "4:11", "5:15", "7:8", "7:19", "8:9", "9:12"]
    assert "'W9'" in found[2]
    assert "'q'" in found[3]
    assert "'nothing'" in found[6]


def test_nothing_is_said_about_what_was_put_aside(tmp_path: Path) -> None:
    """Neither of an answer that a broken question asks for, nor of a network that is not there."""
    text = "network: two-two-two\ngiven: [x, W1]\nquestions: [{forward: z1, points: -1}]\n"
    assert [line.partition(": ")[0] for line in problems(tmp_path, text)] == ["3:35"]
    assert len(problems(tmp_path, "netwrok: two-two-two\nquestions: [{gradient: W9}]\n")) == 2
    neighbour = written(tmp_path, "layers: 3\n", "other.yaml")
    text = f"network: {Path(neighbour).name}\ndigits: many\n"
    assert [line.partition(": ")[0] for line in problems(tmp_path, text)] == ["2:9"]


def test_a_tolerance_that_rounding_does_not_keep_is_told_at_its_place(tmp_path: Path) -> None:
    text = (
        "network: two-two-two\ndigits: 2\ntolerance: 0.001\nquestions:\n  - cost\n"
        "  - forward: z1\n    tolerance: 0.002\n"
    )
    assert [line.partition(": ")[0] for line in problems(tmp_path, text)] == ["3:12", "7:16"]
    assert load_exercise(written(tmp_path, text), digits=3).exercise.digits == 3
    assert load_exercise(written(tmp_path, text), tolerance=0.5).exercise.tolerance == 0.5


def test_a_sheet_gives_what_it_needs_and_not_what_it_asks_for(tmp_path: Path) -> None:
    text = (
        "network: two-two-two\ngiven: [a1, y, W2, b2]\nquestions:\n  - forward: [z2, a1]\n  - gradient: W2\n"
        "  - gradient: W1\n"
    )
    assert problems(tmp_path, text) == [
        "2:8: 'x' is needed for dJ/dW1[1,1] and is not given",
        "4:5: a1[1] stands on the sheet, as it is given",
    ]
    assert load_exercise(written(tmp_path, text.replace(", a1]", "]").replace("  - gradient: W1\n", ""))).exercise


def test_class_numbers_vary_among_the_classes(tmp_path: Path) -> None:
    text = "network: softmax-classifier\nvary: {y: [0, 1, 7]}\n"
    (found,) = problems(tmp_path, text)
    assert found.startswith("2:")
    assert "'y' has whole numbers from 0 to" in found


def test_names_that_the_network_does_not_have(tmp_path: Path) -> None:
    text = (
        "network: two-two-two\ngiven: [x, why]\nquestions:\n  - gradient: W3[1,2]\n  - gradient: W1[3,1]\n"
        "  - formula: W1\n  - bptt: a1\n  - update: x\nvary: {xx: [1]}\n"
    )
    found = problems(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["2", "4", "5", "6", "7", "8", "9"]
    assert "there is no 'W3' to ask for here; there are x, W1, b1, z1, a1, W2, b2, z2 and a2" in found[1]
    assert "'W1[3,1]' is not in W1, which has the shape [2, 2]" in found[2]
    assert "name one of its numbers, such as W1[1,1]" in found[3]
    assert "there is no quantity 'xx'; did you mean 'x'?" in found[6]


def test_an_answer_is_asked_for_once(tmp_path: Path) -> None:
    text = "network: two-two-two\nquestions:\n  - gradient: a1\n  - paths: a1[1]\n  - gradient: a1[2]\n"
    assert problems(tmp_path, text) == ["5:5: an earlier question asks for this already"]
    exercise = load_exercise(written(tmp_path, text.rpartition("  - ")[0])).exercise
    assert exercise.questions[1].cells == ("path 1 of dJ/da1[1]", "path 2 of dJ/da1[1]")
    assert exercise.questions[1].points == 2.0
    assert {cell.points for cell in own_numbers(exercise).variants[0].cells} == {1.0}


@pytest.mark.parametrize(
    ("before", "asked", "points", "said"),
    [
        ("cost", "a1[1]", "3 points", "path by path: what arrives on each of them, and the sum."),
        ("gradient: a1[1]", "a1[1]", "2 points", "Compute what arrives at ∂J/∂a₁⁽¹⁾ on each path."),
        ("gradient: a1[1]", "'a1[1], a1[2]'", "5 points", "∂J/∂a₁⁽¹⁾ and ∂J/∂a₂⁽¹⁾ path by path"),
        ("gradient: a1[1]", "'a1[1], a1[2]'", "5 points", "and the sum where it was not asked for before."),
    ],
)
def test_paths_ask_for_the_sums_that_have_a_blank(
    tmp_path: Path, before: str, asked: str, points: str, said: str
) -> None:
    text = f"network: two-two-two\nquestions:\n  - {before}\n  - paths: {asked}\n"
    network, exercise = load_exercise(written(tmp_path, text))
    sheets = Sheets(network, exercise, own_numbers(exercise))
    for is_key in (False, True):
        page = " ".join(sheets.text(is_key, 200).split())
        assert f"Question 2 ({points})" in page
        assert said in page


def test_a_network_inside_the_file_is_checked_at_its_place(tmp_path: Path) -> None:
    inline = "".join(f"  {line}\n" for line in SPEC.splitlines())
    network, exercise = load_exercise(written(tmp_path, f"network:\n{inline}questions: [cost]\n"))
    assert network.graph["W1"].shape == (1, 2)
    assert "questions" not in exercise.network.source.text
    wrong = inline.replace("half_sse", "half_ssee")
    assert problems(tmp_path, f"network:\n{wrong}questions: [cost]\n")[0].startswith("5:9: unknown loss 'half_ssee'")


def test_a_file_beside_it_or_in_a_folder_inside(tmp_path: Path) -> None:
    written(tmp_path, SPEC, "net.yaml")
    (tmp_path / "nets").mkdir()
    written(tmp_path / "nets", SPEC, "other.yaml")
    for name in ("net.yaml", "nets/other.yaml", "./net.yaml"):
        assert load_exercise(written(tmp_path, f"network: {name}\n")).network.graph["W1"].shape == (1, 2)


@pytest.mark.parametrize(
    "name", ["../net.yaml", "{absolute}", "link.yaml", "linked/net.yaml", "sub/../../net.yaml", "/etc/passwd"]
)
def test_no_file_outside_its_folder(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "net.yaml"
    outside.write_text(SPEC, encoding="utf-8")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "link.yaml").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    said = name.format(absolute=outside)
    found = problems(folder, f"network: '{said}'\n")
    told = "leads out of this file's folder; a network is a file in it or in a folder inside it"
    assert found == [f"1:10: '{said}' {told}"]


def test_a_hint_names_no_file_that_may_not_be_named(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(SPEC, encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "linked.yaml").symlink_to(tmp_path / "outside.yaml")
    assert "did you mean" not in problems(folder, "network: linkde.yaml\n")[0]
    (folder / "linked.yaml").unlink()
    (folder / "linked.yaml").write_text(SPEC, encoding="utf-8")
    assert "did you mean 'linked.yaml'?" in problems(folder, "network: linkde.yaml\n")[0]


def test_new_values_are_written_as_their_parameters(tmp_path: Path) -> None:
    spec = "inputs: {x: [[1, 0]]}\ntargets: {y: [[1]]}\nlayers: [rnn: {units: 1}]\nloss: half_sse\n"
    inline = "".join(f"  {line}\n" for line in spec.splitlines())
    text = f"network:\n{inline}questions:\n  - update: 'W_xh1[1,2], W_hh1[1,1]'\n"
    network, exercise = load_exercise(written(tmp_path, text))
    page = Sheets(network, exercise, made_for(exercise, 1, 0, None).key).text(False, 100)
    assert [line.split()[0] for line in page.splitlines() if "new" in line and "___" in line] == [
        "w_xh,new⁽¹⁾[1,2]",
        "w_hh,new⁽¹⁾[1,1]",
    ]


def test_a_spec_asks_by_itself(tmp_path: Path) -> None:
    exercise = load_exercise("two-two-two").exercise
    kinds = [question.kind for question in exercise.questions]
    assert kinds[:2] == [QuestionKind.TABLE, QuestionKind.COST]
    assert kinds.count(QuestionKind.GRADIENT) == 2
    assert QuestionKind.PATHS in kinds
    assert kinds[-1] is QuestionKind.UPDATE
    assert load_exercise(written(tmp_path, SPEC)).exercise.title == "sheet"


def test_class_lists(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("id;Student\n1;Ada Lovelace\n2;Émilie, du Châtelet\n\n", encoding="utf-8")
    assert class_list(path) == ("Ada Lovelace", "Émilie, du Châtelet")
    path.write_text('Ada\n"Gauss, C. F."\n', encoding="utf-8")
    assert class_list(path) == ("Ada", "Gauss, C. F.")
    path.write_text("name,x\nAda,1\n,2\nAda,3\n", encoding="utf-8")
    with pytest.raises(BackpropError) as error:
        class_list(path)
    assert [line.partition("class.csv:")[2] for line in str(error.value).splitlines()] == [
        "3:1: there is no name in this row",
        "4:1: 'Ada' stands in line 2 already; names tell students apart",
    ]
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BackpropError, match="UTF-8"):
        class_list(path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("First name,Surname,Email\nAnn,Meier,a@x\nBob,Li,b@x\n", ("Ann Meier", "Bob Li")),
        ("Last name,First name\nMeier,Ann\nMeier,Bob\n", ("Ann Meier", "Bob Meier")),
        ("Nachname;Vorname;E-Mail-Adresse\nMeier;Ann;a@x\n", ("Ann Meier",)),
        ("Name;Vorname\nMeier;Ann\n", ("Ann Meier",)),
        ("NOM\tPr\u00e9nom\tN\u00b0 \u00e9tudiant\nCurie\tMarie\t7\n", ("Marie Curie",)),
        ("Nom,Courriel\nMarie Curie,m@x\n", ("Marie Curie",)),
        ("Nombre,Apellidos\nAna,García Lorca\n", ("Ana García Lorca",)),
        ("nome,cognome\nAda,Bo\n", ("Ada Bo",)),
        ("學號,姓名\n1,王小明\n", ("王小明",)),
        ("姓,名\n王,小明\n", ("王小明",)),
        ('Student,ID,SIS User ID,Section\n"Meier, Ann",1,2,A\n', ("Meier, Ann",)),
        ("First_Name , LAST-NAME\nAnn,\n,Li\n", ("Ann", "Li")),
        ("Ann Meier\nBob Li\n", ("Ann Meier", "Bob Li")),
        ("Students\nAnn Meier\n", ("Ann Meier",)),
        ("Name,ID\nAnn Meier,1\nAnn Meier,2\nBob,3\n", ("Ann Meier (1)", "Ann Meier (2)", "Bob")),
        ("Name,ID,Mail\nAnn,1,a@x\nAnn,1,b@x\n", ("Ann (a@x)", "Ann (b@x)")),
    ],
)
def test_headers_of_class_lists(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    assert class_list(path) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mail,group\na@x,1\n", "1:1: no column is known to hold names; call one 'name', or two 'first name' and "),
        ("Ann,Meier\nBob,Li\n", "1:1: no column is known to hold names; call one 'name', or two 'first name' and "),
        ("Name,ID\nAnn,1\nAnn,1\n", "3:1: 'Ann' stands in line 2 already; names tell students apart"),
        ("Name,ID\nAnn,1\nAnn,\n", "3:1: 'Ann' stands in line 2 already; names tell students apart"),
        ("Name,group\nAnn,1\nAnn,2\n", "3:1: 'Ann' stands in line 2 already; names tell students apart"),
        ("Name,Mail\n", "there are no students in it"),
    ],
)
def test_class_lists_without_names_that_tell_students_apart(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BackpropError) as error:
        class_list(path)
    assert message in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_class_lists_in_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes("Name;Mail\r\nÉmilie;e@x\r\n".encode(encoding))
    assert class_list(path) == ("Émilie",)
