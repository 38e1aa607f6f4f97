"""Logs in many formats, each with an incident in one of about 200 units, to be found by a path alone."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

UTC = dt.UTC
START = dt.datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """What a format renders; `unit` is the job that it belongs to."""

    time: dt.datetime
    level: str
    component: str
    text: str
    unit: str


@dataclass(frozen=True)
class Planted:
    """A log and what tells its incident: a part of the unit's name, or the times that it lies between."""

    name: str
    text: str
    unit: str = ""
    begin: dt.datetime = START
    end: dt.datetime = START


def jobs(rng: random.Random, bad: str, kind: str, count: int = 200) -> list[Event]:
    """Jobs of some steps that overlap in time, one of which goes wrong."""
    events = []
    for number in range(count):
        unit = f"job-{number:05}"
        now = START + dt.timedelta(seconds=20 * number + rng.random() * 10)
        texts = [("INFO", f"accepted {unit} from client {rng.randrange(99)}")]
        texts += [("INFO", f"step {k} of {unit} took {rng.randrange(900)} ms") for k in range(rng.randrange(2, 5))]
        if rng.random() < 0.1:
            texts.append(("WARN", f"retry {unit} after {rng.randrange(9)} s"))
        texts += [("INFO", f"stored {unit}"), ("INFO", f"finished {unit} in {rng.randrange(99)} s")]
        if unit == bad:
            texts = {
                "lost": [*texts[:-2], ("ERROR", f"lost worker of {unit}: no route to host")],
                "unfinished": texts[:-2],
                "loop": [*texts[:-2], *[("WARN", f"retry {unit} after {k} s") for k in range(9)], *texts[-2:]],
                "swapped": [texts[-1], *texts[1:-1], texts[0]],
            }[kind]
        for level, text in texts:
            now += dt.timedelta(seconds=rng.random() * 20)
            events.append(Event(now, level, "shop.orders", text, unit))
    return sorted(events, key=lambda one: one.time)


def service(rng: random.Random, burst: list[tuple[str, str, str]], at: int, minutes: int = 200) -> list[Event]:
    """A service's events, minute by minute, with a burst in the minute `at`."""
    usual = [
        ("INFO", "sshd", "Accepted publickey for deploy from 192.0.2.{a} port {b}"),
        ("INFO", "cron", "(root) CMD (run-parts /etc/cron.hourly {a})"),
        ("INFO", "kernel", "eth0: renewed lease of {a} s"),
        ("INFO", "app", "served {b} requests in {a} ms"),
        ("WARN", "app", "slow query of {b} ms"),
    ]
    events = []
    for minute in range(minutes):
        begin = START + dt.timedelta(minutes=minute)
        chosen = rng.choices(usual, weights=[4, 2, 2, 10, 1], k=rng.randrange(12, 20))
        if minute == at:
            chosen += burst
        for level, component, text in chosen:
            time = begin + dt.timedelta(seconds=rng.random() * 59)
            filled = text.format(a=rng.randrange(200), b=rng.randrange(1000, 9999))
            events.append(Event(time, level, component, filled, ""))
    return sorted(events, key=lambda one: one.time)


OOM = [("ERROR", "kernel", "Out of memory: Killed process {b} (app) total-vm:{b}kB")]
DOWN = [("ERROR", "app", "connection to database lost: server closed the connection unexpectedly")] * 3


def _access(rng: random.Random, at: int) -> Iterator[str]:
    for minute in range(200):
        for _ in range(30):
            time = START + dt.timedelta(minutes=minute, seconds=rng.random() * 59)
            status = rng.choice([200] * 30 + [304, 304, 404, 500])
            if minute == at and rng.random() < 0.4:
                status = 502
            path = rng.choice(["/", "/api/items", "/api/orders/{n}", "/img/{n}.png", "/login"])
            request = f"{rng.choice(['GET', 'GET', 'POST'])} {path.format(n=rng.randrange(999))} HTTP/1.1"
            yield (
                f'192.0.2.{rng.randrange(99)} - - [{time:%d/%b/%Y:%H:%M:%S +0000}] "{request}" {status} '
                f'{rng.randrange(9000)} "-" "curl/8.{rng.randrange(9)}"'
            )


