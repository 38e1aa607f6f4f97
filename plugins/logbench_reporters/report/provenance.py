"""Where all is from: commands to copy, versions, digests, licences, citations, and the records themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..cite.formats import formatted
from ..cite.sentence import sentence
from ..cite.works import works_of
from ..cost import device_of
from .study import Study


def provenance(study: Study) -> dict[str, Any]:
    """Rows of the section, by name."""
    first = study.records[0]
    card = study.runs.card(first)
    data = first["dataset"]
    works, uncited = works_of(study.records, study.runs)
    return {
        "commands": list(dict.fromkeys(record["command"] for record in study.records if record.get("command"))),
        "data": [
            ("data set", data.get("name", "")),
            ("title", card.title if card else "its plugin is not installed here"),
            ("SHA-256", data.get("digest", "not known")),
            ("lines", _count(data.get("lines"))),
            (f"{study.unit}s", _count(data.get("sessions"))),
            ("anomalous", _count(data.get("anomalies"))),
            ("licence", card.licence if card and card.licence else "not stated"),
            ("cite", card.citation if card and card.citation else "not stated"),
            *(("known fault", fault) for fault in (card.faults if card else ())),
        ],
        "machine": _machine(study.records),
        "plugins": _plugins(study.records),
        "runs": [_run(record) for record in study.records],
        "bibtex": formatted(works, "bibtex"),
        "protocol": sentence(study.records),
        "uncited": uncited,
        "notes": list(dict.fromkeys(note for record in study.records for note in record.get("notes", ()))),
    }


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "not known"


def _machine(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Facts of the machine, each once, those that differ side by side."""
    rows: dict[str, list[str]] = {}
    for record in records:
        machine, source = record.get("environment") or {}, record.get("source") or {}
        memory = machine.get("memory_mb")
        told = {
            "processor": f"{machine.get('processor', '')} × {machine.get('cores', '?')}",
            "memory": f"{memory:,} MB" if memory else "",
            "system": machine.get("platform", ""),
            "device": _gpu(record) or (device_of(record) if machine else "") or "",
            "Python": machine.get("python", ""),
            **{name: found or "not installed" for name, found in (machine.get("packages") or {}).items()},
            "logbench": f"{source.get('version')} code {source.get('code')}"
            + (f" revision {str(source.get('revision'))[:12]}" if source.get("revision") else "")
            + (" with changes" if source.get("dirty") else ""),
        }
        for name, text in told.items():
            if text and text not in rows.setdefault(name, []):
                rows[name].append(text)
    return [(name, "; ".join(texts)) for name, texts in rows.items() if texts]


def _gpu(record: Mapping[str, Any]) -> str | None:
    """Name of the GPU that a run took memory of."""
    return next((one["gpu"] for one in (record.get("stages") or {}).values() if one.get("gpu")), None)


def _plugins(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        for name, facts in (record.get("plugins") or {}).items():
            text = f"{facts.get('distribution')} {facts.get('version') or ''} code {facts.get('code')}"
            if text not in found.setdefault(name, []):
                found[name].append(text)
    return [(name, "; ".join(texts)) for name, texts in found.items()]


def _run(record: Mapping[str, Any]) -> dict[str, Any]:
    error = record["error"] or {}
    return {
        "run": record["run_id"],
        "model": record["model"],
        "seed": record["seed"],
        "split": record["protocol"]["split_seed"],
        "started": record["started"][:19].replace("T", " "),
        "status": record["status"] + (f": {error.get('message')}" if error else ""),
    }
