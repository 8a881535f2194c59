"""A Hugging Face hub on 127.0.0.1, with what huggingface_hub asks for, and a small dataset."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

PROBLEMS = [
    {"id": 60, "problem": "What is $1 + 1$?", "answer": "2", "url": "x"},
    {"id": 61, "problem": "When does 2024 begin?", "answer": "2024-01-01", "url": "y"},
    {"id": 62, "problem": "Wie groß ist π?\nGenau.", "answer": "\\pi", "url": "z"},
]


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def pin(commit: str, path: str = "test.jsonl", **changes) -> dict:
    pins = {"repo": "some/set", "revision": commit, "licence": "mit", "gated": False}
    pins |= {"files": [{"path": path, "rows": 3}], "fields": ["id", "problem", "answer"]}
    return pins | changes


class FakeHub(ThreadingHTTPServer):
    """Repositories with commits and gates; `requests` lists what was asked, in order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.commits: dict[tuple[str, str], tuple[str, dict[str, bytes]]] = {}  # by revision
        self.gates: dict[str, set[str]] = {}  # repository: tokens whose owners accepted the terms
        self.tokens = {"valid"}  # all tokens the hub knows
        self.requests: list[str] = []
        self.status: int | None = None  # every request is refused with it
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def push(self, repo: str, files: dict[str, bytes | str]) -> str:
        """Commit files to main and return the commit."""
        content = {p: f.encode() if isinstance(f, str) else f for p, f in files.items()}
        commit = hashlib.sha1(repr((repo, len(self.commits), content)).encode()).hexdigest()
        self.commits[repo, commit] = self.commits[repo, "main"] = commit, content
        return commit

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, path: str, token: str) -> tuple[int, str | bytes, dict[str, str]]:
        """Return status, body and headers."""
        parts = path.removeprefix("/api").strip("/").split("/")
        owner, name, what, *rest = parts[parts[0] in ("datasets", "models") :]
        repo, revision, file = f"{owner}/{name}", "".join(rest[:1]), "/".join(rest[1:])
        # The hub shows a gated repository's commits and file names, not its files.
        gate = self.gates.get(repo, {token}) if what in ("auth-check", "resolve") else {token}
        commit, files = self.commits.get((repo, revision), ("", {}))
        wrong = {
            "RepoNotFound": (repo, "main") not in self.commits,
            "GatedRepo": token not in gate,
            "RevisionNotFound": what != "auth-check" and not commit,
            "EntryNotFound": what == "resolve" and file not in files,
        }
        if self.status or (token and token not in self.tokens):
            return self.status or 401, "", {}
        if code := next((code for code in wrong if wrong[code]), None):
            status = 404 if code != "GatedRepo" else 403 if token else 401
            return status, "", {"X-Error-Code": code}
        one = {"type": "file", "size": 1, "oid": "0" * 40}
        known = {"auth-check": {}, "revision": {"id": repo, "sha": commit}}
        known["tree"] = [{**one, "path": path} for path in files]
        if what in known:
            return 200, json.dumps(known[what]), {}
        etag = f'"{hashlib.sha1(files[file]).hexdigest()}"'
        return 200, files[file], {"X-Repo-Commit": commit, "ETag": etag}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body, headers = self.server.answer(path, token)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass
