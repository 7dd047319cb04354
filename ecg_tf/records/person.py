"""What free text says of a person: identifier, age in years, sex. What is unclear is unknown."""

import math
import re
import unicodedata
from collections.abc import Sequence

_BLANK_NAMES = frozenset(
    "nan na none null nil unknown undefined missing anonymous anonymized anonymised anon x "
    "notavailable notknown unbekannt desconocido inconnu".split()
)
_MALE = """m male man boy masc masculine männlich maennlich mann junge hombre masculino varón niño
    homme masculin mâle garçon maschio maschile uomo homem mannelijk jongen mand kille
    мужской мужчина муж м 男 男性"""
_FEMALE = """f female woman girl fem feminine w weiblich frau mädchen mujer femenino femenina hembra
    niña femme féminin féminine fille femmina femminile donna feminino feminina mulher vrouw
    vrouwelijk meisje kvinna kvinde женский женщина жен ж 女 女性"""
_DAYS = {
    365.25: "y yr yrs year years yearold yearsold yo a jahr jahre j ano anos an ans anni anno",
    365.25 / 12: "mo mos mth mths month months monthold monthsold monat monate mes meses mois mesi",
    7.0: "wk wks week weeks woche wochen semana semanas semaine semaines settimane",
    1.0: "d day days dayold daysold tag tage dia dias jour jours giorni",
    1 / 24: "h hr hrs hour hours",
}
_QUANTITY = re.compile(r"\s*(?:,|and\s|und\s|et\s)?\s*([0-9]{1,6}(?:[.,][0-9]{1,6})?)\s*([^\W\d]*)")
#: DICOM's age string; its M and W are months and weeks only in this exact form.
_DICOM = re.compile(r"([0-9]{3})([DWMY])", re.I)
_DICOM_DAYS = {"d": 1.0, "w": 7.0, "m": 365.25 / 12, "y": 365.25}

_ID = r"(?:id|identifier|number|no|nr|code|name)"
_WHO = r"(?:subject|patient|participant)"
_KEY = re.compile(
    rf"""(?<![^\W_])(?<!-)(?:
      (?P<id>{_WHO}(?:'s)?[ _.-]{{0,3}}{_ID}|id[ _.-]{{0,3}}{_WHO})
    | (?P<subject>subject|participant) | (?P<patient>patient)
    | (?P<age>age|edad|alter)(?P<unit>[ _(\[]{{1,3}}(?:in[ ])?[a-z]{{1,7}}[)\]]?)?
    | (?P<sex>sex|gender|sexo|sexe|geschlecht)
    | (?P<session>session(?:[ _-]{{0,3}}id)?) | (?P<date>date)
    )[.]?[ \t]{{0,20}}>?[ \t]{{0,20}}[:=]""",
    re.I | re.X,
)
#: Where a value ends: the next tag in angle brackets, or the next word followed by a colon.
_END = re.compile(r"<|(?<!\S)[^\W\d][\w-]{0,40}[ \t]{0,20}(?::(?=\s|$)|=)")
#: Words in front of a key that make it say something else: "age of mother", "birth date".
_OTHER = re.compile(
    r"\b(?:of|per|birth|gestational|maternal|mother(?:'?s)?|paternal|father(?:'?s)?|bone|heart|"
    r"vascular|predicted|mean|non)[ \t_-]{1,3}$", re.I
)
_PLAIN_ID = re.compile(rf"\W{{0,9}}{_WHO}[ _.-]{{0,3}}id[ \t]+(\S+)\s*", re.I)


