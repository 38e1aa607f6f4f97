"""Works as BibTeX, as references of APA style, and as a CITATION.cff."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from logbench import Work, escaped

Form = Literal["bibtex", "apa", "cff"]
# Kind of a work → type of its entry, and where its venue stands.
_BIBTEX = {
    "paper": ("inproceedings", "booktitle"),
    "article": ("article", "journal"),
    "software": ("software", "howpublished"),
    "data": ("misc", "howpublished"),
    "other": ("misc", "howpublished"),
}
_CFF = {
    "paper": "conference-paper",
    "article": "article",
    "software": "software",
    "data": "data",
    "other": "generic",
}
# Signs that a key of BibTeX cannot have.
_NO_KEY = re.compile(r"[^\w:.+/-]")


def formatted(works: Sequence[Work], form: Form) -> str:
    """The works in a format, in their order.

    Args:
        form: `cff`: the first is what the file is of, the others are its references.
    """
    return _FORMS[form](works)


def bibtex(works: Sequence[Work]) -> str:
    """An entry a work. Titles are in double braces, so that no style changes their letters."""
    return "\n\n".join(map(_entry, works))


def _entry(work: Work) -> str:
    kind, venue = _BIBTEX[work.kind]
    fields = {
        "author": " and ".join(map(_author, work.author)),
        "title": f"{{{escaped(work.title, 'latex')}}}",
        "year": str(work.year) if work.year else "",
        venue: escaped(work.venue, "latex"),
        "pages": work.pages.replace("-", "--"),
        "version": escaped(work.version, "latex"),
        "doi": _plain(work.doi),
        "url": _plain(work.url),
        "note": escaped(work.note, "latex"),
    }
    wide = max(len(name) for name, value in fields.items() if value)
    lines = [f"  {name:<{wide}} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{_NO_KEY.sub('_', work.key)},\n" + ",\n".join(lines) + "\n}"


def _author(name: str) -> str:
    """A group's name in braces of its own, or it would be taken for given name and family name."""
    text = escaped(name, "latex")
    return text if "," in name or name == "others" else f"{{{text}}}"


def _plain(address: str) -> str:
    """An address as it is: only what would end its field is left out."""
    return re.sub(r"[{}\s]", "", address)


def apa(works: Sequence[Work]) -> str:
    """A reference a line, by the rules of APA's 7th edition, as plain text."""
    return "\n".join(_reference(work) for work in works)


def _reference(work: Work) -> str:
    title = f"{work.title} (Version {work.version})" if work.version else work.title
    kind = {"software": " [Computer software]", "data": " [Data set]"}.get(work.kind, "")
    lead, date = _names(work.author), f"({work.year})" if work.year else "(n.d.)"
    first = f"{lead} {date}. {title}{kind}." if lead else f"{title}{kind}. {date}."
    place = ", ".join(part for part in (work.venue, work.pages.replace("-", "–")) if part)
    address = f"https://doi.org/{work.doi}" if work.doi else work.url
    note = "" if work.kind == "software" else work.note
    return escaped(" ".join(part for part in (first, place and f"{place}.", address, note) if part), "terminal")


def _names(authors: Sequence[str]) -> str:
    if not authors:
        return ""
    names = [_initials(name) for name in authors if name != "others"]
    if "others" in authors:
        return ", ".join([*names, "et al."])
    if len(names) > 20:
        return ", ".join([*names[:19], f"… {names[-1]}"])
    joined = ", ".join(names[:-1]) + f", & {names[-1]}" if len(names) > 1 else names[0]
    return joined if joined.endswith(".") else f"{joined}."


def _initials(name: str) -> str:
    family, comma, given = name.partition(", ")
    if not comma:
        return family
    parts = [" ".join(f"{part[0]}." for part in one.split()) for one in given.split("-")]
    return f"{family}, {'-'.join(parts)}"


def cff(works: Sequence[Work]) -> str:
    """A file of the Citation File Format 1.2.0. Texts are written as JSON, which YAML reads as they are."""
    own, *others = works
    lines = ["cff-version: 1.2.0", "message: Cite logbench and the works that these runs rest on."]
    lines += [f"{name}: {value}" for name, value in _own(own)]
    if others:
        lines.append("references:")
    for work in others:
        lines += _indented(work)
    return "\n".join(lines)


def _own(work: Work) -> Iterator[tuple[str, str]]:
    yield "type", "software"
    yield "title", json.dumps(work.title, ensure_ascii=False)
    yield "authors", json.dumps(_people(work.author), ensure_ascii=False)
    if work.version:
        yield "version", json.dumps(work.version)


def _indented(work: Work) -> Iterator[str]:
    first, _, last = work.pages.partition("-")
    venue = "journal" if work.kind == "article" else "collection-title" if work.kind == "paper" else "publisher"
    fields = {
        "type": _CFF[work.kind],
        "title": work.title,
        "authors": _people(work.author or ("anonymous",)),
        "year": work.year,
        venue: {"name": work.venue} if venue == "publisher" and work.venue else work.venue,
        "start": first,
        "end": last,
        "version": work.version,
        "doi": work.doi,
        "url": work.url,
        "notes": work.note,
    }
    lead = "  - "
    for name, value in fields.items():
        if value:
            yield f"{lead}{name}: {json.dumps(value, ensure_ascii=False)}"
            lead = "    "


def _people(authors: Sequence[str]) -> list[dict[str, str]]:
    return [_person(name) for name in authors]


def _person(name: str) -> dict[str, str]:
    family, comma, given = name.partition(", ")
    return {"family-names": family, "given-names": given} if comma else {"name": name}


_FORMS: Mapping[Form, Callable[[Sequence[Work]], str]] = {"bibtex": bibtex, "apa": apa, "cff": cff}
