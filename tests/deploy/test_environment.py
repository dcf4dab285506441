"""The environment that `make` builds: from which index, despite which variables, and when it is built anew.

Each test has a small repository whose packages are tiny wheels, from an index on loopback. uv and pip are real.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from harness.waiting import eventually
from infra.parts import ROOT

NAMES = {"parts": "tiny-part", "run": "tiny-run", "test": "tiny-test"}
# What a user may have set for other programs, and would keep pip, uv or Python from building `.venv` as it has to be.
FOREIGN = {
    "PIP_USER": "1",
    "PIP_TARGET": "/nowhere",
    "PIP_PREFIX": "/nowhere",
    "PIP_ROOT": "/nowhere",
    "PIP_NO_DEPS": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_NO_BINARY": ":all:",
    "PIP_CONSTRAINT": "/nowhere/constraints.txt",
    "PIP_REQUIREMENT": "/nowhere/requirements.txt",
    "PIP_DRY_RUN": "1",
    "PIP_PYTHON": "/nowhere/python",
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONPLATLIBDIR": "nowhere",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "UV_SYSTEM_PYTHON": "1",
    "UV_PROJECT_ENVIRONMENT": "/nowhere",
    "UV_PYTHON": "/nowhere/python",
    "UV_CONFIG_FILE": "/nowhere/uv.toml",
    "UV_CONSTRAINT": "/nowhere/constraints.txt",
    "UV_EXCLUDE_NEWER": "2001-01-01",
    "UV_NO_BUILD": "1",
    "VIRTUAL_ENV": "/nowhere",
    "CONDA_PREFIX": "/nowhere",
}
BENT_PIP_CONF = "[global]\nuser = true\nno-binary = :all:\n[install]\ntarget = /nowhere\nrequire-virtualenv = true\n"
PROJECT = """\
[build-system]
requires = ["tiny_build"]
build-backend = "tiny_build"

[project]
name = "minibus-posts"
version = "0.1.0"
dependencies = ["tiny-part"]
"""
# A build backend of one file: an editable part is a path.
TINY_BUILD = """\
import os, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "minibus_posts-0.1.0-py3-none-any.whl"
    info = "minibus_posts-0.1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("minibus_posts.pth", os.getcwd())
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: minibus-posts\\nVersion: 0.1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""


