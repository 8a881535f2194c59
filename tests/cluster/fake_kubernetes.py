"""A Kubernetes cluster in this process: an API on 127.0.0.1, and containers that really run.

A container is its command in bubblewrap: this machine's programs, the claims' folders where the
manifest mounts them, an empty folder for every `emptyDir`, the image's variables and none of ours.
"""

import base64
import json
import os
import secrets
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TOKEN = secrets.token_hex(16)


def inside(mounts: dict[str, Path], directory: str) -> list[str]:
    """Return bubblewrap's call for this machine, with other folders at some paths."""
    command = ["bwrap"]
    for path in Path("/").iterdir():
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.name not in ("proc", "dev"):
            command += ["--bind", str(path), str(path)]
    command += ["--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
    for target, source in mounts.items():
        command += ["--bind", str(source), target]
    return [*command, "--chdir", directory, "--"]


class Pod:
    """A job's only pod; its container runs from the start."""

    def __init__(self, job: dict, command: list[str], environment: dict, log: Path) -> None:
        self.job, self.name = job, f"{job['metadata']['name']}-x7k2p"
        how = {"env": environment, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command, stdout=file, start_new_session=True, **how)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def status(self) -> dict:
        """Return the status of the job."""
        code = self.process.poll()
        return {None: {"active": 1}, 0: {"succeeded": 1}}.get(code, {"failed": 1})

    def description(self) -> dict:
        code = self.process.poll()
        state = {"running": {}}
        if code is not None:
            state = {"terminated": {"exitCode": code if code >= 0 else 128 - code}}
        status = {"name": "snakemake", "image": "", "imageID": "", "ready": code is None}
        status |= {"restartCount": 0, "state": state}
        return {
            "metadata": {"name": self.name, "labels": {"job-name": self.job["metadata"]["name"]}},
            "spec": self.job["spec"]["template"]["spec"],
            "status": {"containerStatuses": [status]},
        }


class FakeCluster:
    """A namespace; `jobs` and `secrets` keep what was ever created in it, `refused` what was not.

    Args:
        folder: receives the containers' logs and empty folders, and a kubeconfig.
        namespace: the only one that exists.
        claims: folders by the name of their persistent volume claim.
        variables: of the image of all containers.
        folders: of that image, by their path in it.
        rules: what the bearer of the kubeconfig may do, as in a Role.
        secrets: that are there from the start: values by name and key.
    """

    def __init__(
        self,
        folder: Path,
        namespace: str,
        claims: dict[str, Path],
        variables: dict[str, str],
        folders: dict[str, Path],
        rules: list[dict],
        secrets: dict[str, dict[str, str]],
    ) -> None:
        self.folder, self.namespace, self.claims, self.rules = folder, namespace, claims, rules
        self.variables, self.folders = variables, folders
        self.jobs: list[dict] = []
        self.secrets = {
            name: {"data": {key: base64.b64encode(value.encode()).decode()}}
            for name, values in secrets.items()
            for key, value in values.items()
        }
        self.pods: dict[str, Pod] = {}  # by their job
        self.ended: dict[str, dict] = {}  # the status of jobs whose pod is gone
        self.logs: list[Path] = []
        self.deleted: list[str] = []
        self.refused: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(self._kubeconfig()))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for pod in self.pods.values():
            pod.kill()

    def run(self, job: dict) -> tuple[int, list[str]]:
        """Carry out a job as its controller does: (status, what each attempt wrote)."""
        spec, written = job["spec"]["template"]["spec"], []
        for attempt in range(job["spec"]["backoffLimit"] + 1):
            for container in (*spec.get("initContainers", []), *spec["containers"]):
                command, environment = self._call(f"attempt-{attempt}", spec, container)
                environment["KUBECONFIG"] = str(self.kubeconfig)
                how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
                done = subprocess.run(command, env=environment, stderr=subprocess.STDOUT, **how)
                if done.returncode:
                    break
            written.append(done.stdout)
            if done.returncode == 0:
                break
        return done.returncode, written

    def evict(self, job: str) -> None:
        """A node is lost, and the pod with it."""
        self.pods[job].kill()
        self.ended[job] = {"failed": 1}
        self.pods.pop(job)

    def _kubeconfig(self) -> dict:
        address = f"http://127.0.0.1:{self._server.server_port}"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
            "clusters": [{"name": "fake", "cluster": {"server": address}}],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
        }

    def _start(self, job: dict) -> None:
        self.jobs.append(job)
        name, spec = job["metadata"]["name"], job["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        self.logs.append(self.folder / f"{name}.log")
        self.pods[name] = Pod(job, *self._call(name, spec, container), self.logs[-1])

    def _call(self, name: str, spec: dict, container: dict) -> tuple[list[str], dict[str, str]]:
        """Return a container's call and its environment."""
        volumes = {}
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                volumes[volume["name"]] = self.claims[volume["persistentVolumeClaim"]["claimName"]]
            else:
                volumes[volume["name"]] = self.folder / f"{name}-{volume['name']}"
                volumes[volume["name"]].mkdir()
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        command = inside(self.folders | mounts, container.get("workingDir", "/"))
        variables = dict(map(self._variable, container.get("env", [])))
        return command + container["command"] + container["args"], self.variables | variables

    def _variable(self, variable: dict) -> tuple[str, str]:
        if "value" in variable:
            return variable["name"], variable["value"]
        wanted = variable["valueFrom"]["secretKeyRef"]
        value = self.secrets[wanted["name"]]["data"][wanted["key"]]
        return variable["name"], base64.b64decode(value).decode()

    def _allows(self, group: str, resource: str, verb: str) -> bool:
        return any(
            group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"]
            for rule in self.rules
        )

    def _handler(cluster):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer()

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                address = urlsplit(self.path)
                query = parse_qs(address.query)
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self.refuse(401, "Unauthorized")
                    return
                match address.path.strip("/").split("/"):
                    case ["api", "v1", "namespaces", cluster.namespace, kind, *rest]:
                        group = ""
                    case ["apis", "batch", "v1", "namespaces", cluster.namespace, kind, *rest]:
                        group = "batch"
                    case _:
                        self.refuse(404, "no such namespace or group")
                        return
                name, *below = rest or [None]
                verb = {"POST": "create", "DELETE": "delete", "GET": "get" if name else "list"}
                verb, resource = verb[self.command], "/".join([kind, *below])
                if not cluster._allows(group, resource, verb):
                    self.refuse(403, f"forbidden: {verb} {resource}")
                elif name and kind == "jobs" and name not in cluster.pods | cluster.ended:
                    self.refuse(404, f"no job {name}")
                else:
                    self.carry_out(f"{verb} {resource}", name, query, body)

            def carry_out(self, what: str, name: str | None, query: dict, body: bytes):
                match what:
                    case "create secrets":
                        secret = json.loads(body)
                        cluster.secrets[secret["metadata"]["name"]] = secret
                        self.send(201, secret)
                    case "create jobs":
                        job = json.loads(body)
                        cluster._start(job)
                        self.send(201, job)
                    case "get jobs/status":
                        pod = cluster.pods.get(name)
                        status = pod.status() if pod else cluster.ended[name]
                        self.send(200, {"metadata": {"name": name}, "status": status})
                    case "list pods":
                        (selector,) = query["labelSelector"]
                        pod = cluster.pods.get(selector.removeprefix("job-name="))
                        self.send(200, {"items": [pod.description()] if pod else []})
                    case "get pods/log" if query.get("previous", ["False"]) != ["False"]:
                        # A container that is never restarted has no instance before this one.
                        self.refuse(
                            400, f'previous terminated container "snakemake" in {name} not found'
                        )
                    case "delete jobs":
                        if name in cluster.pods:
                            cluster.pods.pop(name).kill()
                        cluster.deleted.append(name)
                        self.send(200, {"kind": "Status", "status": "Success"})
                    case "delete secrets" | "delete pods":
                        cluster.deleted.append(name)
                        self.send(200, {"kind": "Status", "status": "Success"})
                    case _:
                        self.refuse(405, what)

            def send(self, status: int, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def refuse(self, status: int, message: str):
                cluster.refused.append(f"{status} {self.command} {self.path}")
                content = {"kind": "Status", "status": "Failure", "message": message}
                self.send(status, content | {"code": status})

        return Handler
