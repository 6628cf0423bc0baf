"""Packages against the schemas of their formats, which may not be handed on: a folder with them is named by
``BACKPROP_QTI_SCHEMAS``.

Schemas are found by their names, wherever they are in the folder; what they import must be in it too. A DTD may stand
for a schema of QTI; it knows no namespaces, so these are left out of what it is to judge.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backprop_cli.bundled import bundled_exercises
from tests.exercises.content_models import without_namespace
from tests.exercises.making import sheets_of

FOLDER = os.environ.get("BACKPROP_QTI_SCHEMAS", "")
SCHEMAS = {"qti12": "ims_qtiasiv1p2p1", "qti21": "imsqti_v2p1"}
MANIFEST = "imscp_v1p1"

Judge = Callable[[bytes], list[str]]


def judge_by(stem: str) -> Judge | None:
    """What finds the faults of a file by the schema with this name; None where there is none."""
    etree: Any = pytest.importorskip("lxml.etree")
    for path in sorted(Path(FOLDER).rglob(f"{stem}*.xsd")):
        schema = etree.XMLSchema(etree.parse(path))
        return lambda content: _faults(schema, etree.fromstring(content))
    for path in sorted(Path(FOLDER).rglob(f"{stem}*.dtd")):
        dtd = etree.DTD(str(path))
        return lambda content: _faults(dtd, _without_namespaces(etree, etree.fromstring(content)))
    return None


def _faults(schema: Any, root: Any) -> list[str]:
    return [] if schema.validate(root) else [error.message for error in schema.error_log]


def _without_namespaces(etree: Any, element: Any) -> Any:
    made = etree.Element(without_namespace(element.tag), dict(element.attrib))
    made.text, made.tail = element.text, element.tail
    made.extend([_without_namespaces(etree, child) for child in element])
    return made


@pytest.mark.skipif(not FOLDER, reason="BACKPROP_QTI_SCHEMAS names no folder")
@pytest.mark.parametrize("exercise", bundled_exercises())
@pytest.mark.parametrize("format", SCHEMAS)
def test_packages_are_valid(format: str, exercise: str) -> None:
    judges = {"imsmanifest.xml": judge_by(MANIFEST)}
    archive = zipfile.ZipFile(io.BytesIO(bytes(sheets_of(exercise, 2).file(format, False))))
    other = judge_by(SCHEMAS[format])
    judged = {name: judge for name in archive.namelist() if (judge := judges.get(name, other)) is not None}
    if not judged:
        pytest.skip(f"no schema {MANIFEST} or {SCHEMAS[format]} in the folder")
    for name, judge in judged.items():
        assert judge(archive.read(name)) == [], name
