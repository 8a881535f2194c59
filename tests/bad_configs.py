"""Malformed configurations, what is said of each, and what it must say.

`python -m tests.bad_configs` prints the table. Each is config/smoke.yaml with something changed, or
a file of its own.
"""

import copy
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from repro.config import settings
from repro.files import strict_yaml
from tests.paths import ROOT

SMOKE = (ROOT / "config/smoke.yaml").read_text(encoding="utf-8")
FILE = "bad.yaml"
INF, NAN = float("inf"), float("nan")
GONE = object()  # the key is left out
B = "backbones.tiny-qwen3"
HUB = {"source": "hub", "repo": "a/b", "revision": "main"}
ON_DISK = {"source": "directory", "path": "no/such"}
ONLY_LCB = {"data_source": "hub", "objective": {}}


class Case(NamedTuple):
    """What is wrong, and words of the message beside the file's name."""

    title: str
    words: tuple[str, ...]
    changes: dict[str, object] | None = None  # of config/smoke.yaml, by path
    content: bytes | None = None  # or a whole file


def key(path: str, value: object, *words: str) -> Case:
    """One key with a wrong value; its message names the key."""
    text = "(missing)" if value is GONE else repr(value)
    return Case(f"{path}: {text[:50]}", words or (path,), {path: value})


def keys(title: str, changes: dict[str, object], *words: str) -> Case:
    """Several keys that do not go together."""
    return Case(title, words, changes)


def added(title: str, lines: str, *words: str) -> Case:
    """Lines at the end of config/smoke.yaml, where the text of the file matters."""
    return Case(title, words, content=f"{SMOKE}\n{lines}\n".encode())


def replaced(title: str, old: str, new: str, *words: str) -> Case:
    """One line of config/smoke.yaml, where the text of the file matters."""
    assert SMOKE.count(old) == 1, old
    return Case(title, words, content=SMOKE.replace(old, new).encode())


def whole(title: str, content: bytes, *words: str) -> Case:
    """A file of its own."""
    return Case(title, words, content=content)


