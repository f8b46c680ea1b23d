"""The manifests: by the schemas of Kubernetes, and at one with each other and with the image."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
OURS = {"app.kubernetes.io/name": "losswatch"}
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS = {
    name: yaml.safe_load((FOLDER / name).read_text()) for name in KUSTOMIZATION["resources"]
}
OF_KUBERNETES = [name for name in MANIFESTS if name != "servicemonitor.yaml"]
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def by_kind(kind):
    (manifest,) = (m for m in MANIFESTS.values() if m["kind"] == kind)
    return manifest


POD = by_kind("StatefulSet")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OF_KUBERNETES)
def test_manifests_are_right(name, version):
    """Strictly: a key that Kubernetes does not know is a mistake."""
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_a_wrong_manifest_is_seen():
    """The check above would notice a key that is misspelled."""
    wrong = {**by_kind("PodDisruptionBudget"), "spec": {"maxUnavailible": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_file_takes_part():
    """Each is a resource or in the config map, and each of those is there."""
    (config,) = KUSTOMIZATION["configMapGenerator"]
    named = {*KUSTOMIZATION["resources"], *config["files"], "kustomization.yaml"}
    assert named == {path.name for path in FOLDER.iterdir()}
    assert {path.suffix for path in FOLDER.iterdir()} == {".yaml", ".yml"}


def test_the_config_is_that_of_the_rules():
    """So that alerts and dashboard are of what runs."""
    config = (FOLDER / "losswatch.yml").read_text()
    assert config == (ROOT / "config" / "objective.yml").read_text()


def test_selectors_select_the_pod():
    """Of the set, the service, the budget, the policy, the monitor; the job is the service."""
    assert POD["metadata"]["labels"] == OURS
    assert by_kind("StatefulSet")["spec"]["selector"]["matchLabels"] == OURS
    assert by_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == OURS
    assert by_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == OURS
    service = by_kind("Service")
    assert service["spec"]["selector"] == OURS
    assert service["metadata"]["name"] == "losswatch"
    assert (
        by_kind("ServiceMonitor")["spec"]["selector"]["matchLabels"]
        == service["metadata"]["labels"]
    )


def test_ports_have_one_name():
    """The container's, the service's, the policy's, the monitor's and that of all probes."""
    (port,) = CONTAINER["ports"]
    (exposed,) = by_kind("Service")["spec"]["ports"]
    (endpoint,) = by_kind("ServiceMonitor")["spec"]["endpoints"]
    (rule,) = by_kind("NetworkPolicy")["spec"]["ingress"]
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert port == {"name": "http", "containerPort": 18100}
    assert (exposed["name"], exposed["port"], exposed["targetPort"]) == ("http", 18100, "http")
    assert endpoint["port"] == "http"
    probes = {
        name: CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {probe["port"] for probe in probes.values()} == {"http"}
    assert [probe["path"] for probe in probes.values()] == ["/-/healthy", "/-/healthy", "/-/ready"]


def test_the_pod_may_do_nothing():
    """What the restricted standard asks for, and a root that cannot be written."""
    assert by_kind("Namespace")["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }
    pod, container = POD["spec"]["securityContext"], CONTAINER["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    user = (ROOT / "deploy/docker/Dockerfile").read_text().partition("\nUSER ")[2].split(":")[0]
    assert {pod[name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {int(user)}


def test_the_state_has_one_writer_and_a_volume():
    """One replica, where the image keeps its state; it may be moved, and the state is kept."""
    spec = by_kind("StatefulSet")["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert spec["replicas"] == 1
    assert claim["metadata"]["name"] == "state"
    assert f"STATE_DIRECTORY={mounts['state']}\n" in (ROOT / "deploy/docker/Dockerfile").read_text()
    assert mounts["config"] == "/etc/losswatch"
    assert by_kind("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
