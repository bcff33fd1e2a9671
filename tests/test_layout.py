"""The layout, read from the imports: an import goes down a level or stays in its folder, and there is no circle.

``python tests/test_layout.py`` prints levels, breaches, a circle if any, and how many modules stand flat.
"""

import ast
import functools
import graphlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("foleybench", "models/foleymodels")
# Folders and flat modules of `foleybench/`, from the commands down; `foleymodels` stands beside the verbs.
LEVELS = {
    6: ("cli", "commands"),
    5: ("dataset_card", "datasets", "leaderboard", "people", "reproduce", "sanity"),
    4: ("evaluators", "foleymodels", "generation", "metrics", "pages", "prepare", "scoring"),
    3: ("artefacts", "encoders", "features", "lists", "load", "protocols", "shards", "stats", "synthfoley"),
    2: ("api", "media", "registry", "runtime", "synthesis"),
    1: ("clip_ids", "clips", "errors", "fields", "files"),
}
LEVEL_OF = {room: level for level, rooms in LEVELS.items() for room in rooms}
# Folders whose bare file names are registry keys, so that shared code needs one folder with an underscore.
PLUG_INS = {
    "foleybench/metrics": {"_families", "_math"},
    "foleybench/encoders": {"_inputs", "_nets"},
    "foleybench/protocols": set(),
    "foleybench/datasets": {"_parts"},
    "models/foleymodels": {
        *(
            "_alignment",
            "_autoregression",
            "_codecs",
            "_codes",
            "_diffusion",
            "_flow",
            "_parts",
            "_small_encoders",
            "_babble",
            "_sound_text",
        ),
        *("_systems", "_training", "_vocoders"),
    },
}
# Imports of a plug-in by path that are left.
BY_PATH = {"foleybench.reproduce.copying_plan imports foleybench.encoders.training_match"}
MOST_FLAT = 10
MOST_WORDS = 11
# Functions that every module of a folder may define, because they are called by these names: a contract.
CALLED_BY_NAME = {
    "foleybench/commands": {"add_arguments", "run"},
    "foleybench/datasets": {"add_arguments", "fingerprint", "items", "make", "split_facts"},
    "foleybench/encoders": {"encode_with", "load_weights", "new_net"},
    "models/foleymodels": {"build", "check", "train"},
    "": {"main"},  # what a console script or ``python -m`` starts
}

Imports = Mapping[str, set[str]]