def about(comments: Sequence[str], first_line: bool = False) -> dict:
    """What the lines of comment of a header say of the person: subject, session and sex, "" where
    missing or not understood, and age, NaN there.

    Understood are "Age: 25", "Sex: male", "ECG date: 07.12.2004", "subject: ID", "patient_id = 7",
    "session: ID", one a line or several in one, as in "<age>: 25 <sex>: M"; with `first_line` the
    first is "69 M 1085 1629 x1" as in MIT-BIH (age, sex, tape).

    Example:
        >>> about(["Age: 25", "Sex: male", "ECG date: 07.12.2004"])["session"]
        '2004-12-07'
        >>> about(["subject: 7 age: 60 sex: M"])
        {'subject': '7', 'session': '', 'sex': 'male', 'age': 60.0}
    """
    found: dict[str, str] = {}
    for line in (line[:1000] for line in comments[:1000]):
        for key, value in _pairs(unicodedata.normalize("NFKC", line)[:4000]):
            if value and (key not in ("id", "subject", "patient") or not is_blank_name(value)):
                found.setdefault(key, value)
    sex, age = found.get("sex", ""), found.get("age", "")
    if first_line and comments and (match := re.match(r"(-?\d+)\s+([MF])\b", comments[0])):
        age, sex = match.groups()
    return {
        "subject": found.get("id") or found.get("subject") or found.get("patient") or "",
        "session": found.get("session") or _iso_date(found.get("date", "")),
        "sex": sex_of(sex),
        "age": age_years(age),  # MIT-BIH writes -1 for "not known"
    }


def age_years(text: str) -> float:
    """An age in years; NaN for what is not understood or lies outside 0 to 130.

    It understands "63", "63 Y", "9 months", "1 year 6 months", "10 days", DICOM's "063Y".

    Example:
        >>> age_years("9 months"), age_years("063Y"), age_years("about 60")
        (0.75, 63.0, nan)
    """
    text = unicodedata.normalize("NFKC", str(text)[:100]).strip()
    if match := _DICOM.fullmatch(text):
        return _possible(int(match[1]) * _DICOM_DAYS[match[2].lower()] / 365.25)
    text = re.sub(r"(?<=[a-z])[ ./-](?=old\b|o\b)|\.$|(?<=\d)-(?=[a-z])", "", _plain(text))
    at, days, found = 0, 0.0, 0
    while at < len(text):
        match = _QUANTITY.match(text, at)
        unit = _UNIT_DAYS.get(match[2] or "y") if match else None
        if match is None or unit is None or (found and not match[2]):
            return math.nan
        days += float(match[1].replace(",", ".")) * unit
        at, found = match.end(), found + 1
    return _possible(days / 365.25) if found else math.nan


def sex_of(text: str) -> str:
    """"male", "female", or "" by a word in one of several languages: "M", "Mann", "mujer", ...

    Digits mean something else in every database, so they are unknown here.

    Example:
        >>> sex_of("Mujer"), sex_of("M"), sex_of("0")
        ('female', 'male', '')
    """
    words = [word.strip(".,;:()[]'\"") for word in _plain(str(text)[:200]).split()]
    found = [_SEXES.get(word, "") for word in words]
    # "M or F", "not male" and "male?" are no answer; "M NYHA" is one.
    return found[0] if found and len({*found} - {""}) == 1 else ""


def is_blank_name(text: str) -> bool:
    """Whether a subject's identifier stands for no person: "", "nan", "N/A", "unknown", "-", "X".

    Example:
        >>> is_blank_name(" N/A "), is_blank_name("0")
        (True, False)
    """
    letters = re.sub(r"[\W_]", "", str(text)[:1000]).casefold()
    return not letters or letters in _BLANK_NAMES


def _pairs(line: str):
    """Key and value of all that a comment line says of a person."""
    keys = [key for key in _KEY.finditer(line) if not _OTHER.search(line[: key.start()][-30:])]
    ends = [key.start() for key in keys[1:]] + [len(line)]
    for key, end_of_value in zip(keys, ends, strict=False):
        value = line[key.end() : end_of_value]
        if end := _END.search(value):
            value = value[: end.start()]
        value = value.strip(" \t\r,;|\"'")
        if key["unit"]:  # "Age (months): 9"
            value = f"{value} {key['unit'].strip(' _([)]').removeprefix('in ')}"
        yield key.lastgroup if key.lastgroup != "unit" else "age", value
    if not keys and (match := _PLAIN_ID.fullmatch(line)):
        yield "id", match[1]


def _iso_date(text: str) -> str:
    day = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", text)
    return f"{day[3]}-{day[2]}-{day[1]}" if day else text


def _possible(years: float) -> float:
    return years if 0 <= years < 130 else math.nan


def _plain(text: str) -> str:
    """Small letters without accents."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_SEXES = {_plain(word): "male" for word in _MALE.split()}
_SEXES |= {_plain(word): "female" for word in _FEMALE.split()}
_UNIT_DAYS = {unit: days for days, units in _DAYS.items() for unit in units.split()}
