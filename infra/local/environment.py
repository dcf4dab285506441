"""Build `.venv`, the environment of every command, where it is missing or outdated: `python3 -I environment.py run`.

Python's pip brings uv, and uv installs the packages that blog/requirements.txt pins. Where uv fails, pip installs them.
The script runs before anything is installed: it needs nothing but Python, and an old Python must be able to parse it.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

TYPING = False
if TYPING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "blog" / "requirements.txt"
RUN = ROOT / "run"

# The sections of the lock that each environment has.
ENVIRONMENTS = {"run": ["parts", "run"], "test": ["parts", "run", "test"]}

# Settings of pip that lead to an index, and what uv calls them. All other settings of pip are meant for other programs.
PIP_TO_UV = {
    "index-url": ["UV_DEFAULT_INDEX"],
    "extra-index-url": ["UV_INDEX"],
    "find-links": ["UV_FIND_LINKS"],
    "no-index": ["UV_NO_INDEX"],
    "trusted-host": ["UV_INSECURE_HOST"],
    "cert": ["SSL_CERT_FILE"],
    "client-cert": ["SSL_CLIENT_CERT"],
    "proxy": ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"],
    "default-timeout": ["UV_HTTP_TIMEOUT"],
    "timeout": ["UV_HTTP_TIMEOUT"],
    "retries": ["UV_HTTP_RETRIES"],
    "keyring-provider": ["UV_KEYRING_PROVIDER"],
    "cache-dir": [],
    "no-cache-dir": [],
}
# Settings of uv that lead to an index, or to its cache. A user who sets one means it.
KEPT = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_INSECURE_HOST", "UV_HTTP"),
    *("UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "UV_KEYRING_PROVIDER", "UV_CACHE_DIR", "UV_LINK_MODE", "UV_CONCURRENT"),
)
# Settings that would bend Python, pip or uv.
FOREIGN = ("PYTHON", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__")

# What the parts and their process manager import.
IMPORTS = "flask, flask_cors, gevent.pywsgi, gunicorn.app.wsgiapp, gunicorn.workers.ggevent, msgspec, prometheus_client"
MORE_IMPORTS = "psutil, requests, rich.table, supervisor.supervisord, supervisor.xmlrpc"
TOO_OLD = "Minibus needs Python 3.11 or newer; {} is {}.{}. Name another one: make PYTHON=python3.12"
NO_PIP = "{} has neither pip nor ensurepip. On Debian and Ubuntu: sudo apt install python3-venv"
NOT_LOCKED = "blog/requirements.txt does not pin {}. Pin every package that the parts need with: make lock"
NOT_INSTALLED = "The packages cannot be installed; the lines above name the cause. Then run the command again."


def main(environment: str) -> None:
    """Build the environment of this name unless it is there already. Exits with a message where that fails."""
    if is_whole(environment):
        return
    if sys.version_info < (3, 11):  # noqa: UP036  (here any Python may run)
        sys.exit(TOO_OLD.format(sys.executable, *sys.version_info[:2]))
    try:
        with one_at_a_time():
            if not is_whole(environment):
                build(environment)
    except OSError as error:
        sys.exit(f"Cannot build .venv: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


# -- the stamp: written last, so an environment that is half made has none ---------------------------------------------


def is_whole(environment: str) -> bool:
    """Tell whether `.venv` was built to the end, here, from what is here now."""
    try:
        stamp = json.loads(stamp_file().read_text())
        return environment in stamp.pop("environments") and stamp == expected_stamp()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def built_before() -> list[str]:
    """Return the environments that `.venv` has or had before a change outdated it."""
    try:
        return [name for name in json.loads(stamp_file().read_text())["environments"] if name in ENVIRONMENTS]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def write_stamp(environments: list[str]) -> None:
    """Record which environments `.venv` has, in one step."""
    new = stamp_file().with_suffix(".new")
    new.write_text(json.dumps({**expected_stamp(), "environments": environments}))
    new.replace(stamp_file())


def stamp_file() -> Path:
    return VENV / "minibus.json"


def expected_stamp() -> dict[str, object]:
    """Return the folder, the interpreter and the digest of all files that an environment is made of."""
    made_of = [LOCK, Path(__file__), *projects()]
    digest = hashlib.sha256(b"".join(b"%s\0%s\0" % (bytes(file), file.read_bytes()) for file in made_of))
    interpreter = PYTHON.resolve(strict=True)
    return {"folder": str(ROOT), "python": [str(interpreter), interpreter.stat().st_mtime], "of": digest.hexdigest()}


def projects() -> list[Path]:
    """Return the pyproject.toml of every part, and of what they share."""
    return sorted(ROOT.glob("blog/*/pyproject.toml"))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait while another make builds the environment of this folder."""
    RUN.mkdir(exist_ok=True)
    with (RUN / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# -- building ----------------------------------------------------------------------------------------------------------


def build(environment: str) -> None:
    """Build the environment from nothing, or add to one that is whole."""
    check_that_all_is_locked()
    adds = is_whole("run")
    # A developer's `make up` after a change of the lock builds what the tests need, too.
    sections = max([ENVIRONMENTS[name] for name in [environment, *built_before()]], key=len)
    print(f"{'Adding what tests need to' if adds else 'Building'} .venv (once, a few seconds) …", flush=True)
    with subprocess.Popen(
        [*pip(), "config", "list"], env={**without("PIP_PYTHON"), "PIP_QUIET": "0"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as settings:  # fmt: skip
        if adds:
            stamp_file().unlink()
        else:
            make_empty()
        connection = connection_of(settings.communicate()[0])
    install(sections, connection)
    write_stamp([name for name in ENVIRONMENTS if ENVIRONMENTS[name] <= sections])


def check_that_all_is_locked() -> None:
    """Exit where a part needs a package that the lock does not pin."""
    import tomllib  # noqa: PLC0415  (Python 3.11)

    parts = [tomllib.loads(file.read_text())["project"] for file in projects()]
    locked = set(re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE)) | {normal(part["name"]) for part in parts}
    needed = {normal(need) for part in parts for need in part.get("dependencies", [])}
    if needed - locked:
        sys.exit(NOT_LOCKED.format(", ".join(sorted(needed - locked))))


def normal(requirement: str) -> str:
    """Return the name that a requirement begins with, as indexes write it."""
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement


def make_empty() -> None:
    """Make `.venv` anew, without packages."""
    import venv  # noqa: PLC0415  (slow, and rarely needed)

    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        # A folder of another name is no environment, even if it cannot be deleted to the end.
        old = Path(tempfile.mkdtemp(prefix="old-", dir=RUN))
        VENV.rename(old / "venv")
        shutil.rmtree(old, ignore_errors=True)
    venv.create(VENV, symlinks=True)


def install(sections: list[str], connection: dict[str, str]) -> None:
    """Install these sections of the lock and the parts, with uv or else with pip. Exits where both fail."""
    with tempfile.TemporaryDirectory(dir=RUN) as folder:
        packages = Path(folder, "packages.txt")
        packages.write_text("\n".join(map(section, sections)))
        locked = ["--no-deps", "--require-hashes", "-r", str(packages)]
        parts = [
            "--no-deps",
            "--no-build-isolation",
            *(word for file in projects() for word in ("-e", str(file.parent))),
        ]
        if uv := bring_uv(connection):
            uv_install = [uv, "pip", "install", "--no-config", "--python", str(PYTHON)]
            # What was installed once is in uv's cache: then no index is asked, and none has to be there.
            if run([*uv_install, "--quiet", "--quiet", "--offline", *locked], connection) or run(
                [*uv_install, "--quiet", *locked], connection
            ):
                with importing():
                    installed = run([*uv_install, "--quiet", "--offline", *parts], connection)
                if installed:
                    return
        print("Installing with pip instead of uv (about a minute) …", flush=True)
        pip_install = [*pip(PYTHON), "install", "--quiet"]
        if not (run([*pip_install, *locked], connection) and run([*pip_install, *parts], connection)):
            sys.exit(NOT_INSTALLED)


@contextmanager
def importing() -> Iterator[None]:
    """Import the packages meanwhile: their bytecode is written once, and not by six parts that start together."""
    imports = [
        subprocess.Popen([PYTHON, "-c", f"import {names}"], env=without(*FOREIGN), stderr=subprocess.DEVNULL)
        for names in (IMPORTS, MORE_IMPORTS)
    ]
    try:
        yield
    finally:
        for one in imports:
            one.wait()


def section(name: str) -> str:
    """Return what the lock pins under the heading `# name:`."""
    found = re.search(rf"^# {name}:.*\n((?:[^#\n].*\n)+)", LOCK.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"blog/requirements.txt has no section {name}. Write the file anew with: make lock")
    return found[1]


def run(command: list[str], connection: dict[str, str]) -> bool:
    """Run pip or uv, which are bent by no variable but those that lead to an index; True if it succeeds."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return (
        subprocess.run(command, env={**without(*FOREIGN), **settings, **connection, **kept}, check=False).returncode
        == 0
    )


def without(*prefixes: str) -> dict[str, str]:
    """Return the variables of the environment whose names do not begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


# -- pip, and what brings uv -------------------------------------------------------------------------------------------


def pip(python: Path | None = None) -> list[str]:
    """Return the command of pip, for another interpreter than this one if wanted. Exits where there is none.

    An interpreter that has no pip of its own has the wheel of one, from which ensurepip would install it.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-I", "-m", "pip", *(["--python", str(python)] if python else [])]
    if ensurepip := importlib.util.find_spec("ensurepip"):
        bundled = Path(str(ensurepip.origin)).parent / "_bundled"
        folder = Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or bundled)
        if wheels := sorted(folder.glob("pip-*.whl")):
            return [str(python or sys.executable), "-I", f"{wheels[-1]}/pip"]
    sys.exit(NO_PIP.format(sys.executable))


def bring_uv(connection: dict[str, str]) -> str | None:
    """Return the path of the uv that the lock pins, which pip installs where it is missing; None where that fails."""
    pinned = section("install")
    folder = RUN / f"uv-{hashlib.sha256(pinned.encode()).hexdigest()[:12]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=RUN) as new:
            packages = Path(new, "uv.txt")
            packages.write_text(pinned)
            target = Path(new, "uv")
            options = ["--quiet", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-compile", "--require-hashes"]
            if not run([*pip(), "install", *options, "--target", str(target), "-r", str(packages)], connection):
                return None
            target.rename(folder)
    return str(folder / "bin" / "uv")


def connection_of(listed: str) -> dict[str, str]:
    """Return the variables that lead pip and uv to the user's index, from what `pip config list` prints."""
    settings: dict[str, str] = {}
    lines = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.*)$", listed, re.MULTILINE)
    for _, name, value in sorted(lines, key=lambda line: ("global", "install", ":env:").index(line[0])):
        if name in PIP_TO_UV:
            settings[name] = str(ast.literal_eval(value))
    variables = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    for name, value in settings.items():
        variables.update((variable, spelled_for_uv(variable, value)) for variable in PIP_TO_UV[name])
    # pip looks for a package at all indexes. Hashes make that safe: no index can pass off another package.
    variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "cert" in settings:
        if Path(settings["cert"]).is_dir():
            variables["SSL_CERT_DIR"] = variables.pop("SSL_CERT_FILE")
    elif bundle := os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"):  # which pip reads, too
        variables.setdefault("SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE", bundle))
    return variables


def spelled_for_uv(variable: str, value: str) -> str:
    """Return a value of pip, which separates several ones by spaces or lines, as uv writes it."""
    return (", " if variable == "UV_FIND_LINKS" else " ").join(value.split()).replace(", ", ",")


if __name__ == "__main__":
    main(sys.argv[1])
