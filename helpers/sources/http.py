"""One way to ask a provider: bounded in time and size, patient with 429, and clear about what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

import requests
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader, MaxRetryError

from helpers.files import HelperError

T = TypeVar("T")

#: Asked again at once, then after 8, 16 and 30 seconds, or when ``Retry-After`` says so.
RETRY = Retry(total=4, backoff_factor=4, backoff_max=30, status_forcelist=(429, 500, 502, 503, 504))
#: Seconds of ``Retry-After`` that are waited; who wants more patience gets it from the next run.
LONGEST = 60.0


class SourceError(HelperError):
    """A provider did not give what was asked for."""


class UnansweredError(SourceError):
    """A provider did not answer, or broke off, until patience ran out: it may be down, or the network is."""


class CertificateError(UnansweredError):
    """The connection is encrypted with a certificate that this machine does not trust: no retry mends that."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: the provider's certificate could not be verified, as behind a company's proxy; set "
            "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE to a file with the proxy's certificate, or use another network."
        )


class RateLimitError(SourceError):
    """A provider answered 429 until patience ran out: asking for more would be rude and useless."""


class PassingError(Exception):
    """A fault that may pass: worth another try. ``headers`` may hold Retry-After."""

    def __init__(self, what: str, limited: bool = False, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what)
        self.limited = limited
        self.headers = headers or {}

    def final(self, name: str, wait: float = 0.0) -> SourceError:
        """The fault as the sentence that ends the tries."""
        asked = f", and asks for {wait / 60:.0f} minutes of patience" if wait else ", again and again"
        if self.limited:
            later = f"{wait / 60:.0f} minutes" if wait else "some hours"
            return RateLimitError(
                f"{name}: {self}{asked}; wait {later} and run the command again, it goes on from there."
            )
        return UnansweredError(f"{name}: {self}{asked}; run the command again later.")


@dataclass
class Client:
    """A session, its patience and its limits.

    Parameters
    ----------
    session : for everything but Yahoo
    yahoo : session handed to yfinance; its own kind, bounded, if None
    retry : how often and after which pauses a passing fault is asked again
    timeout, deadline : seconds without a byte, and for a whole answer
    limit : bytes of one answer, unpacked
    """

    session: requests.Session = field(default_factory=requests.Session)
    yahoo: Any = None
    retry: Retry = RETRY
    timeout: float = 30.0
    deadline: float = 120.0
    limit: int = 1 << 26

    def patiently(self, name: str, ask: Callable[[], T]) -> T:
        """Call ``ask`` until it gives an answer or patience runs out; only a :class:`PassingError` is asked again."""
        retry = self.retry
        while True:
            try:
                return within(self.deadline, name, ask)
            except PassingError as fault:
                wait = _retry_after(retry, fault)
                if wait > LONGEST:
                    raise fault.final(name, wait) from None
                try:
                    retry = retry.increment("GET", name, error=fault)
                except MaxRetryError:
                    raise fault.final(name) from None
                retry.sleep(fault)  # type: ignore[arg-type]  # it reads the headers of what it is given

    def get(self, name: str, url: str, **params: Any) -> bytes:
        """Body of a page, after patience with passing faults.

        Raises
        ------
        RateLimitError after the last 429, UnansweredError after the last other passing fault, SourceError at
        once for an answer that will not change; each names the series.
        """

        def once() -> bytes:
            try:
                with self.session.get(url, params=params, timeout=self.timeout, stream=True) as answer:
                    accept(name, answer.status_code, answer.headers)
                    body = bytearray()
                    for piece in answer.iter_content(1 << 16):
                        body += piece
                        if len(body) > self.limit:
                            raise too_long(name, self.limit)
                    return bytes(body)
            except requests.Timeout:
                raise PassingError(f"no answer within {self.timeout:g} seconds") from None
            except requests.RequestException as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise CertificateError(name) from None
                raise PassingError("the connection failed or broke off") from None
            except OSError as error:
                raise SourceError(
                    f"{name}: this machine's list of certificates cannot be read; REQUESTS_CA_BUNDLE and "
                    f"CURL_CA_BUNDLE must name a file, or be unset ({error})."
                ) from None

        return self.patiently(name, once)


def accept(name: str, status: int, headers: Mapping[str, str]) -> None:
    """Return for status 200; else raise what it means."""
    if status == 200:
        return
    if RETRY.is_retry("GET", status, "Retry-After" in headers):
        what = "too many requests (429)" if status == 429 else f"the server failed ({status})"
        raise PassingError(what, limited=status == 429, headers=headers)
    if status in {401, 403}:
        raise SourceError(
            f"{name}: the provider refuses this machine ({status}); it may not serve scripts. "
            "Try again later, or from another network."
        )
    raise SourceError(f"{name}: the provider answered {status}; check its name in series.yaml.")


def within(seconds: float, name: str, ask: Callable[[], T]) -> T:
    """The result of ``ask``, or UnansweredError when it takes longer: a byte a second would never end."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(ask())
        except BaseException as error:  # handed on to the caller, whatever it is
            result.set_exception(error)

    # A daemon: what hangs must not keep the command from ending.
    Thread(target=run, daemon=True).start()
    try:
        return result.result(timeout=seconds)
    except TimeoutError:
        if result.done():
            raise
        raise UnansweredError(
            f"{name}: the answer was not complete after {seconds:g} seconds; run the command again later."
        ) from None


def too_long(name: str, limit: int) -> SourceError:
    """An answer or an archive beyond the limit, also where it grows only when unpacked."""
    return SourceError(f"{name}: the answer is larger than {limit / 2**20:,.3g} MB unpacked; it is not used.")


def _retry_after(retry: Retry, fault: PassingError) -> float:
    try:
        return retry.get_retry_after(fault) or 0.0  # type: ignore[arg-type]
    except InvalidHeader:
        fault.headers = {}
        return 0.0


def not_html(name: str, body: bytes) -> bytes:
    """``body``, unless a page came instead of data (a consent form, an outage, a captive portal)."""
    head = body[:400].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<!--")):
        raise SourceError(
            f"{name}: a web page came instead of data; open the provider's site once, then try again."
        )
    return body
