"""The house stands: imports go down, never in a circle, never inside a function (but in a command)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "cohortex"

FLOORS = (  # from the roof to the ground; folders of one floor may import each other, but not in a circle
    ("cli", "server", "__main__"),
    ("report",),
    ("study",),
    ("pipeline",),
    (
        "registration",
        "templates",
        "segmentation",
        "landmarks",
        "lesions",
        "synthesis",
        "quantification",
        "learning",
        "prediction",
    ),
    ("filters", "intensity", "measure", "phantoms", "statistics", "display"),
    ("io",),
    ("transform",),
    ("image",),
    ("geometry", "kernels"),
    ("errors", "progress"),
)
FLOOR_OF = {name: len(FLOORS) - n for n, names in enumerate(FLOORS) for name in names}
HANDS_OUT_NAMES = "__init__"  # cohortex/__init__.py: the door, above everything but the command line
LAZY = {"cli"}


@dataclass(frozen=True)
class Import:
    file: str
    line: int
    importer: str  # folder, or file at the top
    imported: str
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.imported}"


def imports_of(source: Path) -> list[Import]:
    return [found for path in sorted(source.rglob("*.py")) for found in _imports_in(path, source)]


def _imports_in(path: Path, source: Path) -> Iterator[Import]:
    relative = path.relative_to(source)
    importer = relative.parts[0].removesuffix(".py")
    package = ("cohortex", *relative.parts[:-1])

    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "cohortex" else [module]
        for name in names:
            parts = name.split(".")
            target = (parts[1] if len(parts) > 1 else HANDS_OUT_NAMES) if parts[0] == "cohortex" else ""
            if target == "__version__":
                continue  # a constant of the package, read from anywhere
            yield Import(relative.as_posix(), node.lineno, importer, target or name, inside)  # type: ignore[attr-defined]
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, deeper)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def _within_house(imports: list[Import]) -> list[Import]:
    known = FLOOR_OF | {HANDS_OUT_NAMES: 0}
    return [i for i in imports if i.imported in known and i.importer != i.imported and i.importer != HANDS_OUT_NAMES]


def unknown_folders(imports: list[Import]) -> set[str]:
    return {i.importer for i in imports} - set(FLOOR_OF) - {HANDS_OUT_NAMES}


def going_up(imports: list[Import]) -> list[str]:
    top = len(FLOORS)
    wrong = []
    for found in _within_house(imports):
        if found.imported == HANDS_OUT_NAMES:
            if FLOOR_OF[found.importer] < top:
                wrong.append(str(found))
        elif FLOOR_OF[found.imported] > FLOOR_OF[found.importer]:
            wrong.append(str(found))
    return wrong


def circles(imports: list[Import]) -> list[str]:
    """Circles between folders, each named once by its members in order."""
    edges: dict[str, set[str]] = {}
    for found in _within_house(imports):
        if found.imported != HANDS_OUT_NAMES:
            edges.setdefault(found.importer, set()).add(found.imported)
    rings: set[tuple[str, ...]] = set()

    def follow(path: tuple[str, ...]) -> None:
        for target in sorted(edges.get(path[-1], ())):
            if target in path:
                ring = path[path.index(target) :]
                first = ring.index(min(ring))
                rings.add(ring[first:] + ring[:first])
            else:
                follow((*path, target))

    for start in sorted(edges):
        follow((start,))
    return [" -> ".join((*ring, ring[0])) for ring in sorted(rings)]


def inside_functions(imports: list[Import]) -> list[str]:
    return [str(i) for i in imports if i.inside_function and i.importer not in LAZY]


def test_every_folder_has_a_floor():
    assert unknown_folders(imports_of(SOURCE)) == set()


def test_no_import_goes_up():
    assert going_up(imports_of(SOURCE)) == []


def test_no_folders_import_each_other_in_a_circle():
    assert circles(imports_of(SOURCE)) == []


def test_no_import_hides_inside_a_function():
    assert inside_functions(imports_of(SOURCE)) == []


def test_no_folder_is_a_cupboard():
    names = {path.stem for path in SOURCE.rglob("*")}
    assert names & {"utils", "helpers", "common", "manager", "core"} == set()


@pytest.fixture
def crooked_house(tmp_path: Path) -> list[Import]:
    files = {
        "io/reader.py": "from ..pipeline.step import Step\nimport numpy\n",
        "io/__init__.py": "import cohortex\n",
        "image/image.py": "def f():\n    from cohortex.geometry import Grid\n",
        "lesions/outline.py": "from cohortex.templates import mni152\n",
        "templates/__init__.py": "from cohortex.segmentation import brain_mask\n",
        "segmentation/brain.py": "from cohortex import lesions, __version__\n",
        "cli/process.py": "def run():\n    import cohortex.report\n",
        "cupboard/things.py": "import os\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return imports_of(tmp_path)


def test_the_walk_names_what_is_wrong(crooked_house):
    assert unknown_folders(crooked_house) == {"cupboard"}
    known = [found for found in crooked_house if found.importer in FLOOR_OF]
    assert going_up(known) == ["io/__init__.py:1 imports __init__", "io/reader.py:1 imports pipeline"]
    assert circles(known) == ["lesions -> templates -> segmentation -> lesions"]
    assert inside_functions(known) == ["image/image.py:2 imports geometry"]