def modules(root: Path) -> dict[str, Path]:
    """Return the files of both packages by module name."""
    found = {}
    for source in SOURCES:
        for path in sorted((root / source).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[1:] if parts[0] == "models" else parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the tree of a file; several tests read all of them."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports_of(root: Path, package: str = "") -> dict[str, set[str]]:
    """Return which modules each module imports, also inside functions; names of ``TYPE_CHECKING`` blocks count too.

    With a package's name, only of its modules: reading all files takes seconds.
    """
    known = modules(root)
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        if not name.startswith(package):
            continue
        targets = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    targets.add(whole if whole in known else node.module)
            elif isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
        found[name] = {target for target in targets if target in known} - {name}
    return found


def room(module: str) -> str:
    """Return the folder or flat module that stands on a level; "" for the face of ``foleybench`` itself."""
    first, _, rest = module.partition(".")
    return first if first == "foleymodels" else rest.partition(".")[0]


def breaches(imports: Imports) -> list[str]:
    """Return the imports that go up or sideways, as sentences that name both files."""
    found = []
    for module, targets in sorted(imports.items()):
        here = room(module)
        if here in ("", "__main__"):
            continue
        for target in sorted(targets):
            there = room(target)
            if there == "":
                found.append(f"{module} imports {target}, the public face: import from the module itself")
                continue
            if there == here or LEVEL_OF[there] == LEVEL_OF[here] == 1:  # level 1: words that all share
                continue
            if LEVEL_OF[there] >= LEVEL_OF[here]:
                levels = f"level {LEVEL_OF[here]} to level {LEVEL_OF[there]}"
                found.append(f"{module} imports {target}: from {levels}")
    return found


def circle(imports: Imports) -> list[str]:
    """Return one circle of modules that import each other, or nothing."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return [str(module) for module in error.args[1]]
    return []


def flat(root: Path, source: str) -> list[str]:
    """Return the modules that stand directly in a package."""
    return sorted(path.name for path in (root / source).glob("*.py") if path.name != "__init__.py")


def private_files(root: Path) -> Iterator[str]:
    """Yield names with an underscore in plug-in folders that are not the folders for shared code."""
    for folder, shared in PLUG_INS.items():
        for path in sorted((root / folder).glob("_*")):
            if path.name not in {*shared, "__init__.py", "__pycache__"}:
                yield f"{folder}/{path.name}"


def public_names(root: Path) -> dict[str, list[str]]:
    """Return class or function name -> the files that define it, for names without an underscore at module level."""
    found: dict[str, list[str]] = {}
    for path in sorted(modules(root).values()):
        file = path.relative_to(root).as_posix()
        contract = {name for folder, names in CALLED_BY_NAME.items() if file.startswith(folder) for name in names}
        for node in parsed(path).body:
            public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
            if public and node.name not in contract:
                found.setdefault(node.name, []).append(file)
    return found


def names_used_twice(root: Path) -> dict[str, list[str]]:
    """Return the public names that several files define, and those files."""
    return {name: files for name, files in public_names(root).items() if len(files) > 1}


def test_every_room_has_a_level():
    rooms = {room(module) for module in modules(ROOT)} - {"", "__main__"}
    assert rooms == set(LEVEL_OF)


def test_imports_go_down_or_stay():
    assert breaches(imports_of(ROOT)) == []


def test_no_circle():
    assert circle(imports_of(ROOT)) == []


def test_few_modules_stand_flat():
    assert len(flat(ROOT, "foleybench")) <= MOST_FLAT, flat(ROOT, "foleybench")


def test_plug_in_folders_hold_plug_ins_and_shared_folders():
    assert list(private_files(ROOT)) == []


def by_path(imports: Imports) -> set[str]:
    """Return imports of a metric, encoder, protocol or data set by its path, as sentences that name both modules."""
    folders = {name.replace("/", ".") for name in PLUG_INS if name.startswith("foleybench/")}
    found = set()
    for module, targets in imports.items():
        for target in targets:
            folder, _, name = target.rpartition(".")
            if folder in folders and not name.startswith("_"):
                found.add(f"{module} imports {target}")
    return found


def test_plug_ins_are_had_from_the_registry():
    """``registry.load`` is the one way in: what others use of a plug-in's file stands in a shared folder."""
    assert by_path(imports_of(ROOT)) == BY_PATH


def test_an_import_of_a_plug_in_is_found_and_one_of_a_shared_folder_is_not():
    imports = {
        "foleybench.leaderboard.report": {
            "foleybench.encoders.onsets",
            "foleybench.encoders._inputs.spectra",
            "foleybench.encoders._nets",
        },
        "foleybench.metrics.event_f1": {"foleybench.metrics._families.events", "foleybench.metrics"},
        "foleybench.metrics.onset_f1": {"foleybench.metrics.event_f1"},
    }
    assert by_path(imports) == {
        "foleybench.leaderboard.report imports foleybench.encoders.onsets",
        "foleybench.metrics.onset_f1 imports foleybench.metrics.event_f1",
    }


def first_lines(root: Path) -> dict[str, str]:
    """Return the first line of each file's docstring; empty packages need none."""
    docs = {path: ast.get_docstring(parsed(path)) or "" for path in modules(root).values() if path.stat().st_size}
    return {path.relative_to(root).as_posix(): doc.partition("\n")[0] for path, doc in docs.items()}


def test_first_lines_are_short_and_there():
    """A module's first line says in under twelve words what it does; more stands below."""
    wrong = {file: line for file, line in first_lines(ROOT).items() if not 0 < len(line.split()) <= MOST_WORDS}
    assert wrong == {}


def test_one_public_name_is_one_thing():
    assert names_used_twice(ROOT) == {}


def test_a_name_used_twice_is_found_and_a_contract_is_not(tmp_path):
    texts = {
        "foleybench/stats/pools.py": "class Cell:\n    pass\n\n\ndef _own():\n    pass\n",
        "foleybench/commands/eval.py": "def run():\n    pass\n\n\ndef _own():\n    pass\n",
        "foleybench/commands/show.py": "def run():\n    pass\n\n\ndef Cell():\n    pass\n",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert names_used_twice(tmp_path) == {"Cell": ["foleybench/commands/show.py", "foleybench/stats/pools.py"]}


def test_a_breach_and_a_circle_are_named(tmp_path):
    """The rules themselves: an import up, one sideways and a circle are found, one down is not."""
    texts = {
        "foleybench/stats/pools.py": "def late():\n    from foleybench.metrics import event_f1\n",
        "foleybench/stats/rates.py": "from foleybench import FoleyError\n",
        "foleybench/__init__.py": "",
        "foleybench/metrics/event_f1.py": "from foleybench.stats import pools\nimport foleybench.scoring.admit\n",
        "foleybench/scoring/admit.py": "from foleybench.errors import FoleyError\n",
        "foleybench/errors.py": "",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    imports = imports_of(tmp_path)
    assert breaches(imports) == [
        "foleybench.metrics.event_f1 imports foleybench.scoring.admit: from level 4 to level 4",
        "foleybench.stats.pools imports foleybench.metrics.event_f1: from level 3 to level 4",
        "foleybench.stats.rates imports foleybench, the public face: import from the module itself",
    ]
    assert set(circle(imports)) == {"foleybench.metrics.event_f1", "foleybench.stats.pools"}


if __name__ == "__main__":
    tree = imports_of(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    sys.stdout.write(f"levels {len(LEVELS)}\n" + "".join(f"{line}\n" for line in breaches(tree)))
    sys.stdout.write(f"imports up or sideways {len(breaches(tree))}, a circle: {circle(tree) or 'none'}\n")
    for package in SOURCES:
        sys.stdout.write(f"flat in {package}: {len(flat(ROOT, package))}\n")
