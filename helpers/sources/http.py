"""One way to ask a provider: bounded in time, patient with 429, and clear about what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from helpers.files import HelperError

#: Seconds waited after the first, second, … refusal. Yahoo's 429 can last for days: after the last the
#: command stops, and what was fetched is kept for the next run.
PAUSES = (2.0, 8.0, 30.0)
TIMEOUT = 30.0


class SourceError(HelperError):
    """A provider did not give what was asked for."""


class UnansweredError(SourceError):
    """A provider did not answer, or broke off, until patience ran out: it may be down, or the network is."""


class RateLimitError(SourceError):
    """A provider answered 429 until patience ran out: asking for more would be rude and useless."""


@dataclass
class Client:
    """A session and its patience.

    Parameters
    ----------
    session : for everything but Yahoo, whose own library brings one unless ``yahoo`` is given
    yahoo : session handed to yfinance; None for its own
    pauses, timeout : seconds
    wait : called with the seconds to wait
    """

    session: requests.Session = field(default_factory=requests.Session)
    yahoo: Any = None
    pauses: tuple[float, ...] = PAUSES
    timeout: float = TIMEOUT
    wait: Callable[[float], None] = time.sleep

    def patiently(self, name: str, ask: Callable[[], Any]) -> Any:
        """Call ``ask`` until it gives an answer or patience runs out.

        Only a :class:`PassingError` is asked again, after a pause; everything else is raised at once.
        """
        for pause in (*self.pauses, None):
            try:
                return ask()
            except PassingError as fault:
                if pause is None:
                    raise fault.final(name) from None
                self.wait(pause)
        raise AssertionError("unreachable")

    def get(self, name: str, url: str, **params: Any) -> bytes:
        """Body of a page, after patience with passing faults.

        Raises
        ------
        RateLimitError after the last 429, UnansweredError after the last other passing fault, SourceError at
        once for an answer that will not change; each names the series.
        """

        def once() -> bytes:
            try:
                answer = self.session.get(url, params=params, timeout=self.timeout)
            except requests.Timeout:
                raise PassingError(f"no answer within {self.timeout:g} seconds") from None
            except requests.RequestException:
                raise PassingError("the connection failed or broke off") from None
            if answer.status_code == 429:
                raise PassingError("too many requests (429)", limited=True)
            if answer.status_code >= 500:
                raise PassingError(f"the server failed ({answer.status_code})")
            if answer.status_code in {401, 403}:
                raise SourceError(
                    f"{name}: the provider refuses this machine ({answer.status_code}); it may not serve scripts. "
                    "Try again later, or from another network."
                )
            if answer.status_code != 200:
                raise SourceError(
                    f"{name}: the provider answered {answer.status_code}; check its name in series.yaml."
                )
            body = answer.content
            promised = answer.headers.get("Content-Length")
            if (
                promised is not None
                and "Content-Encoding" not in answer.headers
                and len(body) < int(promised)
            ):
                raise PassingError(f"the answer broke off after {len(body):,} of {int(promised):,} bytes")
            return body

        return bytes(self.patiently(name, once))


class PassingError(Exception):
    """A fault that may pass: worth another try."""

    def __init__(self, what: str, limited: bool = False) -> None:
        super().__init__(what)
        self.limited = limited

    def final(self, name: str) -> SourceError:
        """The fault as the sentence that ends the tries."""
        if self.limited:
            return RateLimitError(
                f"{name}: {self}, again and again; wait some hours and run the command again, it goes on from there."
            )
        return UnansweredError(f"{name}: {self}, again and again; run the command again later.")


def not_html(name: str, body: bytes) -> bytes:
    """``body``, unless a page came instead of data (a consent form, an outage, a captive portal)."""
    if body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError(
            f"{name}: a web page came instead of data; open the provider's site once, then try again."
        )
    return body
