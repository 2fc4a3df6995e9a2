"""Pages: data from the JSON API, drawn by templates."""

from cohortex.server.pages.rendering import render

__all__ = ["render"]
