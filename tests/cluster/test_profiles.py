"""What the profiles and manifests of clusters say; Snakemake takes unknown names in silence."""

import re

import pytest
import yaml
from kubernetes import client

from tests.paths import ROOT

SLURM = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
PROFILE = yaml.safe_load((ROOT / "workflow/profiles/kubernetes/config.yaml").read_text())
MANIFESTS = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest
    for file in sorted((ROOT / "workflow/kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
}


@pytest.mark.parametrize("which", MANIFESTS)
def test_manifests_are_what_kubernetes_knows(which):
    """Its client's models lose unknown fields on the way through, and raise for missing ones."""
    api, manifest = client.ApiClient(), MANIFESTS[which]
    read = api._ApiClient__deserialize(manifest, getattr(client, f"V1{manifest['kind']}"))
    assert api.sanitize_for_serialization(read) == manifest


def test_profile_and_manifests_name_the_same_things():
    pod = MANIFESTS["Job", "repro"]["spec"]["template"]["spec"]
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


def test_every_rule_that_the_slurm_profile_names_exists():
    files = [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    rules = {name for file in files for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    assert SLURM["set-resources"].keys() | SLURM["groups"].keys() <= rules
    assert SLURM["groups"].keys() <= SLURM["set-resources"].keys()


def test_a_rule_is_given_its_cores_in_one_way():
    """Slurm would reserve `cpus_per_task`, and the command be told of the threads."""
    told = {entry.split("=")[0] for entry in SLURM["set-threads"]}
    assert told == {"score"}
    assert not [rule for rule in told if "cpus_per_task" in SLURM["set-resources"].get(rule, {})]
