"""How often somebody may try a password: per account, per address, and never so that a control room stays locked out.

A window begins with the first attempt and ends by itself; attempts in a pause do not prolong it. An address from which
a person has signed in before is not held up by what strangers elsewhere try with that person's name.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import structlog
from redis import RedisError

from devices.telemetry import stream

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 15 * 60
OF_ONE_ACCOUNT_HERE = 5  # one account from one address: somebody mistypes
OF_ONE_ACCOUNT = 30  # one account from addresses that are new to it: somebody guesses from many places
OF_ONE_ADDRESS = 40  # many accounts from one address: a control room behind one address, or somebody tries names
_KNOWN_SECONDS = 90 * 24 * 3600

_KEY = "andon:sign-in:"
# Without Redis an operator must still get in, and nobody may guess without end.
_LOCAL_MOST = 10_000
_local: dict[str, tuple[float, int]] = {}


@dataclass(frozen=True)
class Attempt:
    """One try of a password, counted before it is looked at."""

    account: str
    address: str
    left: int  # tries that are left after this one
    wait_seconds: int  # more than 0: it must not be looked at

    def succeeded(self) -> None:
        """Takes the count back and remembers the address."""
        here, account, address = _keys(self.account, self.address)
        try:
            with stream.connect().pipeline() as pipe:
                pipe.delete(here)
                pipe.decr(account)
                pipe.expire(account, WINDOW_SECONDS)
                pipe.decr(address)
                pipe.expire(address, WINDOW_SECONDS)
                pipe.set(_known(self.account, self.address), 1, ex=_KNOWN_SECONDS)
                pipe.execute()
        except RedisError:
            _local.pop(here, None)


def attempt(*, account: str, address: str) -> Attempt:
    """Counts a try. Cost: one round trip to Redis."""
    account = hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]
    here, of_account, of_address = _keys(account, address)
    limits = {here: OF_ONE_ACCOUNT_HERE, of_account: OF_ONE_ACCOUNT, of_address: OF_ONE_ADDRESS}
    counted, known = _count(list(limits), _known(account, address))
    waits = [
        ends for key, (number, ends) in counted.items() if number > limits[key] and not (known and key == of_account)
    ]
    return Attempt(account, address, max(0, limits[here] - counted[here][0]), max(waits, default=0))


def _count(keys: list[str], known: str) -> tuple[dict[str, tuple[int, int]], bool]:
    """Counts on each key. Gives: number in the window and seconds to its end by key; whether `known` exists."""
    try:
        with stream.connect().pipeline() as pipe:
            for key in keys:
                pipe.set(key, 0, ex=WINDOW_SECONDS, nx=True)
                pipe.incr(key)
                pipe.ttl(key)
            pipe.exists(known)
            *answers, exists = pipe.execute()
        return {
            key: (int(number), max(1, int(ends)))
            for key, number, ends in zip(keys, answers[1::3], answers[2::3], strict=True)
        }, bool(exists)
    except RedisError as error:
        log.warning("sign-in attempts counted in this process only", error=str(error))
    if len(_local) > _LOCAL_MOST:
        _local.clear()
    counted = {}
    now = time.monotonic()
    for key in keys:
        begun, number = _local.get(key, (now, 0))
        if now - begun >= WINDOW_SECONDS:
            begun, number = now, 0
        _local[key] = (begun, number + 1)
        counted[key] = (number + 1, int(begun + WINDOW_SECONDS - now) + 1)
    return counted, False


def _keys(account: str, address: str) -> tuple[str, str, str]:
    """Gives what a try counts on: this account from this address, the account, the address."""
    return f"{_KEY}{account}:{address}", f"{_KEY}account:{account}", f"{_KEY}address:{address}"


def _known(account: str, address: str) -> str:
    """Gives the mark of an address from which the account has signed in."""
    return f"{_KEY}known:{account}:{address}"
