"""Options: strict, typed, bounded, and errors that say what there is."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from logbench import ConfigError, EvaluationProtocol, option
from logbench.api.protocol import AS_BEFORE, Cut
from logbench.base.options import make, parse_settings, read_toml, suggest


@dataclass(frozen=True)
class Options:
    """One field of each sort."""

    count: int = option(3, "how many", ge=1)
    share: float = option(0.5, "how much", gt=0, le=1)
    limit: float | None = option(None, "at most", gt=0)
    fast: bool = option(False, "whether")
    mode: Literal["one-hot", "scalar"] = option("one-hot", "which")
    names: tuple[str, ...] = option((), "a list")
    sizes: tuple[int, ...] = option((1,), "numbers")


def made(**values: Any) -> Options:
    result: Options = make(Options, values, "thing")
    return result


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        ({}, "count", 3),
        ({"count": "9"}, "count", 9),
        ({"count": 9}, "count", 9),
        ({"share": "1"}, "share", 1.0),
        ({"share": "1e-3"}, "share", 0.001),
        ({"limit": "none"}, "limit", None),
        ({"limit": "None"}, "limit", None),
        ({"limit": "2"}, "limit", 2.0),
        ({"limit": None}, "limit", None),
        ({"fast": "true"}, "fast", True),
        ({"fast": "0"}, "fast", False),
        ({"fast": False}, "fast", False),
        ({"mode": "scalar"}, "mode", "scalar"),
        ({"names": "a, b,"}, "names", ("a", "b")),
        ({"names": ["a,b"]}, "names", ("a,b",)),
        ({"names": '["a{1,2}", "b"]'}, "names", ("a{1,2}", "b")),
        ({"names": "[0-9]+,[a-f]"}, "names", ("[0-9]+", "[a-f]")),
        ({"sizes": "2,3"}, "sizes", (2, 3)),
        ({"sizes": "[2, 3]"}, "sizes", (2, 3)),
    ],
)
def test_values_are_converted_by_type(values: dict[str, Any], field: str, expected: Any) -> None:
    found = getattr(made(**values), field)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"count": "many"}, "thing.count=many: .*how many"),
        ({"count": str(2**63)}, "thing.count=9223372036854775808: .* up to 9,223,372,036,854,775,807 alone"),
        ({"count": 10**5000}, r"thing.count=\(16,610 bits\)"),
        ({"sizes": f"1,{10**30}"}, "thing.sizes=1000"),
        ({"limit": "inf"}, "thing.limit=inf: a record keeps finite numbers alone"),
        ({"count": "1.5"}, "thing.count=1.5"),
        ({"count": 0}, "greater than or equal to 1"),
        ({"share": "0"}, "greater than 0"),
        ({"share": "1.01"}, "less than or equal to 1"),
        ({"share": "nan"}, "thing.share=nan"),
        ({"share": None}, "thing.share=None"),
        ({"limit": "-1"}, "greater than 0"),
        ({"fast": "perhaps"}, "thing.fast=perhaps"),
        ({"mode": "onehot"}, "'one-hot' or 'scalar'"),
        ({"sizes": "1,x"}, "thing.sizes"),
        ({"cuont": "1"}, "thing.cuont: no such option; did you mean 'count'"),
        ({"zzz": "1"}, "there is count, fast, limit, mode"),
    ],
)
def test_wrong_values_are_one_line(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        made(**values)
    assert "\n" not in str(raised.value)


def test_a_default_that_a_record_cannot_hold_is_one_line() -> None:
    """The values of an instance are defaults of its options."""
    config = make_dataclass("Config", [("x", int, option(2**63, "any"))])
    with pytest.raises(ConfigError, match=r"^here\.x=9223372036854775808: "):
        make(config, {}, "here")
    assert make(config, {"x": 2**63 - 1}, "here").x == 2**63 - 1


def test_without_options_any_option_is_wrong() -> None:
    assert make(None, {}, "plain") is None
    with pytest.raises(ConfigError, match=r"plain\.x: no such option"):
        make(None, {"x": "1"}, "plain")


def test_every_protocol_field_may_be_set_by_text() -> None:
    texts = {name: str(value) for name, value in EvaluationProtocol().as_dict().items() if name != "hash"}
    assert make(EvaluationProtocol, texts, "protocol") == EvaluationProtocol()


def test_the_protocols_hash_changes_with_any_field() -> None:
    other = {"train": "random", "train_units": 7, "train_ratio": 0.3, "content": "mixed", "split_seed": 1}
    other |= {"held_out": 0.2, "min_events": 4, "short": "miss", "unseen": "ignore", "threshold": "fixed"}
    other |= {"alpha": 0.1, "value": 9.0, "duplicates": "unique", "contamination": 0.0, "oracle_step": 0.01}
    other |= {"test_reserve": 5000.0, "label_noise": 0.2, "label_noise_kind": "anomaly_to_normal"}
    other |= {"label_budget": 0.5, "unstable": "swap", "unstable_dose": 0.5, "unstable_events": 0.5}
    other |= {"unstable_in": "both", "cut": "node", "test_label_noise": 0.1}
    sliced = {"slices": 3, "slice_units": 50, "without_update": "refit", "feedback_budget": 5, "feedback_delay": 9}
    other |= {"procedure": "prequential", **sliced}
    streamed = EvaluationProtocol(train="ratio", procedure="prequential", feedback_budget=3)
    other |= {"target_units": 5, "target_reserve": 5, "target_alone": True, "template_match": 0.5}
    usual = EvaluationProtocol()
    assert set(other) == set(usual.as_dict()) - {"hash"}
    hashes = []
    for name, value in other.items():
        base = EvaluationProtocol(content="labelled") if name in ("label_noise", "label_budget") else usual
        base = replace(base, train="ratio") if name in ("cut", "procedure") else base
        base = streamed if name in sliced else base
        base = replace(base, target_units=2) if name == "target_alone" else base
        hashes.append(replace(base, **{name: value}).digest)  # type: ignore[arg-type]
    assert len({usual.digest, *hashes}) == len(other) + 1
    assert EvaluationProtocol().digest == usual.digest == usual.as_dict()["hash"]


def test_the_protocols_hash_without_a_cut_is_that_of_before_there_was_one() -> None:
    ratio = EvaluationProtocol(train="ratio")
    fields = {name: value for name, value in ratio.as_dict().items() if name not in ("hash", *AS_BEFORE)}
    assert ratio.digest == hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
    assert len({replace(ratio, cut=cut).digest for cut in get_args(Cut)}) == len(get_args(Cut)) > 1


def test_settings_are_component_key_value() -> None:
    found = parse_settings(["deeplog.g=9", " deeplog.h = 5", "drain.masks=a=b.c", "deeplog.g=10"])
    assert found == {"deeplog": {"g": "10", "h": "5"}, "drain": {"masks": "a=b.c"}}


@pytest.mark.parametrize("text", ["g=9", "deeplog.g", "deeplog.=9", ".g=9", "=", ""])
def test_other_settings_are_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected component\.key=value"):
        parse_settings([text])


def test_toml_is_tables(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[deeplog]\ng = 9\n[protocol]\nshort = "drop"\n', encoding="utf-8")
    assert read_toml(path) == {"deeplog": {"g": 9}, "protocol": {"short": "drop"}}


@pytest.mark.parametrize("content", [b"g = 9", b"[x", b'[x]\na = "\xff"', None])
def test_other_files_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml") as raised:
        read_toml(path)
    assert "\n" not in str(raised.value)


def test_suggestions() -> None:
    assert suggest("deplog", ["deeplog", "x"]) == "; did you mean 'deeplog'?"
    assert suggest("q", ["b", "a"]) == "; there is a, b"
    assert suggest("q", []) == ""


VALUES = (
    *(True, 0, 1, 3, 1.0, 0.5, math.inf, -math.inf, math.nan, None, "a", "auto", "nan", "inf", "true", "0"),
    *((1, 2), (1, True), (1.0, 2), ("a", "b"), ("a", 1), (), "3", "-3", "007", "3.0", "0.1", "1e3", "1e-7", "1E3"),
    *("+3", " 3", "1_0", "1e400", "9" * 17, "9" * 30, ".5", "5.", "\N{ARABIC-INDIC DIGIT THREE}"),
    *("0.30000000000000004", "-0", "-0.0"),
)


@pytest.mark.parametrize(
    "hint",
    [bool, int, float, str, int | None, float | None, str | None, int | Literal["auto"], Literal["a", "none"],
     Literal[1, 2], tuple[int, ...], tuple[str, ...], tuple[float, ...] | None, float | str],
)  # fmt: skip
@pytest.mark.parametrize("ge", [None, 1])
def test_every_value_is_what_pydantic_makes_of_it(hint: Any, ge: float | None) -> None:
    """Right values are taken over without it; none may pass, or keep a type, that it would not.

    Numbers that a record cannot hold are refused.
    """
    bounded = hint in (int, float, int | None, float | None)
    field: Any = option(None, "any", ge=ge if bounded else None)
    config = make_dataclass("Config", [("x", hint, field)])
    adapter: Any = TypeAdapter(Annotated[hint, Field(ge=ge)] if bounded and ge else hint)
    for value in VALUES:
        if isinstance(value, str) and get_origin(hint) is tuple:
            continue  # a text is split at commas first
        try:
            wanted = adapter.validate_python(value)
            if isinstance(wanted, int | float) and (
                not math.isfinite(wanted) or (isinstance(wanted, int) and abs(wanted) >= 2**63)
            ):
                raise OverflowError
        except (ValidationError, OverflowError):
            with pytest.raises(ConfigError, match=r"^here\.x="):
                make(config, {"x": value}, "here")
            continue
        assert repr(make(config, {"x": value}, "here").x) == repr(wanted), value
