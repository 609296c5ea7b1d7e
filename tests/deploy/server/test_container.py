"""Dockerfile, compose file and Kubernetes manifest, held to what they name, without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from documents import ROOT
from serving import served

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("yaml", reason="PyYAML is not installed")

import yaml

from residua.cli import app
from residua.config import ServeConfig
from residua.deploy.server.openapi import describe_api
from residua.deploy.server.running import GRACE_SECONDS, split_name

PORT = 8000


def instructions():
    """The instructions of the Dockerfile: (word, rest), the lines of each joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in joined if line.strip()]


def last(word):
    return next(rest for name, rest in reversed(instructions()) if name == word)


def options_of(arguments):
    """The models and the configuration that `residua serve` makes of arguments."""
    app.config = ()
    _, bound, _ = app.parse_args(["serve", *arguments], exit_on_error=False, print_error=False)
    return [split_name(model) for model in bound.args], bound.kwargs.get("options", ServeConfig())


def entry():
    words = json.loads(last("ENTRYPOINT"))
    assert words[:2] == ["residua", "serve"]
    return words[2:]


def test_the_image_has_no_root_and_the_port_that_it_listens_at():
    user = last("USER")
    assert all(int(part) > 999 for part in user.split(":"))
    words = [name for name, _ in instructions()]
    assert words.index("USER") > len(words) - words[::-1].index("COPY") - 1, "files belong to root"
    models, config = options_of([*entry(), *json.loads(last("CMD"))])
    assert models == [(None, None, "/models/model.safetensors")]
    assert (config.host, config.port, int(last("EXPOSE"))) == ("0.0.0.0", PORT, PORT)
    assert last("STOPSIGNAL") == "SIGTERM"


def test_the_image_is_made_of_the_wheel_alone():
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert [rule for rule in rules if not rule.startswith("#")] == ["*", "!dist/residua-*.whl"]
    assert [rest for name, rest in instructions() if name == "COPY"] == [
        "dist/residua-*.whl /wheels/",
        "--from=build /opt/residua /opt/residua",
    ]
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    asked = next(rest for name, rest in instructions() if name == "ARG" and "EXTRAS" in rest).partition("=")[
        2
    ]
    assert set(asked.split(",")) <= set(extras)


def test_the_health_check_passes_beside_a_server_and_fails_without(trained):
    words = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert words[0] == "python"

    def check(port):
        script = words[2].replace(f":{PORT}/", f":{port}/")
        return subprocess.run([sys.executable, words[1], script], capture_output=True).returncode

    with served(str(trained / "run"), trusted=("models.example",)) as ((_, port), _, _):
        assert check(port) == 0
    assert check(port) != 0


def test_compose_starts_it_without_rights():
    (service,) = yaml.safe_load((ROOT / "docs/containers/compose.yaml").read_text())["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert [place.partition(":")[0] for place in service["tmpfs"]] == ["/tmp"]
    assert all(volume["read_only"] for volume in service["volumes"])
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    models, config = options_of([*entry(), *service["command"]])
    assert models == [("pets", None, "/models/pets.safetensors")]
    assert config.keys == "/run/secrets/keys"
    assert int(service["stop_grace_period"].removesuffix("s")) >= config.drain + GRACE_SECONDS


def test_kubernetes_probes_what_there_is_and_waits_for_the_end():
    deployment, service = yaml.safe_load_all((ROOT / "docs/containers/kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == last("USER")
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert [port["containerPort"] for port in container["ports"]] == [PORT]
    paths = describe_api()["paths"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert "get" in paths[container[probe]["httpGet"]["path"]]
        assert container[probe]["httpGet"]["port"] == container["ports"][0]["name"]
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] in paths
    models, config = options_of([*entry(), *container["args"]])
    assert models == [("pets", None, "/models/pets.safetensors")]
    assert pod["terminationGracePeriodSeconds"] >= config.drain + GRACE_SECONDS
    # Told to end, it takes requests until nobody sends any: the probe has to notice meanwhile.
    probe = container["readinessProbe"]
    assert config.drain >= 2 * probe["periodSeconds"] * probe["failureThreshold"]
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in pod["volumes"]}
    assert mounted["scratch"]["mountPath"] == "/tmp"
    assert all(mount["readOnly"] for name, mount in mounted.items() if name != "scratch")
    assert config.keys.startswith(mounted["keys"]["mountPath"])
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
