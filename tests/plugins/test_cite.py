"""What to cite: cards name works, formats are read by their readers, the sentence says what the record says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_records import PROTOCOL

import logbench
from logbench import Card, StoredRuns, Work
from logbench.components.entry import installed
from logbench.components.model_cards import card_of
from logbench.components.registry import Registry
from logbench_reporters.cite import formats, works
from logbench_reporters.cite.sentence import CONTENT, DUPLICATES, SHORT, TRAIN, UNSEEN, sentence
from logbench_reporters.report.provenance import provenance
from logbench_reporters.report.study import Study

ROOT = Path(__file__).parents[2]
REGISTRY = Registry([one for one in installed() if one.distribution == "logbench-harness"])
CITED = {
    f"{kind} {name}": card
    for kind in ("dataset", "model")
    for name, entry in REGISTRY.offered(kind).items()  # type: ignore[arg-type]
    if (card := entry.item.card if kind == "dataset" else card_of(entry.item))
}
EVERY = list({work.key: work for card in CITED.values() for work in card.cite}.values())
HOSTILE = Work(
    key="a b}{,", title="50% of {a} & b_c\\d $x$ #1", author=("O'Neil, Ann & Co", "The {Group}"), year=2020,
    venue="Proc. {of} x_y", doi="10.1/a_b", url="https://x.org/a_b%20c?d={e}&f", note="a \" quote", version="1",
)  # fmt: skip


def test_cards_name_works_and_agree_on_them() -> None:
    without = {name for name, card in CITED.items() if not card.cite}
    ours = {f"model {name}" for name in ("predict-all", "predict-none", "random")}
    assert without == {"dataset drift-sim", "dataset hdfs-sim"} | ours, (
        "the generators', and what knows nothing of logs"
    )
    known: dict[str, Work] = {}
    for card in CITED.values():
        for work in card.cite:
            assert known.setdefault(work.key, work) == work, f"two cards say otherwise of {work.key}"
    assert len({work.title for work in EVERY}) == len(EVERY)
    dois = [work.doi for work in EVERY if work.doi]
    assert len(set(dois)) == len(dois) and all(re.fullmatch(r"10\.\d{4,}/\S+", doi) for doi in dois)
    assert all(work.doi or work.url or work.key == "ye2000markov" for work in EVERY)


@pytest.mark.parametrize("name", [name for name, card in CITED.items() if card.cite])
def test_a_card_s_words_and_its_works_are_of_the_same_people(name: str) -> None:
    card: Any = CITED[name]
    words = card.citation if name.startswith("dataset") else card.source
    people = {author.partition(",")[0] for work in card.cite for author in work.author}
    named = [word for word in re.findall(r"[^\W\d_]+", words) if word in people]
    assert named or card.cite[0].key == "awsctd", f"{words} names none of {sorted(people)}"
    if name.startswith("model") and "doi.org/" in card.url:
        assert card.url.partition("doi.org/")[2] in {work.doi for work in card.cite}


def test_what_is_said_of_logbench_is_its_citation_file() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (said["title"], said["license"]) == (works.TITLE, works.LICENCE)
    assert [*works.AUTHORS] == [author["name"] for author in said["authors"]]


def entries(text: str) -> dict[str, dict[str, str]]:
    """Entries of BibTeX by key, read by counting braces."""
    found = {}
    for kind, key, body in re.findall(r"^@(\w+)\{([^,\s]+),\n(.*?)\n\}$", text, re.M | re.S):
        fields = dict(re.findall(r"^  (\w+) *= \{(.*)\},?$", body, re.M))
        for value in fields.values():
            depth = 0
            for sign in re.sub(r"\\.", "", value):
                depth += {"{": 1, "}": -1}.get(sign, 0)
                assert depth >= 0, value
            assert depth == 0, value
        found[key] = {"": kind, **fields}
    return found


def test_bibtex_has_every_work_and_survives_any_sign() -> None:
    found = entries(formats.bibtex([*EVERY, HOSTILE]))
    assert len(found) == len(EVERY) + 1
    deeplog = found["du2017deeplog"]
    assert deeplog[""] == "inproceedings" and deeplog["pages"] == "1285--1298"
    assert deeplog["author"] == "Du, Min and Li, Feifei and Zheng, Guineng and Srikumar, Vivek"
    assert found["yang2024try"]["author"] == "Yang, Lin and others"
    hostile = found["a_b___"]
    assert hostile["title"] == r"{50\% of \{a\} \& b\_c\textbackslash{}d \$x\$ \#1}"
    assert hostile["doi"] == "10.1/a_b" and hostile["url"] == "https://x.org/a_b%20c?d=e&f"
    assert hostile["author"] == r"O'Neil, Ann \& Co and {The \{Group\}}"


def test_bibtex_is_read_by_another_program() -> None:
    database = pytest.importorskip("pybtex.database", reason="pybtex is not installed: tox -e tracking")
    read = database.parse_string(formats.bibtex([*EVERY, HOSTILE]), "bibtex")
    assert [*read.entries] == [*(work.key for work in EVERY), "a_b___"]
    for work in EVERY:
        entry = read.entries[work.key]
        families = [" ".join(person.last_names) for person in entry.persons.get("author", ())]
        assert families == [name.partition(",")[0] for name in work.author]
        assert entry.fields["title"].strip("{}") == work.title.replace("&", r"\&")


def test_apa_is_that_of_its_manual() -> None:
    du = next(work for work in EVERY if work.key == "du2017deeplog")
    assert formats.apa([du]) == (
        "Du, M., Li, F., Zheng, G., & Srikumar, V. (2017). DeepLog: Anomaly Detection and Diagnosis from System "
        "Logs through Deep Learning. ACM SIGSAC Conference on Computer and Communications Security (CCS), "
        "1285–1298. https://doi.org/10.1145/3133956.3134015"
    )
    single = Work(key="a", title="T", author=("Lou, Jian-Guang",), year=2010, version="2", kind="software")
    assert formats.apa([single]) == "Lou, J.-G. (2010). T (Version 2) [Computer software]."
    assert formats.apa([Work(key="a", title="T", author=("Yu, A", "others"), year=1)]) == "Yu, A., et al. (1). T."
    assert formats.apa([Work(key="a", title="T", kind="data", url="u")]) == "T [Data set]. (n.d.). u"


def test_cff_is_yaml_with_every_work() -> None:
    own = Work(key="logbench", kind="software", author=("logbench maintainers",), title="T", version="1")
    read = yaml.safe_load(formats.cff([own, *EVERY, HOSTILE]))
    assert {"cff-version", "message", "title", "authors"} <= read.keys() and read["version"] == "1"
    assert len(read["references"]) == len(EVERY) + 1
    for work, one in zip([*EVERY, HOSTILE], read["references"], strict=True):
        assert one["title"] == work.title and one["type"] and one["authors"]
        assert one.get("doi", "") == work.doi and one.get("year", 0) == work.year
    people = next(one for one in read["references"] if "DeepLog" in one["title"])["authors"]
    assert people[0] == {"family-names": "Du", "given-names": "Min"}


def test_the_sentence_knows_every_choice_of_the_protocol() -> None:
    from typing import get_args, get_type_hints

    hints = get_type_hints(logbench.EvaluationProtocol)
    tables = {"train": TRAIN, "content": CONTENT, "short": SHORT, "unseen": UNSEEN, "duplicates": DUPLICATES}
    for name, table in tables.items():
        assert table.keys() == {*get_args(hints[name])}, name


def run_of(model: str, **fields: Any) -> dict[str, Any]:
    protocol = {"content": "normal", "unseen": "target", "alpha": 0.005, **PROTOCOL, **fields.pop("protocol", {})}
    return {
        "model": model, "status": "ok", "baseline": False, "stochastic": True, "seed": 0, "protocol": protocol,
        "dataset": {"name": "hdfs", "digest": "0123456789abcdef", "unit": "session"},
        "source": {"version": "0.1.0"},
        "split": {"train": 4370, "held_out": 485, "test": 570206}, "counts": {"short_limit": 11},
        "threshold": {"source": "validation", "held_out": 485}, **fields,
    }  # fmt: skip


def test_the_sentence_says_what_the_record_says() -> None:
    runs = [run_of("deeplog", seed=seed) for seed in (0, 1)]
    rule = run_of("new-event", stochastic=False, threshold={"source": "rule"})
    assert sentence(runs) == (
        "deeplog was run with logbench 0.1.0 on hdfs (SHA-256 0123456789ab): 4,855 normal sessions trained, the "
        "first ones in time (485 of them held out), and 570,206 sessions were tested; sessions of fewer than 11 "
        "events raise an alarm; keys that training lacks raise an alarm where the model meets one; the threshold "
        "is from 485 held-out units without labels (alpha 0.005); every session counts; seeds 0 and 1, split seed "
        "0; protocol 0000000000000000."
    )
    both = sentence([*runs, rule])
    assert both.startswith("deeplog and new-event were run")
    assert "without labels (alpha 0.005) (deeplog)" in both and "yes or no by itself (new-event)" in both
    fixed = run_of("edit", protocol={"threshold": "fixed", "value": 0.25}, threshold={"source": "fixed"})
    fixed["counts"] = {"short_limit": 1}
    assert "; the threshold is 0.25; " in sentence([fixed]) and "fewer" not in sentence([fixed])
    odd = {"threshold": "oracle", "contamination": 0.02, "duplicates": "unique", "short": "drop"}
    split = {"train": 90, "held_out": 10, "test": 5, "training_anomalies": 2}
    said = sentence([run_of("pca", protocol=odd, threshold={"source": "oracle"}, split=split)])
    assert (
        "100 normal sessions trained" in said and "; 2 unlabelled anomalies were among those that trained" in said
    )
    assert "test labels (oracle)" in said and "contamination 0.02" in said and "left out of the metrics" in said
    assert "each distinct pair of key sequence and label counts once" in said


def test_a_data_set_that_says_its_citation_in_words_is_cited_all_the_same() -> None:
    words = Card(title="Ours", label="l", parser="p", windower="w", protocol="p", layout="l", citation="We, 2024")

    class Runs:
        def card(self, record: Any) -> Any:
            return words

        def model_cards(self, record: Any) -> Any:
            return []

    runs: Any = Runs()
    found, notes = works.works_of([run_of("mine")], runs)
    assert [work.key for work in found] == ["logbench", "hdfs"] and found[1].note == "We, 2024"
    assert notes == ["model mine: it has no card, or is not installed here"]


def test_the_command_prints_works_and_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_logbench: Callable[..., Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    small: Any = {"dataset": {"blocks": 600}, "protocol": {"train_units": 200}}
    logbench.run("new-event+length", dataset="hdfs-sim", settings=small)
    logbench.run("pca", dataset="hdfs-sim", settings={**small, "protocol": {"train_units": 201}})
    done = run_logbench("cite", "last~1")
    assert done.code == 0 and [*entries(done.out)] == ["logbench", "landauer2024critical"]
    assert "\n% new-event+length was run with logbench " in done.out
    assert done.err == "data set hdfs-sim: generated by logbench\n"
    found = json.loads(run_logbench("cite", "last", "--json").out)
    assert [work["key"] for work in found["works"]] == ["logbench", "xu2009detecting", "he2016experience"]
    runs = StoredRuns("runs")
    page = provenance(Study([runs.find("last~1")], "f1", runs))
    assert done.out == f"{page['bibtex']}\n\n% {page['protocol']}\n", "the report says the same"
    unlike = run_logbench("cite", "last", "last~1")
    assert unlike.code == 2 and "several data sets or protocols" in unlike.err
