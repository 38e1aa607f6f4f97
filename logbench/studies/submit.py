"""Pack a model into one file for a maintainer to judge."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from ..api.components import ModelComponent
from ..base.code_digests import module_of
from ..base.code_files import closure, files_of, located
from ..base.errors import ConfigError
from ..base.jsonable import to_jsonable
from ..components.configured import ConfiguredComponent
from ..components.model_cards import card_of
from ..components.submissions import CODE, FACTS, Submission

# Distribution whose models are judged by name, and the time of every file: the same bytes on another day.
OWN, MOMENT = "logbench-harness", (1980, 1, 1, 0, 0, 0)


def pack(part: ConfiguredComponent[ModelComponent[Any]]) -> tuple[Submission, bytes]:
    """A model as one file: the same bytes for the same code and options.

    Raises:
        ConfigError: it is a combination, comes with logbench, or its code is not known.
    """
    item, plugin = part.entry.item, part.entry.plugin
    if part.entry.members:
        raise ConfigError(f"{item.name} is a combination: submit one model, or a plugin that combines")
    files, address, libraries = _code_of(part)
    card = card_of(item)
    facts = Submission(
        name=item.name,
        address=f"{CODE}/{address}",
        options=to_jsonable(part.as_dict()),
        traits=_traits(part),
        requires=item.requires,
        libraries=libraries,
        card=None if card is None else to_jsonable(dataclasses.asdict(card)),
        files={name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        summary=item.summary,
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(dataclasses.asdict(facts), indent=1, sort_keys=True) + "\n"
        archive.writestr(zipfile.ZipInfo(FACTS, MOMENT), text)
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(f"{CODE}/{name}", MOMENT), files[name])
    if not files:
        raise ConfigError(f"{item.name}: no code of plugin {plugin} was found to pack")
    return facts, out.getvalue()


def _code_of(part: ConfiguredComponent[Any]) -> tuple[dict[str, bytes], str, dict[str, str]]:
    """Files by name, the address below them, and the libraries that they import."""
    plugin = part.entry.plugin
    if plugin.place:
        file, _, name = plugin.place.rpartition(":")
        files = {one: path.read_bytes() for one, path in files_of(Path(file)).items()}
        return files, f"{Path(file).name}:{name}", {}
    module = module_of(plugin.load())
    found = None if module is None else located(module.__name__)
    if module is None or found is None or plugin.distribution == OWN:
        raise ConfigError(
            f"{part.name} comes with logbench or has no file: judge it by name, logbench judge {part.name}"
        )
    parts = closure(found, plugin.distribution)
    files = {(name if found.path.is_dir() else path.name): path.read_bytes() for name, path in parts.files.items()}
    shim = f'"""Offers what {module.__name__} does."""\n\nfrom {module.__name__} import logbench_models\n'
    files["submitted.py"] = shim.encode()
    return files, f"submitted.py:{part.name}", dict(parts.libraries)


def _traits(part: ConfiguredComponent[ModelComponent[Any]]) -> dict[str, Any]:
    traits, card = part.entry.item.traits, card_of(part.entry.item)
    known = {each.name: getattr(traits, each.name) for each in dataclasses.fields(traits)}
    known |= {"min_events": part.min_events, "fixed_threshold": part.fixed_threshold, "expected_failures": {}}
    known["public_text"] = traits.public_text or (card is not None and card.seen_public_text)
    if callable(known["keys_only"]):
        known["keys_only"] = bool(known["keys_only"](part.config))
    return {**known, "needs": sorted(known["needs"]), "wants": sorted(known["wants"])}
