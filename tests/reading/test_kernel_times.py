"""Times that the compiled kernel reads, held against polars on texts as logs write them and on damaged ones."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import polars as pl
import pytest
from built_kernel import built_kernel

from logbench.base.kernel import VARIABLE, kernel
from logbench.base.kernel_times import times
from logbench.base.time_layouts import layout
from logbench.data.line_format import LineFormat
from logbench.reading.line_times import Calendar, time_of

WHOLE = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%.f", "%y%m%d %H%M%S",
    "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y%m%d-%H:%M:%S:%f", "%a %b %d %H:%M:%S %Y",
    "%d/%b/%Y:%H:%M:%S %z", "%y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%b %e %Y %H:%M:%S",
    "%d.%m.%Y %H.%M.%S:%f", "%Y.%m.%d %H:%M:%S,%f",
)  # fmt: skip
NO_YEAR = ("%b %d %H:%M:%S", "%b %e %H:%M:%S", "%m-%d %H:%M:%S.%f", "%m.%d %H:%M:%S", "%a %b %d %H:%M:%S")
NO_DAY = ("%H:%M:%S", "%H:%M:%S.%f")
EPOCHS = ("epoch", "epoch_ms", "epoch_us")
SIGNS = "0123456789 :-+.,/TZabJn%é"


def written(how: str, rng: random.Random) -> str:
    """A time by the format, as logs write it in one way or another."""
    moment = datetime(1995, 1, 1) + timedelta(microseconds=rng.randrange(60 * 365 * 86_400 * 10**6))
    if how in EPOCHS:
        return str(int(moment.timestamp() * {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6}[how]))
    part = f"{moment.microsecond * 1000 + rng.randrange(1000):09}"[: rng.choice([1, 3, 3, 6, 6, 7, 9, 9])]
    text = how.replace("%.f", rng.choice(["", f".{part}"])).replace("%f", part)
    text = text.replace("%#z", rng.choice(["Z", "+01:00", "-0530"])).replace("%z", rng.choice(["+0100", "-05:30"]))
    text = moment.strftime(text)
    return text if rng.random() < 0.8 else text.replace("0", "", 1)


def damaged(text: str, rng: random.Random) -> str:
    at = rng.randint(0, len(text))
    match rng.randint(0, 4):
        case 0:
            return text[:at] + rng.choice(SIGNS) + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + rng.choice(SIGNS) + text[at + 1 :]
        case 3:
            return rng.choice([text.swapcase(), f" {text}", f"{text} ", text[:at], "", "-"])
        case _:
            return "".join(
                rng.choice("0123456789") if sign.isdigit() and rng.random() < 0.3 else sign for sign in text
            )


def texts_of(how: str) -> pl.Series:
    """Texts by the format, and damaged ones."""
    rng = random.Random(how)
    texts = [written(how, rng) for _ in range(400)]
    texts += [damaged(rng.choice(texts), rng) for _ in range(1200)]
    others = [written(other, rng) for other in (*WHOLE, *NO_YEAR) for _ in range(8)]
    return pl.Series([*texts, *others, texts[0], None, texts[0], texts[0]])


@pytest.fixture
def with_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(built_kernel()))


@pytest.mark.parametrize("how", [*WHOLE, *NO_YEAR, *NO_DAY, *EPOCHS])
def test_times_are_those_that_polars_reads(how: str, with_kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    form = LineFormat(
        time=("T",), time_format=(how,), year=2023 * (how in NO_YEAR), date="2024-02-29" if how in NO_DAY else ""
    )
    frame = texts_of(how).to_frame("T")

    def read() -> pl.Series:
        found = frame.select(time_of(form, pl.col).alias("time"))["time"]
        return Calendar(form).complete(found)

    by_kernel = read()
    monkeypatch.setenv(VARIABLE, "off")
    by_polars = read()
    wrong = frame.filter(by_kernel.ne_missing(by_polars))["T"]
    assert not len(wrong), f"{how}: {wrong.to_list()[:5]}"


@pytest.mark.parametrize("how", [*WHOLE, *NO_YEAR, *NO_DAY, *EPOCHS])
def test_the_kernel_reads_what_logs_write_itself(how: str, with_kernel: None) -> None:
    found, rng = kernel(), random.Random(1)
    steps = layout(how, "Y" if how in NO_YEAR else "Ymd" if how in NO_DAY else "")
    assert found is not None and steps is not None
    texts = [written(how, rng) for _ in range(200)]
    if "%a" in how and how in NO_YEAR:  # year 4 has other days of the week
        return
    _, told = times(found, pl.Series(texts), steps, 4)
    assert (told == 1).mean() > 0.7


@pytest.mark.parametrize(
    "how",
    ["%I:%M:%S %p", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%s", "%H:%M:%S:%f %z", "%Y %Y", "é%H", "", "epoch_ns",
     "%b %e%Y %H:%M:%S", "%Y%m%d.%f%H%M%S", "%Y%m%d%.f%H%M%S"],
)  # fmt: skip
def test_other_formats_are_left_to_polars(how: str) -> None:
    assert layout(how) is None


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("%b %e%Y %H:%M:%S", "Jun  61964 03:00:29"),  # day 61
        ("%Y%m%d.%f%H%M%S", "20110113.74286201217"),
        ("%Y%m%d%.f%H%M%S", "20110113.742862012170"),
    ],
)
def test_where_a_number_ends_is_left_to_polars(how: str, text: str, with_kernel: None) -> None:
    form = LineFormat(time=("T",), time_format=(how,))
    assert pl.DataFrame({"T": [text]}).select(time_of(form, pl.col)).to_series().to_list() == [None]


@pytest.mark.parametrize(
    ("how", "text", "time"),
    [
        ("%d.%m.%Y %H.%M.%S:%f", "24.12.2008 10.11:12", datetime(2008, 12, 24, 10, 11, 12)),
        ("%Y.%m.%d %H:%M:%S,%f", "2008.12,24 10:11:12", datetime(2008, 12, 24, 10, 11, 12)),
    ],
)
def test_a_sign_that_polars_takes_for_a_point_is_no_damage(
    how: str, text: str, time: datetime, with_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fraction may begin with `,` or `:`, so the last such sign of a text may stand for a point."""
    form, frame = LineFormat(time=("T",), time_format=(how,)), pl.DataFrame({"T": [text]})
    assert frame.select(time_of(form, pl.col)).to_series().to_list() == [time]
    monkeypatch.setenv(VARIABLE, "off")
    assert frame.select(time_of(form, pl.col)).to_series().to_list() == [time]
