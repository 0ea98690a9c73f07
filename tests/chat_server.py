"""A small server that speaks /v1/chat/completions on this machine, and misbehaves as it is told to."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAID = "[EXPLANATION]: words about cats"


class ChatServer:
    """script: what it does at each call, in order, the last for ever: the name of a method of `Handler`, a text to say,
    or a function that makes one of what was asked."""

    def __init__(self, *script):
        self.script, self.calls, self.lock = list(script) or [SAID], [], threading.Lock()
        self.now = self.most = 0
        owner = self

        class Bound(Handler):
            chat = owner

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def asked(self) -> list[str]:
        """The last thing that the user said, of each call."""
        return [call["body"]["messages"][-1]["content"] for call in self.calls]


class Handler(BaseHTTPRequestHandler):
    chat: ChatServer

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.chat.lock:
            self.chat.calls.append({"path": self.path, "headers": dict(self.headers), "body": body})
            step = self.chat.script[min(len(self.chat.calls), len(self.chat.script)) - 1]
        if callable(step):
            self.say(step(body["messages"]))
        elif re.fullmatch(r"\w+", step):
            getattr(self, f"do_{step}")(body)
        else:
            self.say(step)

    def do_GET(self):
        self.chat.calls.append({"path": self.path, "headers": dict(self.headers), "body": None})
        self.send(200, b"{}")

    def send(self, status: int, content: bytes, kind: str = "application/json", **headers: str):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def say(self, text: str | None):
        self.send(200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())

    def do_slow(self, _):
        time.sleep(1.5)
        self.say(SAID)

    def do_drips(self, _):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        for _ in range(30):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def do_floods(self, _):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        for _ in range(6):
            self.wfile.write(b" " * 2**20)

    def do_busy(self, _):
        self.send(429, b"{}", Retry_After="7")

    def do_busy_for_hours(self, _):
        self.send(429, b"{}", Retry_After="7200")

    def do_fails(self, _):
        self.send(500, b"oops", "text/plain")

    def do_refuses(self, _):
        self.send(401, f"no: {self.headers.get('Authorization')}".encode(), "text/plain")

    def do_forbids(self, _):
        self.send(403, b"{}")

    def do_bad_request(self, _):
        self.send(400, json.dumps({"error": {"message": f"bad: {self.headers.get('Authorization')}"}}).encode())

    def do_unknown_model(self, _):
        self.send(404, b'{"error": "no such model"}')

    def do_not_json(self, _):
        self.send(200, b'{"choices": [')

    def do_no_choices(self, _):
        self.send(200, b'{"choices": []}')

    def do_a_list(self, _):
        self.send(200, b'{"choices": [{"message": {"content": [1]}}]}')

    def do_nothing(self, _):
        self.say(None)

    def do_html(self, _):
        self.send(200, b"<html>log in</html>", "text/html")

    def do_closes(self, _):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices"')
        self.wfile.flush()
        self.connection.close()

    def do_moves(self, _):
        self.send(302, b"", Location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")

    def do_echoes(self, _):
        self.say(f"[EXPLANATION]: the header is {self.headers.get('Authorization')}")

    def do_picky(self, body):
        """A newer model: no max_tokens, no temperature."""
        for name, told in (
            ("max_tokens", "Use 'max_completion_tokens' instead."),
            ("temperature", "Only 1 is supported."),
        ):
            if name in body:
                return self.send(400, json.dumps({"error": {"message": f"Unsupported: '{name}'. {told}"}}).encode())
        return self.say(SAID)
