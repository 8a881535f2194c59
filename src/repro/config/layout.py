"""How the jobs of a configuration are spread over GPUs and processes, and what does not go."""

from repro import methods
from repro.files import model_folder


def processes(config: dict) -> int:
    """Return how many processes a training has: one on each GPU, or as many as were said."""
    return config["training"]["parallel"]["processes"] or max(1, config["gpus"])


def generation_gpus(config: dict) -> int:
    """Return how many GPUs a generation takes."""
    return config["evaluation"]["tensor_parallel"] if config["gpus"] else 0


def model_gpus(config: dict) -> int:
    """Return how many GPUs any other job takes that needs a model."""
    return min(1, config["gpus"])


def check(config: dict) -> None:
    """Refuse processes that cannot share a training, and models that cannot be split.

    Args:
        config: a configuration that its models take.

    Raises:
        ValueError: one message names key, value and what is allowed.
    """
    _check_processes(config)
    _check_strategy(config)
    _check_split("evaluation", config["evaluation"], config)
    rollouts, there = config["training"]["rollouts"], processes(config)
    _check_split("training.rollouts", rollouts, config)
    if there % rollouts["tensor_parallel"]:
        raise ValueError(
            f"training.rollouts.tensor_parallel = {rollouts['tensor_parallel']} does not divide "
            f"the {there} processes of a training; allowed: divisors of {there}"
        )


def _check_processes(config: dict) -> None:
    training, gpus, count = config["training"], config["gpus"], processes(config)
    if gpus and count != gpus:
        raise ValueError(
            f"training.parallel.processes = {count} does not go with gpus = {gpus}; allowed: null "
            f"or {gpus}, because a process takes a GPU"
        )
    rollouts = training["prompts_per_step"] * training["num_generations"]
    micro = training["micro_batch_size"]
    if rollouts % (micro * count):
        raise ValueError(
            f"training.micro_batch_size = {micro} on each of {count} processes does not divide the "
            f"{rollouts} rollouts of a step (prompts_per_step x num_generations); allowed: a "
            f"divisor of {rollouts} as their product"
        )


def _check_strategy(config: dict) -> None:
    strategy, gpus = config["training"]["parallel"]["strategy"], config["gpus"]
    if strategy != "ddp" and gpus < 2:
        raise ValueError(
            f"training.parallel.strategy = {strategy!r} does not go with gpus = {gpus}; allowed: "
            "ddp, or at least two GPUs to share the model"
        )
    if strategy.startswith("zero") and "ppo" in _algorithms(config):
        raise ValueError(
            f"training.parallel.strategy = {strategy!r} does not go with ppo, whose critic it does "
            "not train; allowed: ddp, fsdp"
        )


def _algorithms(config: dict) -> set[str | None]:
    names = list(config["methods"])
    if any(config["ablations"][key] for key in methods.ABLATED):
        names.append(config["ablations"]["method"])
    return {methods.parse(name).algorithm for name in names}


def _check_split(key: str, chosen: dict, config: dict) -> None:
    """Refuse to split a model that its engine cannot, or over a number its heads do not allow."""
    split, gpus = chosen["tensor_parallel"], config["gpus"]
    if split > 1 and (chosen["engine"] != "vllm" or not gpus):
        raise ValueError(
            f"{key}.tensor_parallel = {split} does not go with {key}.engine = "
            f"{chosen['engine']!r} and gpus = {gpus}; allowed: 1, or vllm on GPUs"
        )
    for name, backbone in config["backbones"].items():
        heads = backbone.get("heads")  # of one on the hub vLLM says it
        if backbone["source"] == "directory":
            heads = model_folder.read_size(backbone["path"], "num_attention_heads")
        if heads and heads % split:
            raise ValueError(
                f"{key}.tensor_parallel = {split} does not divide the {heads} attention heads of "
                f"backbones.{name}; allowed: divisors of {heads}"
            )
