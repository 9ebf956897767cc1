# Gives the first container of every Pod other arguments.
import base64
import json
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer

PATCH = [{"op": "add", "path": "/spec/containers/0/args", "value": ["echo rewritten; exit 9"]}]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        size = int(self.headers["Content-Length"])
        review = json.loads(self.rfile.read(size))
        review["response"] = {
            "uid": review.pop("request")["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(PATCH).encode()).decode(),
        }
        answer = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


server = HTTPServer(("", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/server/certificate", "/server/key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