CASES = [
    # Unknown keys, at every level
    key("colour", "red", "unknown key 'colour'", "allowed: name, note"),
    key("metods", [], "unknown key 'metods'", "did you mean 'methods'?"),
    key(f"{B}.thinking", "sometimes", f"{B}.thinking", "allowed: required or none"),
    key(f"{B}.thinking", "none", f"{B}.thinking = 'none'", "allowed: required"),
    key(f"{B}.hiden_size", 64, f"'{B}.hiden_size'", "did you mean 'hidden_size'?"),
    key(f"{B}.prompt", {"maths": "{problem}"}, f"{B}.prompt.maths", "did you mean 'math'?"),
    key("benchmarks.aime26", {}, "'benchmarks.aime26'", "did you mean 'aime25'?"),
    key("benchmarks.aime24.sample", 1, "benchmarks.aime24.sample", "did you mean 'samples'?"),
    key("training.lerning_rate", 1.0, "'training.lerning_rate'", "did you mean 'learning_rate'?"),
    key("training.critic.valueclip", 1, "training.critic.valueclip", "'value_clip'"),
    key("training.rollouts", {"engin": "vllm"}, "training.rollouts.engin", "'engine'"),
    key("process_reward.aplha", 1, "process_reward.aplha", "did you mean 'alpha'?"),
    key("ablations.ema", [0.1], "ablations.ema", "allowed: backbones, method, alpha, w, k"),
    key("objective.method", [], "objective.method'", "did you mean 'methods'?"),
    key("evaluation.top-k", 5, "evaluation.top-k", "did you mean 'top_k'?"),
    key("resources", {"trian": {}}, "resources.trian", "did you mean 'train'?"),
    key("resources", {"train": {"mem": 1}}, "resources.train.mem", "did you mean 'mem_mb'?"),
    key("subset", {"methods": []}, "subset.methods", "allowed: backbones, benchmarks"),
    key("training", {True: 1}, "training.True", "yes, no, on or off"),
    key("backbones", {7: {"source": "hub"}}, "backbones.7", "no text"),
    # Missing keys
    key("name", GONE, "'name' is missing"),
    key("backbones", GONE, "'backbones' is missing"),
    key("benchmarks", GONE, "'benchmarks' is missing"),
    key(f"{B}.source", GONE, f"{B}.source", "is missing"),
    key(f"{B}.layers", GONE, f"'{B}.layers' is missing", "source tinyworld"),
    key("backbones.mine", {"source": "hub", "repo": "a/b"}, "'backbones.mine.revision' is missing"),
    # Wrong types
    key("name", 7, "name = 7", "type text", "quotes"),
    key("name", True, "name = true", "yes, no, on and off"),
    key("note", None, "note = null", "leave the key out"),
    key("backbones", [], "backbones = []", "type mapping"),
    key("backbones", {}, "backbones = {}", "not empty"),
    key("benchmarks", {}, "benchmarks = {}", "not empty"),
    key("benchmarks.aime24", None, "benchmarks.aime24 = null", "mapping"),
    key("methods", "grpo", 'methods = "grpo"', "write [grpo]"),
    key("methods", [], "methods = []", "not empty"),
    key("methods", [["grpo"]], "methods.0", "type text"),
    key("seeds", 0, "seeds = 0", "type list"),
    key("seeds", [], "seeds = []", "not empty"),
    key("seeds", [True], "seeds.0 = true", "integer"),
    key("seeds", ["0"], 'seeds.0 = "0"', "without quotes"),
    key("gpus", True, "gpus = true", "integer"),
    key("training", None, "training = null", "type mapping", "leave the key out"),
    key("training.steps", 3.0, "training.steps = 3.0", "write 3"),
    key("training.steps", "3", 'training.steps = "3"', "nested values of --config"),
    key("training.learning_rate", "1e-4", 'training.learning_rate = "1e-4"', "write 1.0e-4"),
    key("training.gradient_checkpointing", "yes", "gradient_checkpointing", "type boolean"),
    key("training.gradient_checkpointing", 1, "gradient_checkpointing = 1", "type boolean"),
    key("training.critic", [], "training.critic = []", "type mapping"),
    key("process_reward.alpha", "a lot", 'process_reward.alpha = "a lot"', "type number"),
    key("process_reward.separator", {"a": 1}, "process_reward.separator", "text or list or null"),
    key("ablations.alpha", 0.1, "ablations.alpha = 0.1", "type list"),
    key("ablations.alpha", None, "ablations.alpha = null", "leave the key out"),
    key("evaluation.top_k", 1.5, "evaluation.top_k = 1.5", "integer or null"),
    key("evaluation", "vllm", 'evaluation = "vllm"', "type mapping"),
    key("data_dir", ["data"], "data_dir", "text or null"),
    # Ranges
    key("training.learning_rate", -1.0, "training.learning_rate = -1.0", "more than 0"),
    key("training.learning_rate", 0, "training.learning_rate = 0", "more than 0"),
    key("training.num_generations", 1, "training.num_generations = 1", "at least 2"),
    key("training.steps", 0, "training.steps = 0", "at least 1"),
    key("training.top_p", 1.5, "training.top_p = 1.5", "at most 1"),
    key("training.temperature", 0, "training.temperature = 0", "more than 0"),
    key("training.clip_low", 1, "training.clip_low = 1", "less than 1"),
    key("training.dual_clip", 1, "training.dual_clip = 1", "more than 1"),
    key("training.gamma", 1.01, "training.gamma = 1.01", "at most 1"),
    key("training.save_every", 0, "training.save_every = 0", "at least 1"),
    key("training.warmup_steps", -1, "training.warmup_steps = -1", "at least 0"),
    key("training.rollouts", {"gpu_memory": 1}, "training.rollouts.gpu_memory = 1", "less than 1"),
    key("training.critic.value_clip", 0, "training.critic.value_clip = 0", "more than 0"),
    key("process_reward.alpha", -0.1, "process_reward.alpha = -0.1", "at least 0"),
    key("process_reward.w", 1.1, "process_reward.w = 1.1", "at most 1"),
    key("process_reward.k", 0, "process_reward.k = 0", "at least 1"),
    key("process_reward.ema", 0, "process_reward.ema = 0", "more than 0"),
    key("process_reward.separator", "", "process_reward.separator", "not empty"),
    key("ablations.w", [0.1, 2], "ablations.w.1 = 2", "at most 1"),
    key("benchmarks.aime24.samples", 0, "benchmarks.aime24.samples = 0", "at least 1"),
    key("benchmarks.aime24.problems", 0, "benchmarks.aime24.problems = 0", "at least 1"),
    key("objective.problems", 0, "objective.problems = 0", "at least 1"),
    key("evaluation.temperature", -0.1, "evaluation.temperature = -0.1", "at least 0"),
    key("evaluation.batch_size", 0, "evaluation.batch_size = 0", "at least 1"),
    key("evaluation.code_timeout_s", 0, "evaluation.code_timeout_s = 0", "more than 0"),
    key("resources", {"train": {"mem_mb": 0}}, "resources.train.mem_mb = 0", "at least 1"),
    key("seeds", [-1], "seeds.0 = -1", "at least 0"),
    key("seeds", [2**32], "seeds.0 = 4294967296", "at most 4294967295"),
    key("data_seed", 10**400, "data_seed", "at most 2^53"),
    key("training.learning_rate", NAN, "training.learning_rate = nan", "a finite number"),
    key("training.dual_clip", INF, "training.dual_clip = inf", "a finite number"),
    key("ablations.alpha", [0.1, NAN], "ablations.alpha.1 = nan", "a finite number"),
    # Unknown names
    key("methods", ["grop"], "'grop' does not exist", "did you mean 'grpo'?"),
    key("methods", ["grpo+repo"], "'grpo+repo'", "did you mean 'grpo+repro'?"),
    key("methods", ["grpo+repro~alpha=0.1"], "grpo+repro~alpha=0.1", "allowed: original"),
    key("objective.methods", ["gpro"], "objective.methods: 'gpro'", "did you mean 'grpo'?"),
    key("objective.benchmarks", ["gpqa"], "objective.benchmarks: 'gpqa'", "aime24, aime25"),
    key("decontaminate", ["aime26"], "decontaminate: 'aime26'", "did you mean 'aime25'?"),
    key("ablations.method", "grpo", "ablations.method: 'grpo'", "grpo+repro"),
    key("ablations.backbones", ["tiny"], "ablations.backbones: 'tiny'", "tiny-qwen3"),
    key("subset", {"backbones": ["tiny-qwen2"]}, "subset.backbones: 'tiny-qwen2'", "tiny-qwen3"),
    key(f"{B}.source", "tiny", f'{B}.source = "tiny"', "tinyworld or hub or directory"),
    key(f"{B}.architecture", "qwen4", f"{B}.architecture", "qwen2 or qwen3"),
    key("data_source", "hugging face", "data_source", "tinyworld or directory or hub"),
    key("process_reward.variant", "papper", "did you mean 'paper'?", "paper or reference"),
    key("process_reward.initial_score", "one", "empty_prefix or zero or null"),
    key("training.dtype", "float16", "training.dtype", "float32 or bfloat16"),
    key("evaluation.engine", "tgi", "evaluation.engine", "transformers or vllm"),
    key("evaluation.sandbox", "docker", "evaluation.sandbox", "bubblewrap"),
    key("benchmarks.lcb.release", "v9", "benchmarks.lcb.release", "v5 or v6 or null"),
    # Duplicates and empty lists
    key("methods", ["grpo", "grpo"], "methods", "without duplicates"),
    key("seeds", [0, 0], "seeds = [0, 0]", "without duplicates"),
    key("ablations.alpha", [0.1, 0.1], "ablations.alpha", "without duplicates"),
    key("ablations.k", [4, 4], "ablations.k", "without duplicates"),
    key("objective.benchmarks", ["aime24"] * 2, "objective.benchmarks", "without duplicates"),
    key("ablations.backbones", [], "ablations.backbones = []", "not empty"),
    key("subset", {"benchmarks": []}, "subset.benchmarks = []", "not empty"),
    key("process_reward.separator", [], "process_reward.separator = []", "not empty"),
    key("ablations.k", [3], "ablations.k = [3]", "process_reward.k", "another value"),
    key("ablations.alpha", [0.12345678], "ablations.alpha", "too many digits", "six"),
    # Settings that do not go together
    key("objective.methods", ["ppo"], "objective.methods: 'ppo' is not among methods", "original"),
    key("training.micro_batch_size", 3, "training.micro_batch_size = 3", "8 rollouts"),
    key("training.updates_per_generation", 3, "training.save_every = 2", "multiple"),
    key(f"{B}.heads", 3, f"{B}.hidden_size = 64", "heads = 3"),
    key(f"{B}.key_value_heads", 3, f"{B}.heads = 4", "key_value_heads = 3"),
    key(f"{B}.path", "x", f"{B}.path does not go with source tinyworld", "architecture"),
    key(f"{B}.trust_remote_code", True, f"{B}.trust_remote_code = true", "hub or directory"),
    keys(
        "code of a branch",
        {"backbones.mine": {**HUB, "trust_remote_code": True}},
        *("backbones.mine.revision = 'main'", "hash of a commit"),
    ),
    key("data_source", "directory", "data_dir = null", "data_source = 'directory'"),
    key("data_dir", "data", 'data_dir = "data"', "null with tinyworld and hub"),
    key("decontaminate", ["aime24"], "decontaminate = ['aime24']", "tinyworld", "allowed: []"),
    key("benchmarks.aime24.file", "a.jsonl", "benchmarks.aime24.file = 'a.jsonl'", "directory"),
    key("benchmarks.lcb.release", "v5", "benchmarks.lcb.release", "data_source hub only"),
    key("training.rollouts", {"engine": "vllm"}, "training.rollouts.engine", "gpus = 0"),
    keys(
        "vllm in float32",
        {"training.rollouts": {"engine": "vllm"}, "gpus": 1},
        *("training.dtype = 'float32'", "allowed: bfloat16"),
    ),
    key("training.max_prompt_tokens", 9000, "max_prompt_tokens = 9000", "allowed: 8192", "context"),
    key("evaluation.max_new_tokens", 8192, "evaluation.max_new_tokens", "less than 8192"),
    keys(
        "a window that ends before it begins",
        {**ONLY_LCB, "benchmarks": {"lcb": {"window": ["2025-01-01", "2024-01-01"]}}},
        *("benchmarks.lcb.window", "the earlier one first"),
    ),
    keys(
        "a month 13",
        {**ONLY_LCB, "benchmarks": {"lcb": {"window": ["2024-13-01", "2025-01-01"]}}},
        *("benchmarks.lcb.window", "two dates"),
    ),
    key("benchmarks.lcb.window", ["2024-08-01"], "benchmarks.lcb.window", "two dates"),
    # Files and folders
    key("backbones.mine", ON_DISK, "backbones.mine.path = 'no/such': no such folder"),
    key("backbones.mine", {**ON_DISK, "path": "a{b}"}, "backbones.mine.path", "without braces"),
    key("benchmarks.aime24.path", "{x}.jsonl", "benchmarks.aime24.path", "without braces"),
    key("data_dir", "a{b}", "data_dir", "without braces"),
    key("data_dir", "", 'data_dir = ""', "without braces"),
    key("backbones.mine", {**ON_DISK, "path": "x" * 300}, "backbones.mine.path", "too long"),
    key(f"{B}.chat_template", "no.jinja", f"{B}.chat_template = 'no.jinja'", "No such file"),
    key(f"{B}.chat_template", "/", f"{B}.chat_template = '/'", "Is a directory"),
    key(f"{B}.prompt", {"math": "Solve it."}, f"{B}.prompt.math", "{problem}"),
    key("benchmarks.aime24.path", "no.jsonl", "aime24.path = 'no.jsonl'", "no such file"),
    key("benchmarks.aime24.path", "/", "benchmarks.aime24.path = '/'", "no such file"),
    keys(
        "no data folder",
        {"data_source": "directory", "data_dir": "nowhere"},
        *("data_dir = 'nowhere' has no aime24.jsonl", "nowhere/aime24.jsonl"),
    ),
    # Names and places
    key("name", "", 'name = ""', "letters, digits"),
    key("name", "a/b", 'name = "a/b"', "letters, digits"),
    key("name", "..", 'name = ".."', "letters, digits"),
    key("name", "-x", 'name = "-x"', "letters, digits"),
    key("name", "a b", 'name = "a b"', "letters, digits"),
    key("name", "a\n", r'name = "a\n"', "letters, digits"),
    key("training", {"a\n": 1}, r"unknown key 'training.a\n'", "in one line"),
    key("name", "{seed}", 'name = "{seed}"', "letters, digits"),
    key("name", "$(id)", 'name = "$(id)"', "letters, digits"),
    key("name", "x" * 101, "name", "at most 100 characters"),
    *(
        key("backbones", {name: HUB}, f'a name that = "{name}"', "letters, digits")
        for name in ("../x", "a/b", "..", "-x", "a b", "a;b", "{run}", "a~b=1")
    ),
    key("results_dir", "../elsewhere", "results_dir", "a folder below it"),
    key("results_dir", "/tmp/results", "results_dir", "a folder below it"),
    key("results_dir", "results/../../x", "results_dir", "a folder below it"),
    key("results_dir", "results/{x}", "results_dir", "a folder below it"),
    key("results_dir", "results/a b", "results_dir", "a folder below it"),
    key("results_dir", "results/-x", "results_dir", "a folder below it"),
    key("benchmarks.aime24.file", "../a.jsonl", "benchmarks.aime24.file", "the name of a file"),
    key("backbones.mine", {**HUB, "repo": "../.."}, "backbones.mine.repo", "OWNER/NAME"),
    key("backbones.mine", {**HUB, "revision": "--x"}, "backbones.mine.revision", "commit"),
    key("tracking_uri", "sqlite:///../x.db", "tracking_uri", "leads out of results and work"),
    key("tracking_uri", "sqlite:////tmp/x.db", "tracking_uri", "leads out of results and work"),
    key("tracking_uri", "sqlite:///results/{x}.db", "tracking_uri", "letters, digits"),
    key("tracking_uri", "file:///tmp/x", "tracking_uri", "http"),
    key("tracking_uri", "http://me:secret@host", "tracking_uri", "MLFLOW_TRACKING_PASSWORD"),
    key("note", "a\0b", "note", "control character"),
    # What the text of a file hides
    added("a key twice", "seeds: [1]", "'seeds' stands in line", "allowed: once"),
    replaced(
        *("a key twice in a mapping", "  batch_size: 16", "  temperature: 0.7\n  batch_size: 16"),
        *("'temperature' stands in line", "allowed: once"),
    ),
    added("a benchmark twice", "subset: {benchmarks: [lcb], benchmarks: [gpqa]}", "'benchmarks'"),
    replaced("an octal seed", "data_seed: 0", "data_seed: 010", "010 is an octal number"),
    replaced("base 60", "data_seed: 0", "data_seed: 1:30", "1:30 is a number in base 60"),
    replaced("1e-4 in a file", "learning_rate: 1.0e-4", "learning_rate: 1e-4", "write 1.0e-4"),
    replaced("no for a number", "data_seed: 0", "data_seed: no", "data_seed = false"),
    replaced("on for a name", "name: smoke", "name: on", "name = true", "yes, no, on and off"),
    replaced("a date", "name: smoke", "name: 2024-08-01", "name", "as a date", "quotes"),
    replaced("not a number", "w: 0.1", "w: .nan", "process_reward.w = nan"),
    added("a key that is no text", "yes: 1", "unknown key 'True'", "yes, no, on or off"),
    added("null", "resources:", "resources = null", "leave the key out"),
    added("a mapping that holds itself", "resources: &r {train: *r}", "resources.train.train"),
    added("an unknown tag", "subset: !!python/object:os.system {}", "not valid YAML", "constr"),
    added("binary", "subset: !!binary aGVsbG8=", "subset", "as a bytes"),
    whole("no YAML", b"a: [\n", "line 2: not valid YAML"),
    whole("a tab", b"name: x\ntraining:\n\tsteps: 3\n", "line 3: not valid YAML"),
    whole("an empty file", b"", "expected a mapping", "nothing"),
    whole("a comment", b"# nothing\n", "expected a mapping", "nothing"),
    whole("a list", b"- name: x\n", "expected a mapping", "a list"),
    whole("a text", b"hello\n", "expected a mapping", "a str"),
    whole("two documents", b"name: a\n---\nname: b\n", "not valid YAML", "another document"),
    whole("Latin-1", b"name: caf\xe9\n", "line 1: byte 0xe9 is not UTF-8"),
    whole("binary garbage", bytes(range(256)), "is not UTF-8"),
    whole("null bytes", b"name: a\0b\n", "not valid YAML", "special characters"),
    whole("deep nesting", b"a: " + b"[" * 5000, "nested too deeply"),
    whole("claims in its place", b"claims: []\n", "unknown key 'claims'"),
]


def changed(config: dict, changes: dict[str, object]) -> dict:
    """Return a configuration with other values at some paths."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, last = path.split(".")
        inner = config
        for name in parents:
            inner = inner[name]
        if value is GONE:
            del inner[last]
        else:
            inner[last] = value
    return config


def message(case: Case, folder: Path) -> str | None:
    """Return what is said of a configuration, None where it passes."""
    config, file = yaml.safe_load(SMOKE), folder / FILE
    try:
        if case.content is None:
            config = changed(config, case.changes)
        else:
            file.write_bytes(case.content)
            config = strict_yaml.read(file)
        settings.resolve(config, str(file))
    except ValueError as error:
        return str(error)
    return None


def main() -> None:
    """Print what is said of each, as Markdown."""
    print("| configuration | message |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            said = str(message(case, Path(folder))).replace(f"{folder}/", "").replace("|", r"\|")
            print(f"| {case.title} | {said} |".replace("\n", r"\n"))


if __name__ == "__main__":
    main()
