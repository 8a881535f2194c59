"""The Kubernetes profile and manifests: what they say, and jobs that run through them.

No cluster: `fake_kubernetes.py` answers as one and runs the containers on this machine.
"""

import base64
import json
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from kubernetes import client
from kubernetes.utils import parse_quantity

from repro.files import jsonl
from tests.cluster.fake_kubernetes import TOKEN, FakeCluster
from tests.paths import ROOT
from tests.workflow.conftest import copy_repository

FOLDER = ROOT / "workflow/kubernetes"
PROFILE = yaml.safe_load((ROOT / "workflow/profiles/kubernetes/config.yaml").read_text())
MANIFESTS = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest
    for file in sorted(FOLDER.glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
}
HEAD = MANIFESTS["Job", "repro"]
HUB_TOKEN = f"hf_{secrets.token_hex(16)}"
needs_programs = pytest.mark.skipif(
    not (shutil.which("bwrap") and shutil.which("rsync") and shutil.which("git")),
    reason="needs bubblewrap, rsync and git",
)


def validated(manifest: dict) -> dict:
    """Refuse what Kubernetes' own models do not know, or lack."""
    api = client.ApiClient()
    model = getattr(client, f"V1{manifest.get('kind', 'Job')}")
    # Unknown fields get lost on the way through the model, missing ones make it raise.
    read = api._ApiClient__deserialize(manifest, model)
    assert api.sanitize_for_serialization(read) == manifest
    return manifest


@pytest.mark.parametrize("which", MANIFESTS)
def test_manifests_are_what_kubernetes_knows(which):
    validated(MANIFESTS[which])


def test_profile_and_manifests_name_the_same_things():
    pod = HEAD["spec"]["template"]["spec"]
    containers = pod["initContainers"] + pod["containers"]
    assert {container["image"] for container in containers} == {PROFILE["container-image"]}
    ((claim, path),) = (v.split(":") for v in PROFILE["kubernetes-persistent-volumes"])
    assert MANIFESTS["PersistentVolumeClaim", claim]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim
    assert {c["volumeMounts"][0]["mountPath"] for c in containers} == {path}
    assert containers[-1]["workingDir"] == path == PROFILE["default-storage-prefix"]
    # Snakemake acts by the role; its jobs get not even a token.
    account = PROFILE["kubernetes-service-account-name"]
    assert MANIFESTS["ServiceAccount", account]["automountServiceAccountToken"] is False
    binding = MANIFESTS["RoleBinding", "repro"]
    assert [subject["name"] for subject in binding["subjects"]] == [pod["serviceAccountName"]]
    assert account not in (pod["serviceAccountName"], binding["roleRef"]["name"])


def image_variables() -> dict[str, str]:
    """Return what the image sets."""
    lines = re.findall(r"^ENV (.*)$", (FOLDER / "Dockerfile").read_text(), re.M)
    return dict(pair.split("=") for line in lines for pair in shlex.split(line))


