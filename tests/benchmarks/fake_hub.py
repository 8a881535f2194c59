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
KEPT = [{k: row[k] for k in ("id", "problem", "answer")} for row in PROBLEMS]


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def pin(commit: str, path: str = "test.jsonl", **changes) -> dict:
    return {
        "repo": "some/set",
        "revision": commit,
        "files": [{"path": path, "rows": len(PROBLEMS)}],
        "fields": ["id", "problem", "answer"],
        "licence": "mit",
        "gated": False,
    } | changes


class FakeHub:
    """Repositories with commits and gates; `requests` lists what was asked, in order."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, dict[str, bytes]]] = {}  # repository, commit, path
        self.gates: dict[str, set[str]] = {}  # repository: tokens whose owners accepted the terms
        self.tokens = {"valid"}  # all tokens the hub knows
        self.requests: list[str] = []
        self.status: int | None = None  # every request is refused with it
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def push(self, repo: str, files: dict[str, bytes | str]) -> str:
        """Commit files to main and return the commit."""
        content = {p: f.encode() if isinstance(f, str) else f for p, f in files.items()}
        commits = self.commits.setdefault(repo, {})
        name = f"{repo} {len(commits)} {sorted(content.items())}"
        commit = hashlib.sha1(name.encode()).hexdigest()
        commits[commit] = commits["main"] = content
        return commit

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            parts = path.removeprefix("/api").strip("/").split("/")
            if parts[0] not in ("datasets", "models"):
                parts.insert(0, "models")  # files of models stand at the top
            repo, (what, *rest) = "/".join(parts[1:3]), parts[3:] or ("",)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            # The hub shows a gated repository's commits and file names, not its files.
            gated = repo in hub.gates and what not in ("revision", "tree", "")
            if hub.status or (token and token not in hub.tokens):
                self.send(b"", status=hub.status or 401)
            elif repo not in hub.commits:
                self.send(b"", {"X-Error-Code": "RepoNotFound"}, 404)
            elif gated and token not in hub.gates[repo]:
                self.send(b"", {"X-Error-Code": "GatedRepo"}, 403 if token else 401)
            elif what == "auth-check":
                self.send(b"{}")
            else:
                self.send_revision(repo, what, *rest)

        do_HEAD = do_GET

        def send_revision(self, repo: str, what: str, revision: str = "main", *path: str):
            files = hub.commits[repo].get(revision)
            if files is None:
                self.send(b"", {"X-Error-Code": "RevisionNotFound"}, 404)
                return
            commit = next(c for c, of in hub.commits[repo].items() if of is files and c != "main")
            listed = [
                {"type": "file", "path": name, "size": len(file), "oid": "0" * 40}
                for name, file in files.items()
            ]
            if what in ("revision", "tree"):
                found = {"id": repo, "sha": commit} if what == "revision" else listed
                self.send(json.dumps(found).encode())
            elif (content := files.get("/".join(path))) is not None:
                etag = f'"{hashlib.sha1(content).hexdigest()}"'
                self.send(content, {"X-Repo-Commit": commit, "ETag": etag})
            else:
                self.send(b"", {"X-Error-Code": "EntryNotFound"}, 404)

        def send(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
