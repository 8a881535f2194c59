"""Configurations and their estimates, for the tests of what an experiment costs."""

import yaml
from tests.paths import ROOT

from repro import cost, settings
from repro.cost import table


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())


def resolve(config: dict) -> dict:
    return settings.resolve(config, "config.yaml")


def on_one_gpu(config: dict) -> dict:
    """What fits there beside a critic."""
    config["gpus"] = 1
    config["training"]["parallel"]["strategy"] = "ddp"
    config["training"]["rollouts"]["gpu_memory"] = 0.28
    config["training"]["critic"]["gpu_memory"] = None
    config["training"]["save_every"] = 25
    return config


def estimate(config: dict, gpus_in_parallel: int | None = None, **changes: float) -> cost.Estimate:
    hardware = "H100-80G" if config["gpus"] else "cpu-core"
    return cost.estimate(config, hardware, 2, gpus_in_parallel, changes)


def line(found: cost.Estimate, *path: str) -> table.Line:
    [one] = [one for one in found.lines if one.path == path]
    return one