def write_wheel(folder: Path, name: str, source: str) -> str:
    """Write a wheel of one module; return its line in a lock."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    wheel = folder / name / f"{module}-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder as an index, with its listings as pages; as a proxy, the same for every host."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(urlsplit(path).path)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Repository:
    """A repository of one part, with the real script, a lock of four tiny packages, and an index that has them."""

    def __init__(self, folder: Path, index: str, pins: dict[str, str], uv: Path | None) -> None:
        self.root, self.index, self.home = folder / "a place", index, folder / "home"
        (self.root / "infra" / "local").mkdir(parents=True)
        (self.root / "blog" / "posts").mkdir(parents=True)
        self.home.mkdir()
        shutil.copy(ROOT / "infra" / "local" / "environment.py", self.root / "infra" / "local")
        (self.root / "blog" / "posts" / "pyproject.toml").write_text(PROJECT)
        (self.root / "blog" / "posts" / "posts.py").write_text("")
        install = first_section((ROOT / "blog" / "requirements.txt").read_text()) if uv else pins["no-such-uv"]
        sections = {"install": install, **{name: pins[name] for name in NAMES}}
        sections["run"] += pins["tiny-build"]
        self.lock = self.root / "blog" / "requirements.txt"
        self.lock.write_text("".join(f"\n# {name}: of the tests\n{pinned}" for name, pinned in sections.items()))
        (self.root / "run").mkdir()
        if uv:
            (self.root / "run" / uv.name).symlink_to(uv)
        self.stamp = self.root / ".venv" / "minibus.json"

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the variables of a user who has only set what is given here."""
        given = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PIP_INDEX_URL": self.index, **settings}
        return {name: value for name, value in given.items() if value}

    def build(self, environment: str = "run", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end, as `make` does."""
        return subprocess.run(
            [sys.executable, "-I", str(self.root / "infra" / "local" / "environment.py"), environment],
            check=False, env=self.environment(**settings), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def has(self, *modules: str) -> bool:
        """Tell whether the environment can import all these."""
        command = [str(self.root / ".venv" / "bin" / "python"), "-I", "-c", f"import {', '.join(modules)}"]
        return self.stamp.exists() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def first_section(lock: str) -> str:
    """Return what installs all others."""
    return lock.partition("# install:")[2].partition("\n")[2].partition("\n\n")[0] + "\n"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of an index, and the lines of its packages in a lock."""
    folder = tmp_path_factory.mktemp("index")
    pins = {name: write_wheel(folder, package, "") for name, package in NAMES.items()}
    pins["tiny-build"] = write_wheel(folder, "tiny-build", TINY_BUILD)
    pins["no-such-uv"] = f"uv==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
    return folder, pins


@pytest.fixture(scope="module")
def index(packages: tuple[Path, dict[str, str]]) -> Iterator[str]:
    """The address of the index."""
    with serve(packages[0]) as address:
        yield address


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder meanwhile; return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def uv() -> Path:
    """The folder of the uv that installed these tests."""
    [folder] = (ROOT / "run").glob("uv-*")
    return folder


@pytest.fixture
def repository(tmp_path: Path, index: str, packages: tuple[Path, dict[str, str]], uv: Path) -> Repository:
    return Repository(tmp_path, index, packages[1], uv)


# -- what is built -----------------------------------------------------------------------------------------------------


def test_an_environment_has_its_sections_of_the_lock_and_the_parts(repository: Repository) -> None:
    done = repository.build("run")

    assert done.stdout == "Building .venv (once, a few seconds) …\n"
    assert repository.has("tiny_part", "tiny_run", "posts")
    assert not repository.has("tiny_test")
    assert repository.build("test").stdout == "Adding what tests need to .venv (once, a few seconds) …\n"
    assert repository.has("tiny_part", "tiny_run", "tiny_test", "posts")
    assert [repository.build(name).stdout for name in ("run", "test")] == ["", ""]


def test_without_uv_pip_installs_the_same(tmp_path: Path, index: str, packages: tuple[Path, dict[str, str]]) -> None:
    repository = Repository(tmp_path, index, packages[1], uv=None)

    done = repository.build("test")

    assert "Installing with pip instead of uv" in done.stdout
    assert repository.has("tiny_part", "tiny_run", "tiny_test", "posts")


def test_what_was_installed_once_needs_no_index_again(
    repository: Repository, packages: tuple[Path, dict[str, str]]
) -> None:
    with serve(packages[0]) as repository.index:
        repository.build("run")
    shutil.rmtree(repository.root / ".venv")

    done = repository.build("run")

    assert done.stdout == "Building .venv (once, a few seconds) …\n"
    assert repository.has("tiny_part", "tiny_run", "posts")


def test_a_package_with_another_hash_is_not_installed(repository: Repository) -> None:
    lock = repository.lock.read_text()
    before, _, after = lock.partition("tiny-part==1.0 \\\n    --hash=sha256:")
    repository.lock.write_text(f"{before}tiny-part==1.0 \\\n    --hash=sha256:{'0' * 64}{after[64:]}")

    done = repository.build("run")

    assert done.returncode == 1
    assert "The packages cannot be installed" in done.stdout
    assert not repository.has("posts")


def test_a_part_that_needs_a_package_without_a_pin_gets_one_line(repository: Repository) -> None:
    project = repository.root / "blog" / "posts" / "pyproject.toml"
    project.write_text(project.read_text().replace('["tiny-part"]', '["tiny_part>=1", "Redis[hiredis]>=5"]'))

    [line] = repository.build("run").stdout.splitlines()

    assert line.startswith("blog/requirements.txt does not pin redis.")
    assert "make lock" in line


# -- variables and settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_pip", [False, True], ids=["uv", "pip"])
def test_no_variable_or_setting_for_other_programs_bends_it(
    tmp_path: Path, index: str, packages: tuple[Path, dict[str, str]], uv: Path, by_pip: bool
) -> None:
    repository = Repository(tmp_path, index, packages[1], None if by_pip else uv)
    (repository.home / ".config" / "pip").mkdir(parents=True)
    (repository.home / ".config" / "pip" / "pip.conf").write_text(BENT_PIP_CONF)

    done = repository.build("run", **FOREIGN)

    assert done.returncode == 0, done.stdout
    assert ("with pip instead of uv" in done.stdout) == by_pip
    assert repository.has("tiny_part", "tiny_run", "posts")


@pytest.mark.parametrize("name", ["PYTHONSAFEPATH", "PYTHONHOME", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV"])
def test_no_variable_for_other_pythons_reaches_what_make_runs(name: str) -> None:
    makefile = f"include {ROOT}/Makefile\n\nvariables:\n\t@env\n"
    settings = {**os.environ, name: "/nowhere", "EVENT_STORE": "memory"}

    said = subprocess.run(
        ["make", "-f", "-", "variables"],
        check=True, cwd=ROOT, env=settings, input=makefile, text=True, capture_output=True,
    ).stdout.splitlines()  # fmt: skip

    assert not [line for line in said if line.startswith(f"{name}=")]
    assert "EVENT_STORE=memory" in said


@pytest.mark.parametrize(
    ("where", "settings"),
    [
        ("pip.conf", {"index-url": "{index}"}),
        ("PIP_INDEX_URL", {"PIP_INDEX_URL": "{index}"}),
        ("PIP_EXTRA_INDEX_URL", {"PIP_INDEX_URL": "{empty}", "PIP_EXTRA_INDEX_URL": "{empty} {index}"}),
        ("PIP_FIND_LINKS", {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "{folders}"}),
        (
            "PIP_PROXY",
            {"PIP_INDEX_URL": "http://index.example", "PIP_TRUSTED_HOST": "index.example", "PIP_PROXY": "{index}"},
        ),
    ],
)
def test_uv_installs_from_where_pip_would(
    repository: Repository, packages: tuple[Path, dict[str, str]], where: str, settings: dict[str, str]
) -> None:
    places = {
        "index": repository.index,
        "empty": f"{repository.index}/tiny-part",
        "folders": " ".join(str(packages[0] / name) for name in (*NAMES.values(), "tiny-build")),
    }
    given = {name: value.format(**places) for name, value in settings.items()}
    if where == "pip.conf":
        (repository.home / ".config" / "pip").mkdir(parents=True)
        lines = "".join(f"{name} = {value}\n" for name, value in given.items())
        (repository.home / ".config" / "pip" / "pip.conf").write_text(f"[global]\n{lines}")
        given = {"PIP_INDEX_URL": ""}

    done = repository.build("run", **given)

    assert done.stdout == "Building .venv (once, a few seconds) …\n"
    assert repository.has("tiny_part", "tiny_run", "posts")


# -- when it is built anew ---------------------------------------------------------------------------------------------


def built_anew(repository: Repository, said: str = "Building .venv") -> bool:
    """Build again; tell whether it was from nothing, and came out whole."""
    (repository.root / ".venv" / "left over").touch()
    done = repository.build("run")
    anew = not (repository.root / ".venv" / "left over").exists()
    return said in done.stdout and anew and repository.has("tiny_part", "posts")


def test_a_change_of_lock_or_parts_or_place_builds_it_anew(repository: Repository) -> None:
    repository.build("run")
    assert not built_anew(repository)

    repository.lock.write_text(repository.lock.read_text() + "\n")
    assert built_anew(repository)

    project = repository.root / "blog" / "posts" / "pyproject.toml"
    project.write_text(project.read_text() + "\n")
    assert built_anew(repository)

    repository.root = repository.root.rename(repository.root.parent / "another place")
    repository.stamp = repository.root / ".venv" / "minibus.json"
    assert built_anew(repository)

    (repository.root / ".venv" / "bin" / "python").unlink()
    assert built_anew(repository)


def test_an_outdated_environment_keeps_what_tests_need(repository: Repository) -> None:
    repository.build("test")
    repository.lock.write_text(repository.lock.read_text() + "\n")

    repository.build("run")

    assert repository.has("tiny_test", "posts")


@pytest.mark.parametrize("stamp", ["", "{}", "[]", "null", '{"environments": ["run"]}', '{"environments": 3}'])
def test_a_damaged_stamp_counts_for_nothing(repository: Repository, stamp: str) -> None:
    (repository.root / ".venv").mkdir()
    repository.stamp.write_text(stamp)

    assert built_anew(repository)


@pytest.mark.parametrize("environment", ["run", "test"])
def test_a_build_that_is_killed_leaves_no_environment(repository: Repository, environment: str) -> None:
    if environment == "test":
        repository.build("run")
    never = HungIndex()
    with subprocess.Popen(
        [sys.executable, "-I", repository.root / "infra" / "local" / "environment.py", environment],
        env=repository.environment(PIP_INDEX_URL=never.url), start_new_session=True, stdout=subprocess.DEVNULL,
    ) as build:  # fmt: skip
        eventually(lambda: never.asked)
        assert (repository.root / ".venv" / "bin" / "python").exists()
        os.killpg(build.pid, signal.SIGKILL)
    never.close()

    assert not repository.stamp.exists()
    assert built_anew(repository)


class HungIndex:
    """An index that takes a request and never answers it."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.connections: list[object] = []
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.connections.append(self.server.accept())
            except OSError:
                return

    @property
    def asked(self) -> bool:
        return bool(self.connections)

    def close(self) -> None:
        self.server.close()


def test_a_full_disk_leaves_no_environment_and_says_so(repository: Repository) -> None:
    repository.build("run")
    repository.lock.write_text(repository.lock.read_text() + "\n")
    # No file may grow beyond 1 KiB: for a program that is what a full disk is.
    command = f"ulimit -f 1; exec '{sys.executable}' -I '{repository.root}/infra/local/environment.py' run"

    done = subprocess.run(
        ["bash", "-c", command], check=False, env=repository.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

    assert done.returncode != 0
    assert not repository.stamp.exists()
    assert built_anew(repository)


def test_two_that_begin_at_once_build_it_once(repository: Repository) -> None:
    command = [sys.executable, "-I", str(repository.root / "infra" / "local" / "environment.py"), "run"]
    both = [
        subprocess.Popen(command, env=repository.environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]

    said = sorted(build.communicate()[0] for build in both)

    assert said == ["", "Building .venv (once, a few seconds) …\n"]
    assert json.loads(repository.stamp.read_text())["environments"] == ["run"]
    assert repository.has("tiny_part", "posts")


def test_an_old_python_gets_one_line(repository: Repository) -> None:
    script = repository.root / "infra" / "local" / "environment.py"
    pretend = "import sys, runpy; sys.version_info = (3, 9); runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", pretend.replace("sys.argv[0]", repr(str(script))), "run"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert f"Minibus needs Python 3.11 or newer; {sys.executable} is 3.9." in done.stderr
    assert "make PYTHON=python3.12" in done.stderr
    assert len(done.stderr.splitlines()) == 1
