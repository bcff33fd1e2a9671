"""The folders of the models: shared parts below systems, no system on another, one name for one thing."""

import ast
from collections import Counter

from foleybench import registry
from foleymodels._parts.frozen_encoders import AUDIO_ENCODERS, VIDEO_ENCODERS
from tests.test_layout import ROOT, imports_of, modules, parsed

# From the ground up; a folder imports itself and those before it. Systems and controls stand above them all.
SHARED = (
    *("_parts", "_training", "_babble", "_vocoders", "_small_encoders", "_alignment", "_flow"),
    *("_systems", "_codecs", "_autoregression", "_codes", "_diffusion", "_sound_text"),
)
# Systems that are another one with a setting changed, and a control that is another one with a trained vocoder.
VARIANTS = {
    "foleyflow_dcf": "foleyflow",
    "foleyflow_eq4": "foleyflow",
    "foleyflow_static": "foleyflow",
    "unconditional": "foleyflow",
    "vatt_true_captions": "vatt",
    "vocoder": "vocoded",
}
WORKED_EXAMPLE = "constant_flow.py"


def place(module):
    """Return the shared folder, the system or the control that a module is part of."""
    parts = module.split(".")[1:]
    return parts[1] if parts[0] == "controls" and len(parts) > 1 else parts[0]


def breaches(imports):
    """Return the imports between places that the order of the folders does not allow."""
    found = []
    for module, targets in sorted(imports.items()):
        for target in sorted(targets):
            if not (module.startswith("foleymodels.") and target.startswith("foleymodels.")):
                continue
            here, there = place(module), place(target)
            below = there in SHARED and (here not in SHARED or SHARED.index(there) < SHARED.index(here))
            if not (below or here == there or VARIANTS.get(here) == there or there == "_change"):
                found.append(f"{module} imports {target}")
    return found


def test_imports_go_down_to_shared_parts():
    assert breaches(imports_of(ROOT, "foleymodels")) == []


def test_a_system_that_stands_on_another_and_a_part_that_knows_of_training_are_named():
    imports = {
        "foleymodels.nearest": {"foleymodels.foleyflow.train", "foleymodels._alignment.stage"},
        "foleymodels._parts.mel": {"foleymodels._training.loop", "foleymodels._parts.blocks"},
        "foleymodels.foleyflow_dcf": {"foleymodels.foleyflow.train"},
        "foleymodels.controls.noise": {"foleymodels.controls._change", "foleymodels.controls.silence"},
    }
    assert breaches(imports) == [
        "foleymodels._parts.mel imports foleymodels._training.loop",
        "foleymodels.controls.noise imports foleymodels.controls.silence",
        "foleymodels.nearest imports foleymodels.foleyflow.train",
    ]


def judged_by(imports):
    """Return the imports of what scores a model from within the models."""
    judges = ("foleybench.encoders", "foleybench.evaluators", "foleybench.metrics", "foleybench.scoring")
    return [
        f"{module} imports {target}"
        for module, targets in sorted(imports.items())
        for target in sorted(targets)
        if module.startswith("foleymodels") and f"{target}.".startswith(tuple(f"{judge}." for judge in judges))
    ]


def registry_kinds(tree):
    """Return the kinds of plug-ins that a module loads by name."""
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("registry.load", "load") and node.args
        if isinstance(node.args[0], ast.Constant)
    ]


def test_no_model_has_an_evaluator_of_the_benchmark_in_it():
    """None imports what scores it; the encoders that some load by name are those that no metric reads."""
    assert judged_by(imports_of(ROOT, "foleymodels")) == []
    paths = [(module, path) for module, path in modules(ROOT).items() if module.startswith("foleymodels")]
    loading = {module: kinds for module, path in paths if (kinds := registry_kinds(parsed(path)))}
    assert {module: set(kinds) for module, kinds in loading.items()} == {
        "foleymodels._parts.frozen_encoders": {"encoders"}
    }
    metrics = [registry.load("metrics", name) for name in registry.names("metrics")]
    read = {need.encoder for metric in metrics for need in metric.needs.values()}
    read |= {earlier for name in read for earlier in registry.load("encoders", name).after}
    assert {"mini_align", "synchformer_offset", "synchformer_video"} < read
    assert read & {*VIDEO_ENCODERS, *AUDIO_ENCODERS} == set()


def test_a_model_that_has_a_judge_in_it_is_named():
    imports = {
        "foleymodels.vab.system": {"foleybench.encoders.mini_align", "foleybench.api.encoder", "foleybench.metrics"},
        "foleybench.scoring.admit": {"foleybench.metrics.event_f1"},
    }
    assert judged_by(imports) == [
        "foleymodels.vab.system imports foleybench.encoders.mini_align",
        "foleymodels.vab.system imports foleybench.metrics",
    ]
    tree = ast.parse("from foleybench import registry\nregistry.load('metrics', name)\nother.load('models', 'x')")
    assert registry_kinds(tree) == ["metrics"]


def test_what_stands_flat_is_a_system():
    flat = {path.stem for path in (ROOT / "models/foleymodels").glob("*.py")} - {"__init__"}
    assert flat <= set(registry.names("models"))


def test_a_class_has_a_name_of_its_own():
    names = Counter()
    for module, path in modules(ROOT).items():
        if module.startswith("foleymodels"):
            tree = ast.walk(parsed(path))
            names.update(node.name for node in tree if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_worked_example_is_short():
    lines = (ROOT / "models/foleymodels" / WORKED_EXAMPLE).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60


def test_first_lines_are_short():
    for module, path in modules(ROOT).items():
        if module.startswith("foleymodels"):
            first = (ast.get_docstring(parsed(path)) or "").partition("\n")[0]
            assert 0 < len(first.split()) < 12, f"{module}: {first!r}"
