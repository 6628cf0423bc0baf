"""Content packages that are the same, byte for byte, whenever and wherever they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from backprop_cli.documents.quiz import Item

EPOCH = (1980, 1, 1, 0, 0, 0)
NAMESPACE = "http://www.imsglobal.org/xsd/imscp_v1p1"
DIGITS = 12  # of a digest: few enough to read, and enough that no two quizzes of a course are taken for one


def fingerprint(parts: Iterable[tuple[str, Sequence[Item]]]) -> str:
    """What tells these variants from all others: platforms take what has the same identifier for the same thing, and
    overwrite an older quiz by another one."""
    told = [
        [title, *(f"{answer.cell.id} {answer.cell.value!r}" for item in items for answer in item.answers)]
        for title, items in parts
    ]
    return sha256(repr(told).encode("utf-8")).hexdigest()[:DIGITS]


def manifest(identifier: str, schema: str, version: str) -> tuple[ET.Element, ET.Element]:
    """A manifest, and the element in it for the resources."""
    root = ET.Element("manifest", identifier=identifier, xmlns=NAMESPACE)
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text = schema
    ET.SubElement(metadata, "schemaversion").text = version
    ET.SubElement(root, "organizations")
    return root, ET.SubElement(root, "resources")


def packed(files: Mapping[str, str]) -> bytes:
    """A ZIP file with these texts."""
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = ZipInfo(name, EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # as on Unix, on every system
            archive.writestr(entry, content.encode("utf-8"))
    return made.getvalue()


def serialised(root: ET.Element) -> str:
    """An XML file. Nothing is indented: blanks count in mixed content."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
