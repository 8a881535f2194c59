"""What no CPU can show, tried on one GPU in a few minutes and without a network: `make gpu-check`.

Rollouts by vLLM in training (its sleep, its waking, new weights in it), bfloat16, gradient
checkpointing, a kill and a resume, the objective against the repeat loop under each attention, what
the objective costs at 4k and 16k tokens, and the peak of memory against the cost model's. It ends
with a table of pass, fail and "not tried", and with status 1 if anything failed. Nobody has run it
on a GPU yet; without one it says so.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # transformers would spread over several

import torch
from one_pass import make_model, make_variants
from timing import interleaved

from repro.config import settings
from repro.config.backbones import TinyBackbone
from repro.config.resolved import dump
from repro.cost import model as cost
from repro.files import jsonl
from repro.tinyworld import problems
from repro.training import supervised

STEPS, LIMIT = 6, 240  # of a training, and seconds until it counts as stuck
DRIFT = (
    0.05  # nats per token, KL of the trainer from vLLM: weights that do not arrive show 0.1 to 5
)


class NotTried(Exception):
    """What a check needs is not there."""


def main() -> None:
    """Print the table; exit with 1 where a check failed."""
    if not torch.cuda.is_available():
        raise SystemExit("no GPU: nothing was tried")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        checks: dict[str, Callable[[], str]] = {
            "training: vLLM rollouts, sleep, bfloat16, checkpointing": partial(train, work),
            "training: killed and resumed": partial(resume, work),
            "objective: one pass and repeat loop, float32": partial(compare, torch.float32),
            "objective: one pass and repeat loop, bfloat16": partial(compare, torch.bfloat16),
            "objective: flash attention and sdpa": attend,
            **{
                f"objective: {length // 1024}k tokens, {rows} rows": partial(measure, length, rows)
                for length in (4096, 16384)
                for rows in (1, 4, 8)
            },
            "memory: a forward and backward at 4k, and the model": weigh,
        }
        failed = 0
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
        for title, check in checks.items():
            started = time.perf_counter()
            try:
                verdict, said = "pass", check()
            except NotTried as why:
                verdict, said = "not tried", str(why)
            except (AssertionError, RuntimeError, ValueError, OSError) as error:
                verdict, said, failed = "FAIL", (str(error) or repr(error))[-200:], failed + 1
            torch.cuda.empty_cache()
            seconds = time.perf_counter() - started
            print(f"{verdict:<10}{title:<58}{seconds:6.1f} s  {said}", flush=True)
    sys.exit(failed > 0)


def prepare(work: Path) -> list[str]:
    """Return the command of a training by vLLM's rollouts, without its output folder."""
    if find_spec("vllm") is None:
        raise NotTried("vLLM is not installed: pip install -c requirements.lock '.[vllm]'")
    config = settings.read("config/smoke.yaml")
    [(name, backbone)] = config.backbones.items()
    folder, data = work / "backbone", work / "train.jsonl"
    if not folder.exists():
        assert isinstance(backbone, TinyBackbone)
        supervised.build(backbone, name, folder, work / "building")
        jsonl.write(data, problems.generate("train", 64, 0))
    run = json.loads(dump(settings.run_settings(config, name, "grpo+repro", 0)))
    rollouts = {"engine": "vllm", "gpu_memory": 0.3, "sleep": True}
    run["training"] |= {"steps": STEPS, "save_every": 1, "rollouts": rollouts, "validation": None}
    run["training"] |= {"dtype": "bfloat16", "gradient_checkpointing": True, "keep": None}
    command = [sys.executable, "-m", "repro", "train", "--settings", json.dumps(run)]
    return [*command, "--backbone", str(folder), "--data", str(data)]


def train(work: Path) -> str:
    """Train; vLLM must have had the weights of every step."""
    call = [*prepare(work), "--output", str(work / "first")]
    done = subprocess.run(call, cwd=work, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    rows = jsonl.read(work / "first/training.jsonl")
    drift = max(row["sampler_kl"] for row in rows)
    assert len(rows) == STEPS and drift < DRIFT, f"{len(rows)} steps, KL from vLLM {drift:.3f}"
    return f"{STEPS} steps, largest KL from vLLM {drift:.4f} nats a token"


def resume(work: Path) -> str:
    """Kill a training after its second step; the next call must go on from there."""
    place = work / "killed"
    place.mkdir()
    call = [*prepare(work), "--output", str(place / "out")]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(call, cwd=place, stderr=log, start_new_session=True)
    deadline = time.monotonic() + LIMIT
    while sum(f.read_bytes().count(b"\n") for f in place.rglob("work/**/training.jsonl")) < 2:
        assert process.poll() is None and time.monotonic() < deadline, (place / "log").read_text()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run(call, cwd=place, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    steps = [row["step"] for row in jsonl.read(place / "out/training.jsonl")]
    assert steps == list(range(1, STEPS + 1)), steps
    return f"{STEPS} steps, each once"


def compare(dtype: torch.dtype) -> str:
    """Compute J both ways; `make_variants` asserts that they are equal up to rounding."""
    make_variants(make_model("wide", 8192, dtype, "cuda"), 2, 1024, 10, check=True)
    return "equal up to rounding"


def attend() -> str:
    """Compute J from the cache of a flash-attention forward, and from sdpa's."""
    if find_spec("flash_attn") is None:
        raise NotTried("flash-attn is not installed; sdpa was used")
    model = make_model("wide", 8192, torch.bfloat16, "cuda")
    found = {}
    for name in ("sdpa", "flash_attention_2"):
        model.set_attn_implementation(name)
        found[name] = make_variants(model, 2, 1024, 10, check=False)["one pass"]()
    difference = (found["sdpa"] - found["flash_attention_2"]).abs().max().item()
    assert difference < 0.2, f"they differ by {difference:.3f}"
    return f"they differ by {difference:.3f} at most"


def measure(length: int, rows: int) -> str:
    """Time a forward alone, and with J at 12 cut points from its cache."""
    model = make_model("qwen3-1.7b", 151936, torch.bfloat16, "cuda")
    every = make_variants(model, rows, length, 10, check=False)
    try:
        seconds = interleaved({name: every[name] for name in ("plain", "one pass")}, 3)
    except torch.cuda.OutOfMemoryError:
        raise NotTried("it does not fit into the memory") from None
    ratio = seconds["one pass"] / seconds["plain"]
    return f"forward {seconds['plain']:.2f} s, with J {ratio:.2f} times as long"


def weigh() -> str:
    """Compare activations and logits of one response of 4k tokens with the cost model's bytes."""
    tokens, model = 4096, make_model("qwen3-1.7b", 151936, torch.bfloat16, "cuda").train()
    model.gradient_checkpointing_enable()
    ids = torch.randint(151936, (1, tokens), device="cuda")
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
    hidden.float().square().mean().backward()
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    peak = torch.cuda.max_memory_allocated() - held - gradients
    stated = cost.measure(model.config.to_dict()).activation_bytes(tokens, checkpointing=True)
    assert 0.5 < peak / stated < 1.5, f"{peak / 2**30:.2f} GiB, the model says {stated / 2**30:.2f}"
    return f"{peak / 2**30:.2f} GiB of activations, the model says {stated / 2**30:.2f}"


if __name__ == "__main__":
    main()
