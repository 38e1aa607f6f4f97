"""Times read with fractions and zones written into the format are those that the format itself gives."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from logbench import LineFormat
from logbench.reading.line_times import time_of
from logbench.reading.time_texts import _as_it_is, _fixed, chrono, moment, needed
from logbench_ownlogs.named import named, names

FORMATS = sorted({how for name in names() for how in named(name).values.get("time_format", ()) if "%" in how})
ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%d %H:%M:%S%.f %Z")
SIGNS = "0123456789-:.,/ TZ+%aé"


def written(rng: random.Random, how: str) -> str:
    """A time as a format writes it, fraction and zone as logs do."""
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(10**9))
    fraction = "".join(rng.choices("0123456789", k=rng.choice((3, 3, 3, 6, 1, 9))))
    text = re.sub(r"%\.f", rng.choice((f".{fraction}", f".{fraction}", "")), how)
    text = re.sub(r"(?<=[^\w%])%f", fraction, text)
    zone = rng.choice(
        ("Z", "+00:00", "+0530", "-08:00", "+99:99") if "%#z" in how else ("+0000", "-0730", "+1400")
    )
    text = re.sub("%#?z", zone, text)
    return moment.strftime(text.replace("%Z", rng.choice(("UTC", "CET", "PST", "+0100"))))


def damaged(rng: random.Random, text: str) -> str | None:
    if rng.random() < 0.1:
        return None
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(("", *SIGNS)) + text[at + rng.choice((0, 1)) :]


@pytest.mark.parametrize("how", [*FORMATS, *ZONED])
def test_they_are_those_of_the_format(how: str) -> None:
    rng = random.Random(how)
    whole = how if any(day in how for day in ("%d", "%e")) else f"%m-%d {how}"
    whole = whole if "%Y" in whole or "%y" in whole else f"%Y {whole}"
    for _ in range(6):
        shown = [written(rng, whole) for _ in range(3)]
        texts = [*(rng.choice(shown) for _ in range(40)), *(written(rng, whole) for _ in range(60))]
        mixed = [damaged(rng, text) if rng.random() < 0.5 else text for text in texts]
        frame = pl.DataFrame({"text": rng.choice((texts, mixed))}, schema={"text": pl.String})
        found = frame.select(fast=moment(pl.col("text"), whole), slow=_as_it_is(pl.col("text"), whole))
        differ = frame.filter(~found["fast"].eq_missing(found["slow"]))
        assert found["fast"].dtype == pl.Datetime("us") and not len(differ), (chrono(whole), differ.rows()[:5])


def test_most_are_read_by_a_format_of_one_length() -> None:
    assert _fixed(ZONED[0], "2026-03-01T08:00:04.667Z") == ("%Y-%m-%dT%H:%M:%S.%3fZ", timedelta())
    assert _fixed(ZONED[0], "2026-03-01T08:00:04-08:30") == ("%Y-%m-%dT%H:%M:%S-08:30", -timedelta(hours=8.5))
    assert _fixed(ZONED[2], "2026-03-01 08:00:04,667123") == ("%Y-%m-%d %H:%M:%S,%6f", timedelta())
    assert _fixed("%y-%m-%d %z", "26-03-01 +0000") is None and _fixed(ZONED[2], "2026-03-01 08:00:04") is None


def test_zones_are_those_of_python() -> None:
    texts = [
        f"2026-03-{day:02}T00:{day:02}:00.25{day % 10}{sign}0{day % 10}:30"
        for day in range(1, 29)
        for sign in "+-"
    ]
    for begin in (0, 1):  # zones come in another order
        asked = texts[begin:] * 2
        expected = [datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) for text in asked]
        frame = pl.DataFrame({"text": asked}).select(moment(pl.col("text"), ZONED[0]))
        assert frame.to_series().to_list() == expected


@pytest.mark.parametrize(
    ("how", "usual", "odd"),
    [
        ("%Y-%m-%d %H:%M:%S %f", "2026-03-01 18:44:03 063", "2026-03-01 18:44:03063"),
        ("%Y-%m-%d %H:%M:%S:%f", "2026-03-01 18:44:03:063", "2026-03-01 18:\n44:03:063"),
    ],
)
def test_an_odd_text_reads_alike_among_few_and_many(how: str, usual: str, odd: str) -> None:
    many = pl.DataFrame({"text": [*[usual] * 100, odd]})
    few, all_ = (some.select(moment(pl.col("text"), how)).to_series() for some in (many[-1:], many))
    assert few.to_list() == all_[-1:].to_list() and not all_[:-1].null_count()


MANY = named("log4j").values["time_format"]
WRITTEN = (
    "2026-03-01 08:00:04,667", "2026-03-01 08:00:04.5", "2026-03-01T08:00:04.1Z", "2026-03-01T08:00:04",
    "26/03/01 08:00:04", "260301 080004", "-", "", None, "2026/03/01", "no time", "2026-03-01 08:00:04,667 ",
)  # fmt: skip


@pytest.mark.parametrize("first", range(len(WRITTEN)))
def test_each_time_is_that_of_the_first_format_that_reads_it(first: int) -> None:
    """Whatever stands first: a format whose signs it lacks is not tried on texts that lack them, too."""
    texts = [WRITTEN[first]] * 3 + [text for text in WRITTEN for _ in range(2)]
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    found = frame.select(time_of(LineFormat(time=("t",), time_format=tuple(MANY)), lambda _: pl.col("text")))
    expected = []
    for text in texts:
        alone = pl.DataFrame({"text": pl.Series([text], dtype=pl.String)})
        read = (alone.select(moment(pl.col("text"), how)).item() for how in MANY)
        expected.append(next((time for time in read if time is not None), None))
    assert found.to_series().to_list() == expected
    assert sum(time is not None for time in expected[3:]) == 12


@pytest.mark.parametrize("how", [how for how in FORMATS if needed(how)])
def test_no_text_without_a_needed_sign_is_read(how: str) -> None:
    rng, sign = random.Random(how), needed(how)
    whole = how if any(day in how for day in ("%d", "%e")) else f"%m %d {how}"
    whole = whole if "%Y" in whole or "%y" in whole else f"%Y {whole}"
    shown = whole.replace("%.f", ".%f").replace("%#z", "%z").replace("%e", "%d")
    usual = datetime(2026, 3, 11, 18, 5, 7, 250_000, tzinfo=UTC).strftime(shown)
    texts = [usual.replace(sign, put) for put in ("", " ", ".", "+", "\u2010", "0")]
    texts += ["".join(rng.sample(text, len(text))) for text in texts for _ in range(5)]
    read = pl.DataFrame({"text": [usual, *texts]}).select(moment(pl.col("text"), whole)).to_series()
    assert sign in usual and read.is_not_null().to_list() == [True, *[False] * len(texts)]
