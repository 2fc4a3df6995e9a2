"""Slowing down whoever tries passwords: after a few failures each further one waits twice as long as the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_FREE_FAILURES = 5
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 900.0
_FORGOTTEN_AFTER_S = 3600.0
_MOST_REMEMBERED = 10_000


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0

    @property
    def wait_s(self) -> float:
        over = self.count - _FREE_FAILURES
        return 0.0 if over < 0 else min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(over, 20))


class Throttle:
    """Failures of signing in, counted per login and per address.

    Parameters
    ----------
    clock : callable
        Seconds; a test may turn it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], _Failures] = {}

    def seconds_to_wait(self, *, login: str, address: str) -> float:
        """Tell how long the next try must still wait; zero if it need not."""
        with self._lock:
            moment = self._clock()
            found = (self._failures.get(key) for key in _keys(login, address))
            return max([0.0, *(known.last + known.wait_s - moment for known in found if known)])

    def failed(self, *, login: str, address: str) -> None:
        """Count a wrong password."""
        with self._lock:
            moment = self._clock()
            self._forget(moment)
            for key in _keys(login, address):
                known = self._failures.setdefault(key, _Failures())
                known.count, known.last = known.count + 1, moment

    def succeeded(self, *, login: str) -> None:
        """Forget the failures of a login; those of the address stand, or one account would open all others."""
        with self._lock:
            self._failures.pop(("login", login.strip().lower()), None)

    def _forget(self, moment: float) -> None:
        old = [key for key, known in self._failures.items() if moment - known.last > _FORGOTTEN_AFTER_S]
        for key in old:
            del self._failures[key]
        while len(self._failures) >= _MOST_REMEMBERED:
            del self._failures[min(self._failures, key=lambda key: self._failures[key].last)]


def _keys(login: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("login", login.strip().lower()), ("address", address)