def _haproxy(rng: random.Random, at: int) -> Iterator[str]:
    for minute in range(200):
        for _ in range(20):
            time = START + dt.timedelta(minutes=minute, seconds=rng.random() * 59)
            status, state, server = rng.choice([200] * 20 + [404]), "----", f"app/srv{rng.randrange(1, 4)}"
            if minute == at and rng.random() < 0.5:
                status, state, server = 503, "SC--", "app/<NOSRV>"
            stamp = f"{time:%b} {time.day:2} {time:%H:%M:%S}"
            yield (
                f"{stamp} lb1 haproxy[1234]: 192.0.2.{rng.randrange(99)}:{rng.randrange(1024, 65000)} "
                f"[{time:%d/%b/%Y:%H:%M:%S}.{rng.randrange(1000):03}] web-in {server} 0/0/1/{rng.randrange(99)}/9 "
                f"{status} {rng.randrange(9000)} - - {state} 1/1/0/0/0 0/0 "
                f'"GET /item/{rng.randrange(99)} HTTP/1.1"'
            )


def _zeek(rng: random.Random, at: int) -> Iterator[str]:
    yield "#separator \\x09"
    yield "#fields\tts\tuid\tid.orig_h\tid.resp_p\tproto\tservice\tconn_state\tmissed_bytes"
    yield "#types\ttime\tstring\taddr\tport\tenum\tstring\tstring\tcount"
    for minute in range(200):
        for k in range(20):
            time = START + dt.timedelta(minutes=minute, seconds=k * 2.9)
            proto, service_, state = rng.choice([("tcp", "http", "SF"), ("udp", "dns", "SF"), ("tcp", "ssl", "SF"),
                                                 ("tcp", "-", "S0")])  # fmt: skip
            if minute == at and k % 2:
                proto, service_, state = "tcp", "-", "REJ"
            port, host = rng.randrange(1024), rng.randrange(99)
            yield f"{time.timestamp():.6f}\tC{minute}x{k}\t192.0.2.{host}\t{port}\t{proto}\t{service_}\t{state}\t0"


def _lines(events: list[Event], render: Callable[[Event], str]) -> str:
    return "".join(render(event) for event in events)


def _iso(time: dt.datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}"


def _clock(time: dt.datetime, sign: str = ",") -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}{sign}{time.microsecond // 1000:03}"


def _journald(event: Event) -> str:
    message: object = event.text if event.level == "INFO" else [*f"\x1b[1m{event.text}\x1b[0m".encode()]
    stamp = str(int(event.time.timestamp() * 1e6))
    return (
        json.dumps({"__REALTIME_TIMESTAMP": stamp, "_HOSTNAME": "n1", "PRIORITY": "6", "MESSAGE": message}) + "\n"
    )


def _docker(event: Event) -> str:
    line = f"{_clock(event.time, '.')} {event.level:5} [main] {event.text}\n"
    return json.dumps({"log": line, "stream": "stdout", "time": f"{_iso(event.time)}000Z"}) + "\n"


def _cri(event: Event) -> str:
    line = json.dumps({"level": event.level, "msg": event.text, "logger": event.component})
    half = len(line) // 2
    head = f"{_iso(event.time)}000000Z stdout"
    return f"{head} P {line[:half]}\n{head} F {line[half:]}\n" if "stored" in line else f"{head} F {line}\n"


def _windows(event: Event) -> str:
    level = {"INFO": "Information", "WARN": "Warning", "ERROR": "Error"}[event.level]
    code = {"sshd": 4624, "cron": 7036, "kernel": 10, "app": 1000}[event.component] + (event.level == "ERROR") * 34
    head = f"{level},{event.time:%m/%d/%Y %I:%M:%S %p},{event.component},{code},None"
    return f'{head},"{event.text}\r\nsecond ""line"""\r\n'


def _otlp(event: Event) -> str:
    record = {
        "timeUnixNano": str(int(event.time.timestamp() * 1e9)),
        "severityText": event.level,
        "body": {"stringValue": event.text},
        "attributes": [{"key": "job", "value": {"stringValue": event.unit}}],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}) + "\n"


