"""Hostile HTTP clients against a running daemon: SOCKET PORT TOKEN DATA WORK. Ends with status 1 after the first wrong answer."""
import base64, glob, json, os, random, resource, socket, subprocess, sys, threading, time

SOCKET, PORT, TOKEN, DATA, WORK = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
PHOTO = open(f"{DATA}/corel1k/7.jpg", "rb").read()
AUTH = f"Authorization: Bearer {TOKEN}\r\n"
HOST = f"Host: 127.0.0.1:{PORT}\r\n"
count = 0


def connect(tcp=False, timeout=120):
    peer = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    peer.settimeout(timeout)
    peer.connect(("127.0.0.1", PORT) if tcp else SOCKET)
    return peer


def parse(data):
    """(status, fields, body) of the first reply, or (0, {}, b'') where there is none."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1."):
        return 0, {}, b""
    if lines[0].split()[1] == "100":
        return parse(body)
    return int(lines[0].split()[1]), {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}, body


def receive(peer):
    """Everything until the peer closes, or the first whole reply."""
    data = b""
    while True:
        try:
            piece = peer.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            break
        data += piece
        status, fields, body = parse(data)
        if not piece or (status and len(body) >= int(fields.get("content-length", 1 << 40))):
            break
    return parse(data)


def raw(data, tcp=False, half_close=False):
    peer = connect(tcp)
    try:
        peer.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass
    if half_close:
        peer.shutdown(socket.SHUT_WR)
    reply = receive(peer)
    peer.close()
    return reply


def request(method, target, body=b"", fields="", tcp=False, length=True):
    head = f"{method} {target} HTTP/1.1\r\n{HOST if tcp else 'Host: d' + chr(13) + chr(10)}{fields}"
    if body and length:
        head += f"Content-Length: {len(body)}\r\n"
    return raw((head + "\r\n").encode("latin-1") + body, tcp)


def expect(what, reply, *statuses, kind=None):
    global count
    status, fields, body = reply
    if status not in statuses:
        sys.exit(f"{what}: status {status}, wanted {statuses}: {body[:300]!r}")
    if status >= 400 and body:
        # What the library cannot read as a request at all, it answers itself, in HTML.
        if b"<html><head><title>" in body and status in (400, 413, 414, 431):
            count += 1
            return
        if not fields.get("content-type", "").startswith("application/problem+json"):
            sys.exit(f"{what}: {status} is no problem+json: {fields} {body[:200]!r}")
        problem = json.loads(body)
        if problem.get("status") != status or "kind" not in problem or "detail" not in problem:
            sys.exit(f"{what}: incomplete problem: {problem}")
        if kind and problem["kind"] != kind:
            sys.exit(f"{what}: kind {problem['kind']}, wanted {kind}")
        if status == 503 and "retry-after" not in fields:
            sys.exit(f"{what}: 503 without Retry-After")
    count += 1


def malformed():
    expect("no request line", raw(b"nonsense\r\n\r\n", half_close=True), 400, 0)
    expect("binary noise", raw(random.Random(1).randbytes(5000), half_close=True), 400, 431, 0, 501, 414)
    expect("zero bytes", raw(b"\0" * 300 + b"\r\n\r\n", half_close=True), 400, 0)
    expect("a TLS hello", raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200, half_close=True), 400, 0)
    expect("no Host", raw(b"GET /healthz HTTP/1.1\r\n\r\n"), 400)
    expect("two Hosts", raw(b"GET /healthz HTTP/1.1\r\nHost: d\r\nHost: e\r\n\r\n"), 400)
    post = b"POST /v1/search HTTP/1.1\r\nHost: d\r\n"
    expect("two lengths", raw(post + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400)
    expect("two unlike lengths", raw(post + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc"), 400)
    both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    expect("length and chunks", raw(post + both), 400)
    expect("chunks and length", raw(post + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400)
    expect("another coding", raw(post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400)
    for length in ("-1", "+3", "3,3", "0x3", "99999999999999999999", "3 4", ""):
        reply = raw(post + f"Content-Length: {length}\r\n\r\nabc".encode(), half_close=True)
        expect(f"length {length!r}", reply, 400, 413, 0)
    expect("a bad chunk", raw(post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", half_close=True), 400, 0)
    huge = b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"
    expect("a chunk without end", raw(post + huge, half_close=True), 400, 413, 0)
    expect("a long header", request("GET", "/healthz", fields=f"X-Long: {'a' * 17000}\r\n"), 431)
    expect("a very long header", request("GET", "/healthz", fields=f"X-Long: {'a' * 200000}\r\n"), 431, 413, 400, 0)
    expect("many fields", request("GET", "/healthz", fields="".join(f"X-{i}: 1\r\n" for i in range(200))), 431)
    expect("a long target", request("GET", "/" + "a" * 100000), 414, 431, 404, 400, 0)
    expect("no body", request("POST", "/v1/search", fields="Content-Length: 0\r\n"), 400)


def oversized():
    head = "POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n" % (64 << 20)
    expect("too long, with Expect", raw((head + "Expect: 100-continue\r\n\r\n").encode()), 413)
    expect("too long, nothing sent", raw((head + "\r\n").encode()), 413)
    expect("too long, sent at once", raw((head + "\r\n").encode() + bytes(40 << 20)), 413, 0)
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    chunked = b"POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
    expect("too long, in chunks", raw(chunked + chunk * 36 + b"0\r\n\r\n"), 413)
    expect("far too long, in chunks", raw(chunked + chunk * 64 + b"0\r\n\r\n"), 413, 0)
    expect("a body where none goes", request("GET", "/v1/status", body=b"x" * 1000), 400)
    expect("a long change", request("POST", "/v1/roots", b"x" * 100000, "Content-Type: application/json\r\n"), 413)
    expect("a model beyond the limit", raw(f"PUT /v1/models/x HTTP/1.1\r\nHost: d\r\nContent-Length: {1 << 40}\r\n\r\n".encode()), 413)


def truncated():
    head = f"POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: {len(PHOTO)}\r\n\r\n".encode()
    for sent in (0, 1, len(PHOTO) // 2, len(PHOTO) - 1):
        expect(f"a photo cut after {sent}", raw(head + PHOTO[:sent], half_close=True), 0, 400)
    expect("half a photo that says so", request("POST", "/v1/search", PHOTO[: len(PHOTO) // 2]), 400, 422)
    model = b"PUT /v1/models/cut HTTP/1.1\r\nHost: d\r\nContent-Length: 1000000\r\n\r\n" + bytes(5000)
    expect("a model cut short", raw(model, half_close=True), 0, 400)
    for _ in range(20):  # Gone before the answer.
        peer = connect()
        peer.sendall(head + PHOTO)
        peer.close()


def slow():
    """A header by drips and none at all: cut at the deadline of 10 s, whatever trickles."""
    drip, silent, idle = connect(), connect(), connect()
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: d\r\n\r\n")
    expect("the first request of a connection that stays", receive(idle), 200)
    start, text = time.monotonic(), b"GET /healthz HTTP/1.1\r\nHost: d\r\nX-Drip: " + b"a" * 1000
    for byte in text:
        try:
            drip.sendall(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            break
        if time.monotonic() - start > 25:
            sys.exit("a dripping header is not cut")
        time.sleep(0.2)
    expect("a dripping header", receive(drip), 408, 0)
    expect("a silent connection", receive(silent), 408, 0)
    if not 8 < time.monotonic() - start < 25:  # An idle connection is closed after 30 s.
        sys.exit(f"a slow header was cut after {time.monotonic() - start:.1f} s")
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: d\r\n\r\n")
    expect("an idle connection of 10 s", receive(idle), 200)


def crowd():
    """200 searches at once: each gets 200, or 503 with Retry-After; none hangs."""
    tally, lock, begin = {}, threading.Lock(), threading.Barrier(200)

    def ask():
        begin.wait()
        try:
            reply = request("POST", "/v1/search?limit=1", PHOTO)
        except OSError as error:  # Refused in the middle of sending: no reply could be read.
            reply = (type(error).__name__, {}, b"")
        with lock:
            tally[reply[0]] = tally.get(reply[0], 0) + 1
            if reply[0] == 503:
                expect("one of 200", reply, 503, kind="overloaded")

    start = time.monotonic()
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(200)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(300)
    seconds = time.monotonic() - start
    print(f"200 searches at once: {tally} in {seconds:.1f} s")
    if any(thread.is_alive() for thread in threads) or set(tally) - {200, 503}:
        sys.exit(f"200 at once: {tally}")
    if tally.get(200, 0) < 8:
        sys.exit("200 at once: hardly one was served")


def wrong():
    for method, path in (("DELETE", "/v1/search"), ("PUT", "/v1/status"), ("POST", "/healthz"), ("PATCH", "/v1/images")):
        reply = request(method, path)
        expect(f"{method} {path}", reply, 405)
        if "GET" not in reply[1].get("allow", "") and "POST" not in reply[1].get("allow", ""):
            sys.exit(f"{method} {path}: Allow is {reply[1].get('allow')}")
    for method in ("TRACE", "CONNECT", "BREW", "get"):
        expect(f"method {method}", request(method, "/healthz"), 405, 400, 501, 404)
    for target in ("/v1/search?limits=3", "/v1/search?limit=0", "/v1/search?limit=1001", "/v1/search?limit=1&limit=2",
                   "/v1/search?limit=%zz", "/v1/search?min_score=nan", "/v1/search?offset=-1", "/v1/search?exact=maybe"):
        expect(target, request("POST", target, PHOTO), 400, kind="bad-request")
    for target in ("/v1/images?cursor=%00", "/v1/images?limit=99999", "/v1/failures?cursor=../..", "/v1/status?x=1"):
        expect(target, request("GET", target), 400)
    for target in ("/v1/images/0", "/v1/images/99999999999999999999", "/v1/images/1e3", "/v1/images/-1", "/v1/images/%2e%2e",
                   "/v1/images/18446744073709551615"):
        expect(target, request("GET", target), 400, 404)
    for target in ("/../etc/passwd", "/v1/../v1/status", "/v1//status", "/%2e%2e/%2e%2e/etc/passwd", "/v1/images/..%2f..%2fetc/content",
                   "/v1/status/", "/page.css/../page.js", "//healthz", "/v1/images/1/content/../../../etc/passwd"):
        expect(target, request("GET", target), 404, 400)
    for name in ("..", ".hidden", "a%2fb", "a%00b", "%ff", "x" * 300):
        expect(f"model {name}", request("PUT", f"/v1/models/{name}", b"x"), 400)
    expect("a target that is no path", request("GET", "status"), 400, 0)
    expect("an asterisk", request("OPTIONS", "*"), 400, 405, 0)
    nested = b'{"id":' + b"[" * 20000 + b"]" * 20000 + b"}"
    for body in (b"{", b"[]", b"null", b'{"id":-1}', b'{"id":1.5}', b'{"id":1,"image":"aa"}', b'{"image":"***"}', b'{"limit":1}',
                 b'{"id":1,"limit":0}', b'{"id":1,"limit":99999999999999999999}', b'{"id":1,"min_score":1e999}', nested,
                 b'{"id":1,"x":' + b"[" * 500 + b"]" * 500 + b"}{", b'\xff\xfe{"id":1}', b'{"image":"' + b"A" * 3000 + b'"}'):
        expect(f"JSON {body[:30]!r}", request("POST", "/v1/search", body, "Content-Type: application/json\r\n"), 400, 404, 422, 415)
    expect("a form", request("POST", "/v1/search", b"--x--", "Content-Type: multipart/form-data; boundary=x\r\n"), 415)
    for body in (b"{}", b'{"path":"relative"}', b'{"path":"/nonexistent"}', b'{"path":"/etc/passwd"}', b'{"path":"/a\\u0000b"}'):
        expect(f"root {body!r}", request("POST", "/v1/roots", body, "Content-Type: application/json\r\n"), 400)
    expect("a root as a form", request("POST", "/v1/roots", b'{"path":"/tmp"}', "Content-Type: text/plain\r\n"), 415)
    expect("Origin on the Unix socket", request("GET", "/v1/status", fields="Origin: http://evil.example\r\n"), 403)


def hostile():
    """Broken, odd and huge images as queries."""
    files = sorted(f for f in glob.glob(f"{DATA}/hostile/**/*", recursive=True) if os.path.isfile(f) and os.path.getsize(f) < 32 << 20)
    chance = random.Random(5)
    tally, slowest = {}, (0, "")
    for path in chance.sample(files, 120):
        body = open(path, "rb").read()
        if not body:
            continue
        start = time.monotonic()
        reply = request("POST", "/v1/search?limit=1", body)
        expect(path, reply, 200, 400, 413, 415, 422)
        tally[reply[0]] = tally.get(reply[0], 0) + 1
        slowest = max(slowest, (time.monotonic() - start, path))
    for _ in range(40):  # A good photo with bytes turned.
        body = bytearray(PHOTO)
        for _ in range(chance.randrange(1, 30)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        expect("a photo with turned bytes", request("POST", "/v1/search?limit=1", bytes(body)), 200, 400, 413, 415, 422)
    print(f"hostile images as queries: {tally}; the slowest took {slowest[0]:.1f} s: {slowest[1]}")


def page():
    """The page's listener: host, origin, token; nothing is changed there."""
    ok = lambda *a, **k: request(*a, tcp=True, **k)
    expect("the page", ok("GET", "/"), 200)
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy"):
        if name not in ok("GET", "/")[1]:
            sys.exit(f"the page lacks {name}")
    expect("life without a token", ok("GET", "/healthz"), 200)
    for path in ("/v1/status", "/v1/images", "/metrics", "/readyz", "/v1/page", "/nothing"):
        expect(f"{path} without a token", ok("GET", path), 401)
    expect("a wrong token", ok("GET", "/v1/status", fields=f"Authorization: Bearer {'a' * len(TOKEN)}\r\n"), 401)
    expect("half a token", ok("GET", "/v1/status", fields=f"Authorization: Bearer {TOKEN[:-1]}\r\n"), 401)
    expect("the token in another scheme", ok("GET", "/v1/status", fields=f"Authorization: Basic {TOKEN}\r\n"), 401)
    expect("the token in the query", ok("GET", f"/v1/status?token={TOKEN}"), 401)
    expect("the right token", ok("GET", "/v1/status", fields=AUTH), 200)
    expect("a search with it", ok("POST", "/v1/search?limit=1", body=PHOTO, fields=AUTH), 200)
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT}.evil.example", "http://127.0.0.1"):
        expect(f"origin {origin}", ok("GET", "/v1/status", fields=AUTH + f"Origin: {origin}\r\n"), 403)
    expect("its own origin", ok("GET", "/v1/status", fields=AUTH + f"Origin: http://127.0.0.1:{PORT}\r\n"), 200)
    for site in ("cross-site", "same-site"):
        expect(f"fetch from {site}", ok("GET", "/v1/status", fields=AUTH + f"Sec-Fetch-Site: {site}\r\n"), 403)
    for host in ("evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"127.0.0.1.evil.example:{PORT}", "", f"0.0.0.0:{PORT}"):
        expect(f"host {host!r}", raw(f"GET / HTTP/1.1\r\nHost: {host}\r\n{AUTH}\r\n".encode(), tcp=True), 403, 400)
    expect("no host", raw(f"GET /v1/status HTTP/1.0\r\n{AUTH}\r\n".encode(), tcp=True), 403, 400)
    rebound = f"GET http://evil.example/v1/status HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n\r\n"
    expect("another host in the target", raw(rebound.encode(), tcp=True), 401, 403, 400)
    js = "Content-Type: application/json\r\n"
    for method, path, body in (("POST", "/v1/roots", b'{"path":"/tmp"}'), ("DELETE", "/v1/roots?path=/tmp", b""), ("POST", "/v1/rescan", b""),
                               ("PUT", "/v1/models/x", b"abc"), ("POST", "/v1/models/x/use", b""), ("DELETE", "/v1/images/1", b"")):
        expect(f"{method} {path} over TCP", ok(method, path, body=body, fields=AUTH + js), 403)
        expect(f"{method} {path} over TCP without a token", ok(method, path, body=body, fields=js), 401)
    preflight = ok("OPTIONS", "/v1/search", fields="Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n")
    expect("a preflight of another site", preflight, 403)
    if any(name.startswith("access-control") for name in preflight[1]):
        sys.exit("CORS headers are sent")
    expect("the page's script on the Unix socket", request("GET", "/page.js"), 404)


def strangers():
    """Another user may read, and not change; only where this runs as root."""
    if os.geteuid() != 0:
        return
    os.chmod(WORK, 0o755)
    os.chmod(SOCKET, 0o666)
    run = lambda *a: subprocess.run(
        ["setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
         "--unix-socket", SOCKET, *a], capture_output=True, text=True).stdout
    for got, wanted, what in ((run("http://d/v1/status"), "200", "reads"), (run("-X", "POST", "http://d/v1/rescan"), "403", "rescans"),
                              (run("-X", "DELETE", "http://d/v1/images/1"), "403", "deletes")):
        if got != wanted:
            sys.exit(f"a stranger {what}: {got} instead of {wanted}")
    os.chmod(SOCKET, 0o660)
    if run("http://d/v1/status") != "000":
        sys.exit("a stranger connects to a socket of mode 0660")


# The deadlines pass beside everything else.
late = []
waiting = threading.Thread(target=lambda: late.append(subprocess.run([sys.executable, *sys.argv, "slow"]).returncode))
if sys.argv[6:] == ["slow"]:
    slow()
    sys.exit(0)
waiting.start()
for part in (malformed, oversized, truncated, wrong, hostile, page, strangers, crowd):
    start = time.monotonic()
    part()
    print(f"{part.__name__}: {time.monotonic() - start:.1f} s, {count} answers as expected so far")
waiting.join()
if late != [0]:
    sys.exit("slow clients: see above")
