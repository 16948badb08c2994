import gzip
import http.server
import os
import ssl
import subprocess
import threading

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._registry import https as registry_https
from plugins.module_utils._registry import store as registry_store
from plugins.module_utils._registry.directory import DirectoryStore
from plugins.module_utils._registry.open import open_registry
from plugins.module_utils._registry.registered_snapshots import Registries
from plugins.module_utils._registry.store import Access

BIO = Entry("bio", snapshots=(RegisteredSnapshot("us-east-1", "snap-0123456789abcdef0", fingerprint="sha256:" + "0f3a" * 16),))


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the server's folder with ETags; redirects, by path, and answers that are compressed or never end."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("If-None-Match")))
        if self.path in self.server.redirects:
            return self._answer(302, b"", Location=self.server.redirects[self.path])
        file = self.server.folder / self.path.lstrip("/")
        if not file.is_file():
            return self._answer(404, b"")
        etag = f'"{hash(file.read_bytes())}"'
        if self.headers.get("If-None-Match") == etag:
            return self._answer(304, b"", ETag=etag)
        return self._answer(200, gzip.compress(file.read_bytes()), ETag=etag, **{"Content-Encoding": "gzip"})

    def _answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=lab",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "both").write_text((folder / "key").read_text() + (folder / "certificate").read_text())
    return folder


@pytest.fixture
def server(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "both")
    running.socket = context.wrap_socket(running.socket, server_side=True)
    running.folder, running.asked, running.redirects = tmp_path / "www", [], {}
    running.folder.mkdir()
    published = DirectoryStore(running.folder)
    published.update("bio", lambda _found: BIO, seed="cluster: {}\n")
    running.published = published
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def registry(server, tmp_path):
    """Opens the registry as each run of a task does."""

    def opened(**access):
        return open_registry(f"https://127.0.0.1:{server.server_port}", Access(cache_dir=str(tmp_path / "cache"), timeout=5, **access))

    return opened


def test_what_a_server_has_is_read(registry):
    store = registry()
    assert store.read_index().names == ["bio"]
    assert store.read_entry("bio") == BIO
    assert store.read_seed("bio") == "cluster: {}\n"
    assert store.read_entry("chem") is None


def test_what_has_not_changed_is_not_sent_again(registry, server):
    registry().read_index()
    assert registry().read_index().names == ["bio"]
    ((_, first), (path, second)) = server.asked
    assert (path, first) == ("/index.json", None)
    assert second is not None


def test_a_change_is_seen_at_once(registry, server):
    registry().read_index()
    server.published.update("chem", lambda _found: Entry("chem", snapshots=BIO.snapshots))
    assert registry().read_index().names == ["bio", "chem"]


def test_files_that_cannot_be_listed_are_said_so_and_what_the_index_names_is_read(server, tmp_path):
    place, now = f"https://127.0.0.1:{server.server_port}", [0]
    registries = Registries([place], Access(cache_dir=str(tmp_path / "cache"), timeout=5), clock=lambda: now[0])
    assert [snapshot for _path, snapshot in registries.read()] == list(BIO.snapshots)
    assert registries.unlisted == {place}
    server.published.update("chem", lambda _found: Entry("chem", snapshots=BIO.snapshots))
    now[0] = 60
    assert len(registries.read()) == 2


def test_a_refresh_fetches_again(registry, server):
    registry().read_index()
    registry(refresh=True).read_index()
    assert server.asked[1] == ("/index.json", None)


def test_when_the_server_is_away_the_copy_is_used_and_its_age_told(registry, server, monkeypatch):
    registry().read_index()
    registry().read_entry("bio")
    server.shutdown()
    server.server_close()
    monkeypatch.setattr(registry_https.time, "time", lambda: os.stat(server.folder).st_mtime + 3 * 86400 + 60)
    store = registry()
    assert (store.read_index().names, store.read_entry("bio")) == (["bio"], BIO)
    assert "A copy that is 3 days old is used." in store.notes[0]
    with pytest.raises(ExplainedError, match="There is no copy of snapshots/chem"):
        store.read_entry("chem")


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:1/index.json", "file:///etc/passwd", "ftp://127.0.0.1/index.json"])
def test_no_redirect_leaves_https(registry, server, elsewhere):
    server.redirects["/index.json"] = elsewhere
    with pytest.raises(ExplainedError, match="which is not https"):
        registry().read_index()


def test_redirects_within_https_are_followed_but_not_for_ever(registry, server):
    server.redirects["/index.json"] = "/moved.json"
    os.rename(server.folder / "index.json", server.folder / "moved.json")
    assert registry().read_index().names == ["bio"]
    server.redirects["/moved.json"] = "/index.json"
    with pytest.raises(ExplainedError, match="from one address to the next"):
        registry().read_index()


def test_a_text_that_is_too_large_is_not_read_even_when_it_was_sent_compressed(registry, server, monkeypatch):
    monkeypatch.setattr(registry_store, "LARGEST_INDEX", 1000)
    (server.folder / "index.json").write_text(" " * 10_000_000)
    with pytest.raises(ExplainedError, match="the limit is 1000"):
        registry().read_index()


def test_a_server_that_trickles_is_given_up(registry, monkeypatch):
    monkeypatch.setattr(registry_https, "LONGEST_TRANSFER", -1)
    with pytest.raises(ExplainedError, match="was not complete after"):
        registry().read_index()


def test_a_certificate_that_nobody_vouches_for_is_refused(registry, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with pytest.raises(ExplainedError, match="cannot be read"):
        registry().read_index()


def test_a_registry_on_a_web_server_cannot_be_written(registry):
    with pytest.raises(ExplainedError, match="can only be read"):
        registry().update("bio", lambda _found: BIO)
