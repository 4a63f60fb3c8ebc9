"""A receiver of webhooks whose signatures are verified by the Python library of Standard Webhooks.

Prints its port, and ends when its input is closed. The secret is the first argument.
POST / answers 204 when the library takes the request and 401 when it does not; POST /sign answers the signature that
the library makes of the body and the headers `webhook-id` and `webhook-timestamp`.
"""

import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

webhook = Webhook(sys.argv[1])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/sign":
            # The library reads a time without a zone as UTC.
            at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), tz=timezone.utc)
            signature = webhook.sign(self.headers["webhook-id"], at, body.decode())
            self.answer(200, signature.encode())
            return
        try:
            webhook.verify(body, dict(self.headers), json_parse=False)
        except Exception as error:
            self.answer(401, type(error).__name__.encode())
            return
        self.answer(204, b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # Connections that come at once wait here; those that find no room try again a second later.
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
