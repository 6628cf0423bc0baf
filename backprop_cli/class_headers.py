"""Which columns of a class list hold names, by the headers that schools, spreadsheets and platforms write."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHOLE = _words(
    """student students studentname fullname names displayname learner participant participants pupil
    schuler schulerin schulername studentin studierende studierender teilnehmer teilnehmerin vollstandigername
    etudiant etudiante eleve eleves apprenant nomcomplet nometprenom prenometnom nomprenom prenomnom
    alumno alumna estudiante nombrecompleto nombreyapellidos apellidosynombre
    studente studentessa alunno alunna nomecompleto nomeecognome cognomeenome aluno aluna estudante
    leerling volledigenaam elev namn navn nimi imieinazwisko
    lastnamefirstname surnamefirstname firstnamelastname nachnamevorname namevorname vornamenachname
    姓名 學生 学生 學生姓名 学生姓名 全名 氏名"""
)
FIRST = _words(
    """firstname firstnames first forename forenames givenname givennames given vorname vornamen rufname prenom prenoms
    nombres nombredepila voornaam fornavn fornamn etunimi imie jmeno 名"""
)
LAST = _words(
    """lastname lastnames last surname surnames familyname family nachname familienname zuname nomdefamille nomdusage
    apellido apellidos cognome cognomi sobrenome apelido achternaam etternavn efternavn efternamn sukunimi nazwisko
    prijmeni 姓 姓氏"""
)
EITHER = _words("name nom nombre nome naam 名字")  # the whole name, or the part that no other column has
IDENTITY = _words(
    """id idnumber number no nr studentid studentnumber studentno matriculation matriculationnumber matrikel
    matrikelnummer matrikelnr matrnr numero numeroetudiant netudiant ine matricule matricola legajo username user login
    loginid sisid sisuserid sisloginid userid registrationnumber rollnumber rollno account
    學號 学号 座號 帳號"""
)
MAIL = _words(
    """email emails emailaddress mail mailaddress emailadresse mailadresse adresseemail adressemail courriel
    adressedecourriel correo correoelectronico posta postaelettronica 電子郵件 电子邮件 信箱"""
)
OTHER = _words(
    """group groups gruppe groupe grupo gruppo class klasse classe clase section sections course kurs cours curso corso
    institution department year semester team role status grade language 班級 班级 組別 组别 系所"""
)
NAMES = WHOLE | FIRST | LAST | EITHER
KNOWN = NAMES | IDENTITY | MAIL | OTHER


class Columns(NamedTuple):
    """``names`` are the columns whose parts make up the name, the given name first; ``telling`` those that tell
    students of one name apart."""

    names: tuple[int, ...]
    telling: tuple[int, ...]


def columns_of(row: Sequence[str]) -> Columns | None:
    """The columns that a first row names, none of names among them where it names others alone; None where it is no
    header."""
    heads = [plain(cell) for cell in row]
    if not any(head in (KNOWN if len(heads) > 1 else NAMES) for head in heads):
        return None

    def places(some: frozenset[str]) -> list[int]:
        return [place for place, head in enumerate(heads) if head in some]

    whole, first, last, either = (places(some)[:1] for some in (WHOLE, FIRST, LAST, EITHER))
    parts = (first or either) + (last or (either if first else []))
    return Columns(tuple(whole or parts), (*places(IDENTITY), *places(MAIL)))


def plain(head: str) -> str:
    """A header without case, accents and signs: ``E-Mail-Adresse`` is ``emailadresse``."""
    letters = unicodedata.normalize("NFKD", head.replace("ß", "ss")).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def joined(parts: Sequence[str]) -> str:
    """A given name and a family name as one; in Chinese characters the family name stands first."""
    some = [part for part in parts if part]
    is_chinese = bool(some) and all(unicodedata.name(letter, "").startswith("CJK") for part in some for letter in part)
    return "".join(reversed(some)) if is_chinese else " ".join(some)
