"""Send alarms to an address on the web; what cannot be sent waits and is sent later."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..base.errors import ConfigError
from ..base.jsonable import several, shorten, to_jsonable

# Seconds that the other side is waited for, and seconds before each further try at the end.
PATIENCE_S, WAITS = 10.0, (1.0, 4.0)
# Seconds between two tries while a stream goes on: the first pause, and the longest.
PAUSE, LONGEST_PAUSE = 5.0, 300.0
# Most alarms in one message.
MOST = 100


@dataclass
class Webhook:
    """Alarms are sent as JSON by POST: `{"text": …, "alarms": [{…}]}`, each until the other side answered 2xx.

    The text makes it a message for chats such as Slack and Mattermost. An alarm may come twice, after a crash or
    an answer that was lost; its `id` tells.

    Args:
        url: https, or http.
        waiting: alarms that wait to be sent, oldest first.
        note: is told what failed, once until it works again.

    Raises:
        ConfigError: it is no such address.
    """

    url: str
    waiting: list[Any]
    note: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=0.0, init=False)
    _pause: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ConfigError("--webhook: expected an address that begins with https://")
        self._name = f"webhook {parts.hostname}"  # the path may be a secret

    def send(self, alarms: Sequence[Any] = ()) -> None:
        """Send alarms, after those that wait; after a failure only once a pause is over."""
        self.waiting += alarms
        if self.waiting and self.clock() >= self._next:
            self._try()

    def finish(self) -> bool:
        """Send what waits, with some more tries; whether nothing waits any more."""
        for wait in (0.0, *WAITS):
            if not self.waiting:
                break
            if wait:
                self.sleep(wait)
            self._try()
        return not self.waiting

    def _try(self) -> None:
        while self.waiting:
            batch = self.waiting[:MOST]
            if failure := self._post(batch):
                self._failed(failure)
                return
            del self.waiting[: len(batch)]
        if self._pause:
            self.note(f"{self._name}: answers again, all alarms are sent")
        self._next = self._pause = 0.0

    def _failed(self, failure: str) -> None:
        if not self._pause:
            self.note(f"{self._name}: {failure}; {several(len(self.waiting), 'alarm waits', 'alarms wait')}")
        self._pause = min(max(PAUSE, 2 * self._pause), LONGEST_PAUSE)
        self._next = self.clock() + self._pause

    def _post(self, alarms: Sequence[Any]) -> str:
        """Send alarms; gives what failed, empty where nothing did."""
        import requests

        body = {"text": _text(alarms), "alarms": to_jsonable(alarms)}
        try:
            answer = requests.post(self.url, json=body, timeout=PATIENCE_S, allow_redirects=False)
        except requests.Timeout:
            return f"no answer for {PATIENCE_S:g} s"
        except requests.RequestException as error:
            return f"cannot be reached ({type(error).__name__})"
        if answer.ok and answer.status_code < 300:
            return ""
        reason = shorten(str(answer.reason), 60)
        more = ", give the address that it names" if 300 <= answer.status_code < 400 else ""
        return f"answered {answer.status_code} {reason}{more}"


def _text(alarms: Sequence[Any]) -> str:
    lines = [f"{one['unit']}: {shorten(str(one['text']), 120)}" for one in alarms[:5]]
    more = [f"and {len(alarms) - 5:,} more"] if len(alarms) > 5 else []
    return "\n".join([f"logbench: {several(len(alarms), 'alarm')}", *lines, *more])
