"""Answers files: every format, what spreadsheets do to them, and what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backprop_cli.errors import BackpropError
from backprop_cli.exercises import answers
from backprop_cli.exercises.answers import MOST_PROBLEMS, first_of, read_answers
from backprop_cli.exercises.key import Cell, CellKind, Key, Variant
from backprop_cli.exercises.written_numbers import decimals_of, is_blank, number_of

IDS = ("z1[1]", "dJ/dW1[1,2]", "new W1[1,2]", "path 1 of dJ/da1[1]", "J")
SHEETS = {"1": "AB12", "2": "CD34"}


def key(*students: str | None) -> Key:
    cells = tuple(Cell(name, 1, CellKind.NUMBER, 0.5, 0.0001, 1.0, 4) for name in IDS)
    variants = tuple(
        Variant(number, code, student, {"x": np.zeros(1)}, cells)
        for (number, code), student in zip(SHEETS.items(), students, strict=False)
    )
    return Key("t", "", 4, 0, 0.1, variants)


CLASS = key("Ann", "Bob")


def read(
    text: str | bytes, source: str = "answers.csv", of: Key = CLASS
) -> tuple[dict[str, dict[str, str]], list[str]]:
    content = text.encode() if isinstance(text, str) else text
    found, problems = read_answers(content, source, of)
    answers = {one.student: dict(one.answers) for one in found if one.answers}
    return answers, [problem.located(source) for problem in problems]


ANN = {"Ann": {"dJ/dW1[1,2]": "-0.25", "J": "0.5"}}


@pytest.mark.parametrize(
    "text",
    [
        'student,variant,cell,answer\nAnn,1,"dJ/dW1[1,2]",-0.25\nAnn,1,J,0.5\n',
        "student,variant,cell,answer\nAnn,1,dJ/dW1[1,2],-0.25\nAnn,1,J,0.5\n",
        "\ufeffanswer;cell;variant;student\r\n-0.25;dJ/dW1[1,2];1;Ann\r\n0.5;J;1;Ann\r\n",
        "Student\tVariant\tCell\tAnswer\nAnn\tAB12\tdJ / dW1[1, 2]\t-0.25\nAnn\tab12\tJ\t0.5\n",
        "cell,answer,student,note\nJ,0.5,Ann,hm\n'dJ/dW1[1,2],'-0.25,Ann,\n".replace("'dJ", "dJ"),
    ],
)
def test_tables(text: str) -> None:
    assert read(text) == (ANN, [])


def test_decimal_commas_with_and_without_quotes() -> None:
    found, problems = read('student,variant,cell,answer\nAnn,1,J,0,25\nAnn,1,z1[1],"0,5"\n')
    assert (found, problems) == ({"Ann": {"J": "0,25", "z1[1]": "0,5"}}, [])


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_encodings_of_spreadsheets(encoding: str) -> None:
    found, problems = read("student;variant;cell;answer\nZoë;1;J;0,5\n".encode(encoding), of=key(None))
    assert (found, problems) == ({"Zoë": {"J": "0,5"}}, [])


def test_json_and_yaml() -> None:
    rows = [
        {"student": "Ann", "variant": 1, "cell": "dJ/dW1[1,2]", "answer": -0.25},
        {"student": "Ann", "variant": "1", "cell": "J", "answer": "0.5"},
    ]
    assert read(json.dumps(rows), "a.json") == (ANN, [])
    assert read(json.dumps({"answers": rows}), "a.json") == (ANN, [])
    assert read(json.dumps([{"student": "Ann", "answers": {"dJ/dW1[1,2]": -0.25, "J": 0.5}}]), "a.json") == (ANN, [])
    text = (
        "- {student: Ann, variant: 1, cell: 'dJ/dW1[1,2]', answer: -0.25}\n- student: Ann\n  cell: J\n  answer: 0.5\n"
    )
    assert read(text, "a.yaml") == (ANN, [])
    assert read(text + "- student: Ann\n  cell: K\n  answer: 1\n", "a.yaml")[1] == ["a.yaml:5:1: unknown cell 'K'"]


def notebook(*cells: object, **metadata: object) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)})


def test_a_filled_notebook_is_read_and_not_run() -> None:
    cells = [
        {"cell_type": "raw", "source": "student = \nvariant = 1"},
        {"cell_type": "markdown", "source": ["student: Ann\n", "\n", "- `dJ/dW1[1,2]` = -0.25\n"]},
        {"cell_type": "code", "source": "import os; os.abort()\n# J: 0.5\nz1[1] = ...\nx = 3", "outputs": []},
    ]
    assert read(notebook(*cells), "sheet.ipynb") == (ANN, [])


def test_a_notebook_names_cells_and_its_owner_in_metadata() -> None:
    own = {"backprop": {"cell": "J"}}
    cell = {"cell_type": "code", "metadata": own, "source": "# your answer\n0.5"}
    assert read(notebook(cell, backprop={"student": "Bob", "variant": "2"}), "x.ipynb") == ({"Bob": {"J": "0.5"}}, [])
    assert read(notebook(cell), "Cem.ipynb", key(None)) == ({"Cem": {"J": "0.5"}}, [])


def test_bad_rows_are_reported_with_their_lines_and_the_rest_counts() -> None:
    text = (
        "student,variant,cell,answer\n"
        "Ann,1,J,0.5\n"
        "Ann,3,J,0.5\n"
        "Bop,2,J,0.5\n"
        "Bop,,J,0.5\n"
        "Ann,1,dJ/dW1[2,1],0.5\n"
        "Ann,1\n"
        "Ann,1,J,0.7\n"
        "Bob,2,J,0.1\n"
    )
    found, problems = read(text)
    assert found == {"Ann": {"J": "0.5"}, "Bob": {"J": "0.1"}}
    assert problems == [
        "answers.csv:3:1: unknown variant '3'",
        "answers.csv:4:1: variant 2 is not that of 'Bop'; did you mean 'Bob'?",
        "answers.csv:5:1: unknown student 'Bop'; did you mean 'Bob'?",
        "answers.csv:6:1: unknown cell 'dJ/dW1[2,1]'; did you mean 'dJ/dW1[1,2]'?",
        "answers.csv:7:1: 2 fields where the header has 4; put quotes around those with a ','",
        "answers.csv:8:1: J is answered twice; the first answer counts",
    ]


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("", "a.csv", "a.csv: there are no answers in it"),
        (
            "student,variant,cel,answer\n",
            "a.csv",
            "a.csv:1:1: expected the columns student, variant, cell and answer in the first row, and there is no cell "
            "('cel'; did you mean 'cell'?)",
        ),
        ("[1, 2", "a.json", "a.json:1:6: this is no JSON"),
        ("3", "a.json", "a.json: expected a list of answers, each with student, variant, cell and answer"),
        ("[" * 100_000, "a.json", "a.json:1:1: this is no JSON"),
        ("{}", "a.ipynb", "a.ipynb:1:1: this is no notebook"),
    ],
)
def test_what_is_no_answers_file(text: str, source: str, message: str) -> None:
    with pytest.raises(BackpropError) as found:
        read(text, source)
    assert str(found.value) == message


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.25", 0.25),
        (" 0,25 ", 0.25),
        ("-.5", -0.5),
        ("\N{MINUS SIGN}1,5e-2", -0.015),
        ("3/4", 0.75),
        ("8.27*10^-2", 0.0827),
        ("8,27·10^(-2)", 0.0827),
        ("5 1/2", 5.5),
        ("\N{MINUS SIGN}5 1 / 2", -5.5),
        ("- 3", -3),
        ("3 / 4", 0.75),
        ("12 345,5", 12345.5),
        ("12 5", None),
        ("1 2/0", None),
        ("1/0", None),
        ("0.3775.", 0.3775),
        ("(0.3775)", 0.3775),
        ("≈0.3775", 0.3775),
        ("= 0.3775", 0.3775),
        ("~0,3775", 0.3775),
        ("3.775×10⁻¹", 0.3775),
        ("3.775 10^-1", 0.3775),
        ("-10^-2", -0.01),
        ("151⁄400", 0.3775),
        ("½", 0.5),
        ("−5½", -5.5),
        ("5 ⅓", 5 + 1 / 3),
        ("37.75%", None),
        ("½e3", None),
        ("2.5½", None),
        ("3²", None),
        ("1/2*10^-1", None),
        ("((1))", None),
        ("1e999", None),
        ("nan", None),
        ("1.2.3", None),
        ("1,234.5", None),
        ("__import__('os')", None),
        ("9" * 100, None),
        ("", None),
    ],
)
def test_numbers_as_students_write_them(text: str, number: float | None) -> None:
    assert number_of(text) == (None if number is None else pytest.approx(number, rel=1e-15))


@pytest.mark.parametrize("text", ["", " ", "-", "–", "--", "—", "?", "n/a", "N/A", "None", "none", "…", "___"])
def test_what_says_that_there_is_no_answer(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["0", "-1", "- 3", "no", "half"])
def test_what_is_an_answer(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [("0.38", 2), ("0,380", 3), ("3.8e-1", 2), ("3,8·10^-1", 2), ("38", 0), ("3.8e3", 0), ("1/2", None), ("½", None)],
)
def test_how_many_digits_a_number_is_written_with(text: str, digits: int | None) -> None:
    assert decimals_of(text) == digits


def students(text: str, of: Key, source: str = "answers.csv") -> list[tuple[str, str, int]]:
    """Who is in the report, with variant and number of answers."""
    found, _ = read_answers(text.encode(), source, of)
    return [(one.student, one.variant, len(one.answers)) for one in found]


def test_everyone_whom_the_key_knows_is_there() -> None:
    assert students("student,cell,answer\nBob,J,1\n", CLASS) == [("Ann", "1", 0), ("Bob", "2", 1)]
    assert students("student,cell,answer\nBop,J,1\n", CLASS) == [("Ann", "1", 0), ("Bob", "2", 0)]
    assert students("student,variant,cell,answer\nAnn,2,J,1\n", CLASS) == [("Ann", "1", 0), ("Bob", "2", 0)]
    assert students("student,cell,answer\n", CLASS) == []  # which is no answers file of a class


def test_a_notebook_is_one_students() -> None:
    sheet = notebook({"cell_type": "raw", "source": "student = Bob\nJ = 1"})
    assert students(sheet, CLASS, "x.ipynb") == [("Bob", "2", 1)]
    empty = notebook({"cell_type": "raw", "source": "student = Bob\nJ = "})
    assert students(empty, CLASS, "x.ipynb") == [("Bob", "2", 0)]


def test_who_answers_is_there_though_no_row_can_be_read() -> None:
    nameless = key(None, None)
    rows = "student,variant,cell,answer\nAnn,1,K,1\nBob,7,J,1\nCem,2,J,1\nCem,9,J,1\n"
    assert students(rows, nameless) == [("Ann", "1", 0), ("Cem", "2", 1), ("Bob", "?", 0)]
    assert students(rows, key(None)) == [("Ann", "1", 0), ("Bob", "1", 0), ("Cem", "1", 0)]


def test_variants_that_a_spreadsheet_has_made_decimals_of() -> None:
    assert read("student;variant;cell;answer\nAnn;1.0;J;0.5\nBob;2,0;J;0.5\n") == (
        {"Ann": {"J": "0.5"}, "Bob": {"J": "0.5"}},
        [],
    )


def test_the_message_never_suggests_what_was_written() -> None:
    _, problems = read("student,variant,cell,answer\nAnn,2,J,0.5\n")
    assert problems == ["answers.csv:2:1: variant 2 is not that of 'Ann', who has variant 1"]


def test_an_answer_after_a_blank_counts() -> None:
    assert read("student,cell,answer\nAnn,J,-\nAnn,J,0.5\n") == ({"Ann": {"J": "0.5"}}, [])


def test_lines_of_a_notebook_that_do_not_count_are_told() -> None:
    form = "student = Ann\nJ = 0.2984\nJ = 0.3\ndJ/dW1_12 = 0.08\ndJ/dw1[1,2]: 0.0822\nj = 1\nz2[1] = 7\nz1[1] = 0.5"
    found, problems = read(notebook({"cell_type": "raw", "source": form}), "x.ipynb")
    assert found == {"Ann": {"J": "0.3", "z1[1]": "0.5"}}
    assert problems == [
        "x.ipynb:3:1: J is answered twice; the last answer counts",
        "x.ipynb:4:1: unknown cell 'dJ/dW1_12'; did you mean 'dJ/dW1[1,2]'?",
        "x.ipynb:5:1: unknown cell 'dJ/dw1[1,2]'; did you mean 'dJ/dW1[1,2]'?",
        "x.ipynb:6:1: unknown cell 'j'; did you mean 'J'?",
        "x.ipynb:7:1: unknown cell 'z2[1]'; did you mean 'z1[1]'?",
    ]


def test_what_else_stands_in_a_notebook_is_no_answer() -> None:
    cells = [
        {"cell_type": "raw", "source": "student = Ann\nJ = 0.3\ndJ/dW2[1,2] = \n"},
        {"cell_type": "markdown", "source": "Note: all is rounded\n$z_1 = 0.5$\nrate = 0.5\nsum: a1 + a2 = 1"},
        {"cell_type": "code", "source": "J = sum((a - y)**2)/2\nz1[1] = x@w\nW2[1,2] = 3\nj = 1\nprint(J == 0.3)"},
    ]
    assert read(notebook(*cells), "x.ipynb") == ({"Ann": {"J": "0.3"}}, [])
    code = {"cell_type": "code", "source": "J = 0.3  # by hand\n# dJ/dW1[1,2] = 0.1\ndJ/dW1_11 = 0.08"}
    own = {"cell_type": "raw", "source": "student = Ann"}
    found, problems = read(notebook(own, code), "x.ipynb")
    assert found == {"Ann": {"J": "0.3", "dJ/dW1[1,2]": "0.1"}}
    assert problems == ["x.ipynb:4:1: unknown cell 'dJ/dW1_11'; did you mean 'dJ/dW1[1,2]'?"]


def test_names_are_looked_for_in_the_first_problems_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many rows about strangers the search for the nearest name would take minutes."""
    asked: list[str] = []

    def nearest(name: str, valid: object) -> str:
        asked.append(name)
        return ""

    monkeypatch.setattr(answers, "did_you_mean", nearest)
    rows = "".join(f"Nobody {number},J,0\n" for number in range(3000))
    _, problems = read_answers(f"student,cell,answer\n{rows}".encode(), "a.csv", CLASS)
    assert asked == [f"Nobody {number}" for number in range(MOST_PROBLEMS)]
    assert len(problems) == 3000
    told = first_of(problems)
    assert [problem.line for problem in told] == [*range(2, MOST_PROBLEMS + 3)]
    assert told[-1].message == "2900 more problems"
