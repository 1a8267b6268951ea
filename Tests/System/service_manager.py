"""Plays the service manager for one daemon: BIN WORK PHOTOS MANY WEIGHTS. Ends with status 1 at the first broken promise."""
import http.client, json, os, signal, socket, subprocess, sys, threading, time

BIN, WORK, PHOTOS, MANY, WEIGHTS = sys.argv[1:]
API, NOTIFY = f"{WORK}/api.sock", f"{WORK}/notify.sock"
messages = []
fed = []  # When WATCHDOG=1 came.


def demand(what, truth):
    if not truth:
        sys.exit(f"{what}; notified: {messages}")
    print(f"  {what}")


def eventually(what, truth, seconds=300):
    end = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > end or daemon.poll() is not None:
            demand(what, truth())
        time.sleep(0.02)
    demand(what, True)


def get(path, method="GET", body=None, timeout=120):
    """(status, JSON) over the passed Unix socket."""
    connection = http.client.HTTPConnection("d", timeout=timeout)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(timeout)
    connection.sock.connect(API)
    connection.request(method, path, body)
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply.status, json.loads(data) if data[:1] == b"{" else data


notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(NOTIFY)


def listen():
    while True:
        messages.append(notify.recv(4096).decode())
        if "WATCHDOG=1" in messages[-1]:
            fed.append(time.monotonic())


def starts():
    return sum("READY=1" in m for m in messages)


threading.Thread(target=listen, daemon=True).start()
api, page = socket.socket(socket.AF_UNIX), socket.socket()
api.bind(API)
api.listen(64)
page.bind(("127.0.0.1", 0))
page.listen(64)
port = page.getsockname()[1]
for number, kept in ((100, api), (101, page)):
    os.dup2(kept.fileno(), number)
# LISTEN_PID is the daemon's own number, which only the shell that becomes it knows.
start = "export LISTEN_PID=$$; exec \"$@\" 3<&100 4<&101 100<&- 101<&-"
environment = dict(os.environ, NOTIFY_SOCKET=NOTIFY, WATCHDOG_USEC="1000000", LISTEN_FDS="2", LISTEN_FDNAMES="api:http")
# The page's socket unit alone switches the page on: no --http.
arguments = ["bash", "-c", start, "bash", f"{BIN}/likenessd", "--state", f"{WORK}/managed", "--socket", API, "--backend", "cpu"]
log = open(f"{WORK}/managed.log", "w")
daemon = subprocess.Popen(arguments, env=environment, pass_fds=(100, 101), stderr=log)

# A client that connects before the daemon is up waits in the passed socket.
demand("an early client is served when the daemon is up", get("/healthz")[0] == 200)
eventually("READY=1 is sent", lambda: any("READY=1" in m and "STATUS=" in m for m in messages))
eventually("the watchdog is fed", lambda: len(fed) >= 8)
# The median, so that a moment without the processor does not count.
pauses = sorted(b - a for a, b in zip(fed, fed[1:]))
demand(f"in time (every {pauses[len(pauses) // 2]:.2f} s, the limit is 1 s)", pauses[len(pauses) // 2] < 1)
link = get("/v1/page")[1]["url"]
demand("the page is on the passed port", link.startswith(f"http://127.0.0.1:{port}/#token="))
with socket.create_connection(("127.0.0.1", port)) as browser:
    browser.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    demand("and answers", browser.recv(12) == b"HTTP/1.1 200")

client = lambda *a: subprocess.run([f"{BIN}/likeness", *a, "--socket", API], capture_output=True, text=True)
demand("a folder is watched", client("watch", "--wait", PHOTOS).returncode == 0)
demand("a model is imported", client("model", "import", WEIGHTS, "--name", "slim").returncode == 0)
damaged = f"{WORK}/managed/models/damaged.pack"
pack = bytearray(open(f"{WORK}/managed/models/slim.pack", "rb").read())
pack[len(pack) // 2] ^= 255
open(damaged, "wb").write(pack)
demand("a damaged model is refused", client("model", "use", "damaged").returncode in (4, 5))
demand("and the daemon goes on", get("/v1/status")[1]["model"]["name"] == "likeness-slim-2")

# Restart in place: the same process and sockets; no client is refused meanwhile.
failures = []
stop = threading.Event()


def knock():
    while not stop.is_set():
        try:
            status = get("/healthz")[0]
            if status not in (200, 503):
                failures.append(status)
        except OSError as error:
            # A connection that had been accepted when the daemon went may end without an answer; a refusal may not be.
            if isinstance(error, (ConnectionRefusedError, FileNotFoundError)):
                failures.append(repr(error))
        except http.client.HTTPException:
            pass


threading.Thread(target=knock, daemon=True).start()
ready = starts()
begin = time.monotonic()
used = client("model", "use", "slim")
demand(f"model use waits for the new model ({time.monotonic() - begin:.1f} s)", used.returncode == 0)
status = get("/v1/status")[1]
demand("which is in use", status["model"]["name"] == "slim" and status["uptime_s"] < time.monotonic() - begin)
stop.set()
demand("in the same process", daemon.poll() is None)
demand("whose name is kept", open(f"/proc/{daemon.pid}/comm").read() == "likenessd\n")
demand("without a refused client", not failures)
eventually("READY=1 is sent again", lambda: starts() == ready + 1)
eventually("the folder is still watched", lambda: get("/v1/status")[1]["counts"]["images"] == 10)
demand("the model in use restarts nothing", get("/v1/models/slim/use", "POST")[0] == 202)
time.sleep(0.5)
demand("really", starts() == ready + 1)
# Two changes at once, the second while the first is on its way down.
os.kill(daemon.pid, signal.SIGUSR1)
os.kill(daemon.pid, signal.SIGUSR1)
time.sleep(0.05)
try:
    os.kill(daemon.pid, signal.SIGUSR1)
except ProcessLookupError:
    pass


def is_well():
    try:
        return get("/healthz")[0] == 200
    except (OSError, http.client.HTTPException):  # It was on its way down.
        return False


eventually("restarts in a row restart it", lambda: starts() > ready + 1 and is_well())
time.sleep(1)
eventually("and do not end it", is_well)

demand("a large folder is watched", client("watch", MANY).returncode == 0)
eventually("which takes a while", lambda: 50 < get("/v1/status")[1]["counts"]["images"] < 900)
begin = time.monotonic()
daemon.send_signal(signal.SIGTERM)
code = daemon.wait(300)
seconds = time.monotonic() - begin
demand(f"SIGTERM while loading ends it before the service manager would kill it ({seconds:.2f} s of 30)", seconds < 30 and code == 0)
eventually("STOPPING=1 is sent", lambda: any("STOPPING=1" in m for m in messages))
demand("the passed socket's file stays", os.path.exists(API))
os.remove(API)