def write_wheel(folder: Path) -> None:
    """The wheel that the image keeps, from what is installed."""
    site = Path(sysconfig.get_paths()["purelib"])
    (metadata,) = site.glob("snakemake_storage_plugin_fs-*.dist-info")
    version = metadata.name.split("-")[1].removesuffix(".dist")
    folder.mkdir()
    wheel = folder / f"snakemake_storage_plugin_fs-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in (*metadata.rglob("*"), *site.glob("snakemake_storage_plugin_fs/*.py")):
            if file.is_file():
                archive.write(file, file.relative_to(site))


def commit_checkout(folder: Path, config: dict) -> None:
    """Put the repository, with one more configuration, into a git repository of its own."""
    copy_repository(folder)
    (folder / "config/mine.yaml").write_text(yaml.safe_dump(config))
    me = ["-c", "user.name=me", "-c", "user.email=me@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*me, "commit", "-qm", "All"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


@pytest.fixture
def cluster(tmp_path, request):
    """A cluster with the manifests' claim, role and secret; `mine` is one more configuration."""
    folders = {"/opt/wheels": tmp_path / "wheels", "/opt/repro": tmp_path / "checkout"}
    write_wheel(folders["/opt/wheels"])
    commit_checkout(folders["/opt/repro"], getattr(request, "param", {}))
    for name in ("volume", "home", "containers"):
        (tmp_path / name).mkdir()
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin"
    variables = {"PATH": path, "HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    cluster = FakeCluster(
        tmp_path / "containers",
        namespace=PROFILE["kubernetes-namespace"],
        claims={"repro": tmp_path / "volume"},
        variables=variables | image_variables(),
        folders=folders,
        rules=MANIFESTS["Role", "repro"]["rules"],
        secrets={"hub": {"token": HUB_TOKEN}},
    )
    yield cluster
    cluster.stop()


def head(*targets: str) -> dict:
    """Return the manifest of Snakemake, for the smoke test and in a hurry."""
    job = json.loads(json.dumps(HEAD))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    kept = [argument for argument in container["args"] if "--configfile" not in argument]
    assert len(kept) == len(container["args"]) - 1
    configs = ["--configfile", "config/smoke.yaml", "config/mine.yaml"]
    hurry = ["--seconds-between-status-checks=1", "--jobs=2"]
    container["args"] = [*kept, *hurry, *configs, "--", *targets]
    return job


def rule_of(job: dict) -> str:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return re.search(r"--allowed-rules (\w+)", container["args"][1])[1]


@needs_programs
@pytest.mark.long
def test_one_job(cluster):
    status, written = cluster.run(head("results/smoke/data/aime24.jsonl"))
    assert status == 0, written
    volume = cluster.claims["repro"]
    assert len(jsonl.read(volume / "results/smoke/data/aime24.jsonl")) == 4
    assert (volume / "results/smoke/data/aime24.provenance.json").is_file()
    (job,) = cluster.jobs
    validated(job)
    assert "namespace" not in job["metadata"]  # the request's address has it
    spec = job["spec"]["template"]["spec"]
    assert (spec["restartPolicy"], job["spec"]["backoffLimit"]) == ("Never", 0)
    assert spec["serviceAccountName"] == "repro-job"
    (container,) = spec["containers"]
    assert container["image"] == PROFILE["container-image"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/repro", "/workdir"}
    assert "securityContext" not in container
    assert not any("nvidia" in name for name in container["resources"]["limits"])
    # No network and no other version: the wheel of the image.
    assert "Processing /opt/wheels/snakemake_storage_plugin_fs" in cluster.logs[0].read_text()
    # The hub's token is in a Secret, which goes with the run, and the user's own nowhere.
    (variable,) = container["env"]
    reference = variable["valueFrom"]["secretKeyRef"]
    kept = cluster.secrets[reference["name"]]["data"][reference["key"]]
    assert (variable["name"], base64.b64decode(kept).decode()) == ("HF_TOKEN", HUB_TOKEN)
    assert reference["name"] in cluster.deleted
    texts = [json.dumps(job), *written, *(log.read_text() for log in cluster.logs)]
    texts += [file.read_text(errors="replace") for file in volume.rglob("*") if file.is_file()]
    for secret in (HUB_TOKEN, TOKEN, kept):
        assert not any(secret in text for text in texts)
    assert cluster.refused == []


GPU = {"gpus": 1, "training": {"steps": 16, "save_every": 3, "prompts_per_step": 2}}


@needs_programs
@pytest.mark.long
@pytest.mark.parametrize("cluster", [GPU], indirect=True)
def test_a_training_outlives_its_pods(cluster):
    """The first pod is evicted: Snakemake's retry. The second dies: Snakemake is started again."""
    volume, seen = cluster.claims["repro"], []

    def rows() -> list[dict]:
        (file,) = volume.glob("work/training/*/training.jsonl")
        return jsonl.read(file)

    def has_checkpoint(step: int) -> bool:
        return bool(list(volume.glob(f"work/training/*/checkpoint-{step}/manifest.json")))

    def kill_twice():
        for step, kill in ((3, cluster.evict), (9, lambda name: cluster.pods[name].kill())):
            while not has_checkpoint(step):
                time.sleep(0.05)
            kill(next(name for name, pod in cluster.pods.items() if rule_of(pod.job) == "train"))
            seen.append(rows()[:step])

    killer = threading.Thread(target=kill_twice, daemon=True)
    killer.start()
    run = "results/smoke/runs/tiny-qwen3/grpo+repro/0"
    status, written = cluster.run(head(f"{run}/model"))
    assert status == 0, written[-1]
    killer.join(1)
    assert len(seen) == 2
    # Times that were measured before a kill stand in the result: these steps were not run again.
    result = jsonl.read(volume / run / "training.jsonl")
    assert [row["step"] for row in result] == list(range(1, 17))
    assert [result[:3], result[:9]] == seen
    assert (volume / run / "model/model.safetensors").is_file()

    jobs = [validated(job) for job in cluster.jobs if rule_of(job) == "train"]
    assert len(jobs) == 3
    # The evicted one's retry is Snakemake's; that a pod's death ends Snakemake is the plugin's.
    assert len(written) == 2
    assert "previous terminated container" in written[0]
    for job in jobs:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert limits["nvidia.com/gpu"] == requests["nvidia.com/gpu"] == "1"
        assert limits["cpu"] == "8000m"
        for name, quantity in requests.items():
            assert 0 < parse_quantity(quantity) <= parse_quantity(limits[name])
        (toleration,) = job["spec"]["template"]["spec"]["tolerations"]
        assert toleration["key"] == "nvidia.com/gpu"
