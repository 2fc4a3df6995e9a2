"""What pages show, asked of the JSON API within this process, on behalf of whoever asked for the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp

from cohortex.server.asking import COOKIE

_TOKEN = re.compile(r"[\w-]{1,200}", re.ASCII)
_HERE = "http://cohortex.invalid"  # never reached: the client hands requests to the application itself


class Unanswered(Exception):
    """What the API would not answer.

    Parameters
    ----------
    status : int
        Of its reply.
    message, remedy : str
        Its words.
    """

    def __init__(self, status: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.remedy = remedy


class Answers:
    """The API as one asker sees it.

    Parameters
    ----------
    client : httpx.AsyncClient
        From `client_of`.
    token : str
        What the asker's cookie says; what cannot be a token of ours is not passed on.
    """

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Cookie": f"{COOKIE}={token}"} if _TOKEN.fullmatch(token) else {}

    async def get(self, address: str, **query: str) -> Any:
        """Ask for one thing.

        Parameters
        ----------
        address : str
            From `address_of`, or fixed.
        **query : str
            What goes behind the question mark; empty values are left out.

        Returns
        -------
        object
            The content of the reply.

        Raises
        ------
        Unanswered
            If the reply is an error.
        """
        asked = {name: value for name, value in query.items() if value}
        reply = await self._client.get(address, params=asked, headers=self._headers)
        if not reply.is_error:
            return reply.json()
        error = reply.json()["error"]
        raise Unanswered(reply.status_code, error["message"], error["remedy"])

    async def all(self, **addresses: str) -> dict[str, Any]:
        """Ask for several things at once; the first that is refused is what the caller hears of."""
        return dict(zip(addresses, await asyncio.gather(*map(self.get, addresses.values())), strict=True))

    async def each(self, addresses: Mapping[Any, str]) -> dict[Any, Any]:
        """Ask for things by their keys, at once."""
        return dict(zip(addresses, await asyncio.gather(*map(self.get, addresses.values())), strict=True))


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    """Make the client all pages of an application share; it keeps no cookies, which would be another person's."""
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=_HERE, cookies=no_cookies)


def address_of(*parts: str) -> str:
    """Join an address of the API from parts that people typed."""
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
