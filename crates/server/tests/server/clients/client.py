"""What the official Python client does in a day: create, watch, patch, log, exec, forward, delete."""

import sys

from kubernetes import client, config, watch
from kubernetes.stream import portforward, stream

config.load_kube_config(config_file=sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()

labels = {"app": "web"}
container = client.V1Container(name="web", image="nginx:1.27", ports=[client.V1ContainerPort(container_port=80)])
template = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
)
spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=template)
apps.create_namespaced_deployment("default", client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))

for event in watch.Watch().stream(core.list_namespaced_pod, "default", label_selector="app=web", timeout_seconds=60):
    pod = event["object"]
    if pod.status.phase == "Running" and all(status.ready for status in pod.status.container_statuses):
        break
name = pod.metadata.name

scaled = apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 2}})
assert scaled.spec.replicas == 2, scaled
assert "start worker process" in core.read_namespaced_pod_log(name, "default")

said = stream(
    core.connect_get_namespaced_pod_exec,
    name,
    "default",
    command=["sh", "-c", "echo hello"],
    stdout=True,
    stderr=True,
    stdin=False,
    tty=False,
)
assert said == "hello\n", repr(said)

forward = portforward(core.connect_get_namespaced_pod_portforward, name, "default", ports="80")
socket = forward.socket(80)
socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
answer = b""
while piece := socket.recv(4096):
    answer += piece
assert answer.startswith(b"HTTP/1.1 200 OK"), answer

try:
    core.read_namespaced_pod("none", "default")
    raise AssertionError("there is no such Pod")
except client.ApiException as error:
    assert error.status == 404, error

apps.delete_namespaced_deployment("web", "default", propagation_policy="Foreground")
print("ok")
