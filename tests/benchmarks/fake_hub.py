"""A Hugging Face hub on 127.0.0.1, with what huggingface_hub asks for, and a small dataset."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from repro.benchmarks import hub

PROBLEMS = [
    {"id": 60, "problem": "What is $1 + 1$?", "answer": "2", "url": "x"},
    {"id": 61, "problem": "When does 2024 begin?", "answer": "2024-01-01", "url": "y"},
    {"id": 62, "problem": "Wie groß ist π?\nGenau.", "answer": "\\pi", "url": "z"},
]
KEPT = [{k: row[k] for k in ("id", "problem", "answer")} for row in PROBLEMS]


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def pin(commit: str, path: str = "test.jsonl", content: str | bytes | None = None, **changes):
    file = {"path": path, "rows": len(PROBLEMS)}
    if content is not None:
        content = content.encode() if isinstance(content, str) else content
        file["sha256"] = hashlib.sha256(content).hexdigest()
    return {
        "repo": "some/set",
        "revision": commit,
        "files": [file],
        "fields": ["id", "problem", "answer"],
        "checksum": {"fields": ["id", "answer"], "sha256": hub.checksum(KEPT, ["id", "answer"])},
        "licence": "mit",
        "gated": False,
    } | changes


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


class FakeHub:
    """Datasets with commits, branches and gates; `requests` lists what was asked, in order."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, dict[str, bytes]]] = {}  # repository, commit, path
        self.branches: dict[str, dict[str, str]] = {}
        self.gates: dict[str, set[str]] = {}  # repository: tokens whose owners accepted the terms
        self.tokens = {"valid"}  # all tokens the hub knows
        self.requests: list[str] = []
        self.cut_at: int | None = None  # the next file breaks off after so many bytes,
        self.dies = False  # and after that nothing is answered any more
        self.dead = False
        self.status: int | None = None  # every request is refused with it
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def push(self, repo: str, files: dict[str, bytes | str], branch: str = "main") -> str:
        """Commit files to a branch and return the commit."""
        content = {p: f.encode() if isinstance(f, str) else f for p, f in files.items()}
        number = len(self.commits.setdefault(repo, {}))
        commit = hashlib.sha1(f"{repo} {number} {sorted(content.items())}".encode()).hexdigest()
        self.commits[repo][commit] = content
        self.branches.setdefault(repo, {})[branch] = commit
        return commit

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def files_asked_for(self) -> list[str]:
        return [line.split("/")[-1] for line in self.requests if line.startswith("GET /datasets/")]

    def _handler(server):
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer()

            def do_GET(self):
                self.answer()

            def log_message(self, *_):
                pass

            def answer(self):
                path = unquote(urlsplit(self.path).path)
                server.requests.append(f"{self.command} {path}")
                if server.dead:
                    self.close_connection = True
                    return
                if server.status:
                    self.refuse(server.status, "")
                    return
                parts = path.removeprefix("/api").strip("/").split("/")
                if parts[0] not in ("datasets", "models"):
                    parts.insert(0, "models")  # files of models stand at the top
                repo, (what, *rest) = "/".join(parts[1:3]), parts[3:] or ("",)
                if repo not in server.commits:
                    self.refuse(404, "RepoNotFound")
                elif self.is_refused(repo, what):
                    pass
                elif what == "auth-check":
                    self.send_json({})
                else:
                    self.send_revision(repo, what, *rest)

            def is_refused(self, repo: str, what: str) -> bool:
                """The hub shows a gated repository's commits and file names, not its files."""
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                if token and token not in server.tokens:
                    self.refuse(401, "", "Invalid credentials in Authorization header")
                    return True
                if repo not in server.gates or what in ("revision", "tree", ""):
                    return False
                if token not in server.gates[repo]:
                    self.refuse(403 if token else 401, "GatedRepo")
                    return True
                return False

            def send_revision(self, repo: str, what: str, revision: str = "main", *path: str):
                commit = server.branches[repo].get(revision, revision)
                if commit not in server.commits[repo]:
                    self.refuse(404, "RevisionNotFound")
                    return
                files = server.commits[repo][commit]
                if what == "revision":
                    self.send_json({"id": repo, "sha": commit})
                elif what == "tree":
                    self.send_json(
                        [
                            {"type": "file", "path": name, "size": len(file), "oid": "0" * 40}
                            for name, file in files.items()
                        ]
                    )
                elif "/".join(path) in files:
                    self.send_file(files["/".join(path)], commit)
                else:
                    self.refuse(404, "EntryNotFound")

            def send_file(self, content: bytes, commit: str):
                start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
                self.send_response(206 if start else 200)
                self.send_header("X-Repo-Commit", commit)
                self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
                self.send_header("Content-Length", str(len(content) - start))
                if start:
                    self.send_header(
                        "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                    )
                self.end_headers()
                if self.command == "HEAD":
                    return
                if server.cut_at is not None:
                    content, server.cut_at, server.dead = (
                        content[: server.cut_at],
                        None,
                        server.dies,
                    )
                self.wfile.write(content[start:])

            def send_json(self, content):
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def refuse(self, status: int, code: str, message: str = ""):
                self.send_response(status)
                if code:
                    self.send_header("X-Error-Code", code)
                if message:
                    self.send_header("X-Error-Message", message)
                self.send_header("Content-Length", "0")
                self.end_headers()

        return Handler
