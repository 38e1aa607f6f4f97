"""The secret of a maintainer: which units are sealed, and signatures that anybody can check.

One secret of 32 bytes serves both: HMAC-SHA256 of it by purpose gives the key that seals, and the seed of an
Ed25519 key (RFC 8032).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DataError
from .regular_files import read_text

EXTRA = "signatures need cryptography: pip install 'logbench-harness[seal]'"
LETTERS, PUBLIC_LETTERS = 64, 64


@dataclass(frozen=True, repr=False)
class MaintainerKey:
    """A secret key; nothing shows it.

    Attributes:
        secret: 32 bytes.
    """

    secret: bytes

    @property
    def public(self) -> str:
        """The key that checks signatures, 64 hex digits."""
        return str(self._signer().public_key().public_bytes_raw().hex())

    def is_sealed(self, unit: str, share: float) -> bool:
        """Whether a unit is among the `share` (0 to 1) of units that only the key tells."""
        number = int.from_bytes(hmac.digest(self._purpose(b"seal"), unit.encode(), "sha256")[:8], "big")
        return number < share * 2**64

    def sign(self, value: Mapping[str, Any]) -> str:
        """Signature of a JSON object, 128 hex digits."""
        return str(self._signer().sign(canonical(value)).hex())

    def _purpose(self, name: bytes) -> bytes:
        return hmac.digest(self.secret, b"logbench " + name, "sha256")

    def _signer(self) -> Any:
        return _ed25519().Ed25519PrivateKey.from_private_bytes(self._purpose(b"sign"))


def make_key(path: Path) -> MaintainerKey:
    """Write a new key that only its owner may read.

    Raises:
        DataError: the file is there, or cannot be written.
    """
    _ed25519()
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as file:
            file.write(f"{secrets.token_hex(LETTERS // 2)}\n")
    except OSError as error:
        raise DataError(f"{path}: cannot write the key: {error.strerror or error}") from None
    return read_key(path)


def read_key(path: Path) -> MaintainerKey:
    """The key in a file.

    Raises:
        DataError: there is none, it is none, or others than its owner may read it.
    """
    try:
        mode, text = path.stat().st_mode, read_text(path).strip()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no key to read: {getattr(error, 'strerror', None) or error}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise DataError(f"{path}: others may read this key; chmod 600 {path}")
    return MaintainerKey(_bytes_of(text, f"{path}: no key, which is {LETTERS} hex digits"))


def fingerprint(public: str) -> str:
    """16 hex digits that tell a public key."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def is_signed(value: Mapping[str, Any], public: str, signature: str) -> bool:
    """Whether the owner of a public key signed this JSON object.

    Raises:
        DataError: the package that tells is not installed.
    """
    ed25519 = _ed25519()
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), canonical(value))
    except Exception:  # texts that are no hex digits, or of another length, are no signature
        return False
    return True


def canonical(value: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes that do not depend on the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _bytes_of(text: str, wrong: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        raise DataError(wrong) from None
    if len(found) != LETTERS // 2:
        raise DataError(wrong)
    return found


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise DataError(EXTRA) from None
    return ed25519
