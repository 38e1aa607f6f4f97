"""Sign a record of a sealed part, and see whether one is as it was signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..base.errors import DataError
from ..base.maintainer_key import MaintainerKey, fingerprint, is_signed
from .stored import OWN


def signed(record: Mapping[str, Any], key: MaintainerKey) -> dict[str, Any]:
    """The record with a signature in its section `sealed`.

    Args:
        record: JSON values, with the checksums of its artifacts.
    """
    sealed = {**record["sealed"], "key": key.public, "fingerprint": fingerprint(key.public)}
    made = {**record, "sealed": sealed}
    return {**made, "sealed": {**sealed, "signature": key.sign(_body(made))}}


def signature_fault(record: Mapping[str, Any], trusted: Collection[str] = ()) -> str:
    """Why the signature of a record of a sealed part is none; empty if it holds.

    Args:
        record: as it stands in its file. trusted: public keys or fingerprints of maintainers; empty: any signs.

    Raises:
        DataError: the package that tells is not installed.
    """
    sealed = record.get("sealed")
    if not isinstance(sealed, Mapping) or not isinstance(key := sealed.get("key"), str):
        return "sealed.key is missing"
    if not isinstance(signature := sealed.get("signature"), str) or not is_signed(_body(record), key, signature):
        return "the record is not as it was signed"
    if sealed.get("fingerprint") != fingerprint(key):
        return "sealed.fingerprint is not that of sealed.key"
    if trusted and not {key, fingerprint(key)} & set(trusted):
        return f"signed by {fingerprint(key)}, which is no key of a maintainer"
    return ""


def signed_by(record: Mapping[str, Any]) -> str:
    """Fingerprint of the key that signed a record of a sealed part; empty where none did, or none can tell here.

    Whose key it is, only a list of maintainers tells: `logbench check-records --signer`.

    Args:
        record: as it stands in its file.
    """
    try:
        fault = signature_fault(record)
    except DataError:  # the package that tells is not installed
        return ""
    return "" if fault else str(record["sealed"]["fingerprint"])


def _body(record: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed: all but the signature, and but the record's checksum of itself."""
    sealed = {name: one for name, one in record["sealed"].items() if name != "signature"}
    sums = {name: one for name, one in (record.get("checksums") or {}).items() if name != OWN}
    return {**record, "sealed": sealed, "checksums": sums}
