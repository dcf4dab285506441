"""Run Biome, the linter and formatter of JavaScript and CSS: `python infra/biome/biome.py check --write blog`.

npm installs Biome from the lock in this folder. Without Node the script reports that and does nothing; in CI it fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
LOCK = FOLDER / "package-lock.json"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"  # npm writes this file last
NO_NODE = "Biome needs Node and npm: JavaScript and CSS are not checked."


def main(arguments: list[str]) -> int:
    """Install Biome where it is missing or outdated, run it with these arguments; return its exit status."""
    if not (shutil.which("node") and shutil.which("npm")):
        print(NO_NODE)
        return 1 if os.environ.get("CI") == "true" else 0
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, check=True)
    biome = FOLDER / "node_modules" / ".bin" / "biome"
    return subprocess.run([biome, *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
