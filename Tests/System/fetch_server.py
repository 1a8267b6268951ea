#!/usr/bin/env python3
"""A file server on a loopback port for fetch.sh: fetch_server.py FOLDER LOG.

Prints its port. Below /whole/ it serves files and ranges of them, below /noranges/ files only, below /cut/ half of what is
asked for, below /slow/ a tenth at once and the rest never, below /redirect/ it points to /whole/. LOG gets a line a request.
"""
import http.server
import os
import sys
import time

FOLDER, LOG = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, _, name = self.path[1:].partition("/")
        wanted = self.headers.get("Range", "")
        with open(LOG, "a") as log:
            log.write(f"{self.path} {wanted}\n")
        file = os.path.join(FOLDER, os.path.basename(name))
        if not os.path.isfile(file):
            self.send_error(404)
            return
        with open(file, "rb") as opened:
            content = opened.read()
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/whole/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and kind != "noranges" else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        if kind == "cut":
            self.wfile.write(rest[:len(rest) // 2])
            self.close_connection = True
        elif kind == "slow":
            self.wfile.write(rest[:len(rest) // 10])
            self.wfile.flush()
            time.sleep(60)
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
