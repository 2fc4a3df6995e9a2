"""Serving a study: the application in this process, worker processes beside it, and all in order when it ends."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

import uvicorn
from sqlalchemy.exc import OperationalError

from cohortex.errors import StudyProblem
from cohortex.server.app import create_app
from cohortex.server.crew import Crew
from cohortex.study import Study
from cohortex.study.database.views import refresh_views
from cohortex.study.jobs import release_expired
from cohortex.study.starting import alone, tidy

_LOG = logging.getLogger(__name__)
_MEND_EVERY_S = 0.5
_LAST_REPLIES_S = 2  # live events never end by themselves
_WAITING = 128  # connections


def serve(
    study: Study,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 2,
    pages: bool = True,
    ready: Callable[[str], None] | None = None,
    ending: Callable[[], None] | None = None,
) -> None:
    """Serve a study until this process is told to end.

    Parameters
    ----------
    study : Study
        Opened.
    host : str
        Address to listen on: one of this machine alone. A reverse proxy with TLS makes it reachable from elsewhere.
    port : int
        To listen on; 0 takes any that is free.
    workers : int
        Worker processes; 0 serves and works on nothing.
    pages : bool
        Whether to serve the pages too, or the API alone.
    ready : callable, optional
        Told the address once it answers.
    ending : callable, optional
        Told that the end was asked for; workers and live replies take some seconds to come to theirs.

    Raises
    ------
    StudyProblem
        If the address is not of this machine alone or is taken, another process serves the study, or the libraries the
        pages need are not installed.
    """
    refuse_other_machines(host)
    app = create_app(study, pages=pages)
    with alone(study), _listening(host, port) as listening:
        tidy(study)
        refresh_views(study.engine)
        address = f"http://{host if ':' not in host else f'[{host}]'}:{listening.getsockname()[1]}"
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,  # addresses name patients by their study codes
                server_header=False,
                timeout_graceful_shutdown=_LAST_REPLIES_S,
            ),
            ready=None if ready is None else partial(ready, address),
            ending=ending,
        )
        with _ended_in_order(), Crew(study, size=workers, log=study.settings.home / "workers.log") as crew:
            app.state.workers_alive = crew.alive
            with _mended(study, crew):
                server.run(sockets=[listening])


def refuse_other_machines(host: str) -> None:
    """Refuse to listen where other machines could connect: there is no TLS here.

    Raises
    ------
    StudyProblem
        If the address is not of this machine alone.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host == "localhost":
        return
    raise StudyProblem(
        f"{host} can be reached by other machines, and passwords would travel in the clear. Listen on 127.0.0.1, and "
        "put a reverse proxy with TLS in front of it."
    )


class _Server(uvicorn.Server):
    """Tells when it answers, and when it is asked to end."""

    def __init__(
        self, config: uvicorn.Config, *, ready: Callable[[], None] | None, ending: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        first = not self.should_exit
        super().handle_exit(sig, frame)
        if first and self._ending is not None:
            with contextlib.suppress(OSError):  # nobody may be left to read it
                self._ending()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready is not None:
            self._ready()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each reply waits 40 ms for an answer
        try:
            listening.bind((host, port))
        except OSError as error:
            raise StudyProblem(
                f"port {port} of {host} cannot be listened on ({error.strerror}). Give another, or 0 for any free one."
            ) from error
        listening.listen(_WAITING)
        yield listening


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a signal that ends this process end its workers first."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        _LOG.info("stopped from the keyboard")
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _mended(study: Study, crew: Crew) -> Iterator[None]:
    """Replace workers that die, and free the jobs of those nobody here started, from a thread of their own."""
    end = threading.Event()

    def mend() -> None:
        while not end.wait(_MEND_EVERY_S):
            try:
                crew.mend()
                release_expired(study)
            except OperationalError:
                _LOG.warning("the database did not answer; looking after the workers again in a moment")

    thread = threading.Thread(target=mend, name="mending", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
