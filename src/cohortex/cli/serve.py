"""`cohortex serve`: the study in the browser, on this machine."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from cohortex.cli.screen import console


def serve(
    home: Annotated[Path, typer.Argument(help="Folder of the study.", show_default=False)],
    host: Annotated[str, typer.Option(help="Address of this machine to listen on; others are refused.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 serves and works on nothing.")] = 2,
    show: Annotated[bool, typer.Option(help="Open the browser, where there is a screen.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address for machines.")] = False,
) -> None:
    """Serve a study in the browser and do its work, until Ctrl-C."""
    from cohortex.server.serving import serve as serve_study
    from cohortex.study import Study

    def ready(address: str) -> None:
        if as_json:
            print(json.dumps({"address": address}), flush=True)
            return
        console.print(f"[bold green]✓[/] [bold]{address}[/]  (this machine only; Ctrl-C ends it)", soft_wrap=True)
        if show and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"):
            webbrowser.open(address)

    def ending() -> None:
        if not as_json:
            console.print("\nending; work that is under way is begun again at the next start", soft_wrap=True)

    serve_study(Study.open(home), host=host, port=port, workers=workers, ready=ready, ending=ending)