def _syslog(event: Event) -> str:
    return f"{event.time:%b} {event.time.day:2} {event.time:%H:%M:%S} box1 {event.component}[91]: {event.text}\n"


def _5424(event: Event) -> str:
    return (
        f"<{14 - 3 * (event.level == 'ERROR')}>1 {_iso(event.time)}Z box1 {event.component} 91 ID1 "
        f'[ex@32473 a="x \\] y" b="z"] {event.text}\n'
    )


def _postgres(event: Event) -> str:
    level = {"INFO": "LOG", "WARN": "WARNING", "ERROR": "ERROR"}[event.level]
    tail = "STATEMENT:  select *\n\tfrom orders\n" if level == "ERROR" else ""
    head = f"{_clock(event.time, '.')} UTC [77] shop@orders "
    return f"{head}{level}:  {event.text}\n" + (head + tail if tail else "")


def _klog(event: Event) -> str:
    stamp = f"{event.time:%m%d %H:%M:%S}.{event.time.microsecond:06}"
    return f"{event.level[0]}{stamp}    1234 {event.component}.go:88] {event.text}\n"


def _logfmt(event: Event) -> str:
    head = f"time={_iso(event.time)}Z level={event.level.lower()} component={event.component}"
    return f'{head} msg="{event.text}"\n'


def _cloudwatch(events: list[Event]) -> str:
    rows = [
        {"logStreamName": "w", "timestamp": int(e.time.timestamp() * 1000), "message": f"{e.level} {e.text}"}
        for e in events
    ]
    return json.dumps({"events": rows}, indent=2)


def planted(seed: int) -> Iterator[Planted]:
    """The logs, in the formats that people ask for."""
    rng = random.Random(seed)

    def minute(name: str, text: Callable[[int], str]) -> Planted:
        at = rng.randrange(20, 180)
        begin = START + dt.timedelta(minutes=at)
        return Planted(name, text(at), begin=begin, end=begin + dt.timedelta(minutes=1))

    def job(name: str, kind: str, render: Callable[[Event], str]) -> Planted:
        bad = f"job-{rng.randrange(20, 180):05}"
        return Planted(name, _lines(jobs(rng, bad, kind), render), unit=bad)

    def told(burst: list[tuple[str, str, str]], render: Callable[[Event], str]) -> Callable[[int], str]:
        return lambda at: _lines(service(rng, burst, at), render)

    yield minute("access", lambda at: "\n".join(_access(rng, at)) + "\n")
    yield minute("haproxy", lambda at: "\n".join(_haproxy(rng, at)) + "\n")
    yield minute("zeek", lambda at: "\n".join(_zeek(rng, at)) + "\n")
    yield minute("syslog", told(OOM, _syslog))
    yield minute("syslog-5424", told(DOWN, _5424))
    yield minute("postgresql", told(DOWN[:1], _postgres))
    header = "Level,Date and Time,Source,Event ID,Task Category\r\n"
    yield minute("windows-events", lambda at: header + _lines(service(rng, OOM, at), _windows))
    yield job("journald", "unfinished", _journald)
    yield job("docker", "lost", _docker)
    yield job("cri", "loop", _cri)
    yield job("python", "swapped", lambda e: f"{_clock(e.time)} - {e.component} - {e.level} - {e.text}\n")
    yield job("log4j", "lost", lambda e: f"{_clock(e.time)} {e.level:5} [main] org.{e.component} - {e.text}\n")
    yield job("otlp", "unfinished", _otlp)
    yield minute("kubernetes", told(DOWN, _klog))
    yield minute("logfmt", told(OOM, _logfmt))
    yield minute("cloudwatch", lambda at: _cloudwatch(service(rng, DOWN, at)))
