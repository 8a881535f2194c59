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
    return {
        **{"repo": "some/set", "revision": commit, "licence": "mit", "gated": False},
        "files": [{"path": path, "rows": len(PROBLEMS)}],
        "fields": ["id", "problem", "answer"],
        **changes,
    }


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

    def answer(self, path: str, token: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        parts = path.removeprefix("/api").strip("/").split("/")
        if parts[0] not in ("datasets", "models"):
            parts.insert(0, "models")  # files of models lie at the top
        owner, name, what, *rest = parts[1:]
        repo, revision, file = f"{owner}/{name}", "".join(rest[:1]), "/".join(rest[1:])
        if self.status or (token and token not in self.tokens):
            return self.status or 401, b"", {}
        if (repo, "main") not in self.commits:
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        # The hub shows a gated repository's commits and file names, not its files.
        gate = self.gates.get(repo, {token}) if what in ("auth-check", "resolve") else {token}
        if token not in gate:
            return 403 if token else 401, b"", {"X-Error-Code": "GatedRepo"}
        if what == "auth-check":
            return 200, b"{}", {}
        if (repo, revision) not in self.commits:
            return 404, b"", {"X-Error-Code": "RevisionNotFound"}
        commit, files = self.commits[repo, revision]
        listed = [{"type": "file", "path": p, "size": len(f)} for p, f in files.items()]
        if what in ("revision", "tree"):
            tree = [one | {"oid": "0" * 40} for one in listed]
            found = {"id": repo, "sha": commit} if what == "revision" else tree
            return 200, json.dumps(found).encode(), {}
        if file not in files:
            return 404, b"", {"X-Error-Code": "EntryNotFound"}
        etag = f'"{hashlib.sha1(files[file]).hexdigest()}"'
        return 200, files[file], {"X-Repo-Commit": commit, "ETag": etag}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body, headers = self.server.answer(path, token)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass
