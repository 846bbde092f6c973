"""Set-up: each trouble a newcomer can have gets one clear line, from what programs really say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "bootstrap.py"


def run_with(patch: str) -> subprocess.CompletedProcess[str]:
    """Run the script's main in a fresh interpreter after some lines that change its world."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tools import bootstrap\n{patch}\n"
    code += "sys.argv = ['bootstrap']; sys.exit(bootstrap.main())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def nowhere(folder: Path) -> str:
    """Lines that make the script work in an empty folder, so that nothing real is touched."""
    return "\n".join(
        [
            f"import os; root = {str(folder)!r}",
            "bootstrap.ROOT = root; bootstrap.VENV = os.path.join(root, '.venv')",
            "bootstrap.PYTHON = os.path.join(bootstrap.VENV, 'bin', 'python')",
            "bootstrap.STAMP = os.path.join(bootstrap.VENV, 'stamp')",
            "bootstrap.LOG = os.path.join(bootstrap.VENV, 'install.log')",
            "bootstrap.LOCK = os.path.join(root, 'requirements.txt')",
            "bootstrap.lock_key = lambda index: 'key'",
        ]
    )


def test_an_old_python_is_named() -> None:
    done = run_with("bootstrap.sys = type('S', (), dict(vars(sys), version_info=(3, 9, 18)))")
    assert done.returncode == 1
    assert "Python 3.9 is not supported: install Python 3.11, 3.12 or 3.13" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_old_python_can_read_the_script() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 5))


def test_a_missing_venv_module_is_named(tmp_path: Path) -> None:
    done = run_with(nowhere(tmp_path) + "\nsys.modules['ensurepip'] = None")
    assert done.returncode == 1
    assert "apt install python3." in done.stderr and "-venv" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_is_named_before_anything_is_written(tmp_path: Path) -> None:
    little = "import shutil, collections\n"
    little += "shutil.disk_usage = lambda p: collections.namedtuple('U', 'free')(3e8)"
    done = run_with(nowhere(tmp_path) + "\n" + little)
    assert done.returncode == 1
    assert "the disk is nearly full: 0.3 GB free" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_no_network_is_named_from_what_pip_really_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "LOG", str(tmp_path / "install.log"))
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    # nothing listens on port 9 of this machine, so pip meets a refused connection
    arguments = [
        "--index-url",
        "http://127.0.0.1:9/simple",
        "no-such-package-here",
    ]
    with pytest.raises(bootstrap.Trouble, match="no network: the package index cannot be reached"):
        bootstrap.pip([*arguments, "--target", str(tmp_path / "out")], 1)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "ERROR: Could not install packages: [Errno 28] No space left on device",
            "the disk is full",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "no build of torch==2.13.0"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED)", "certificate"),
        ("something new", "its last words are in"),
    ],
)
def test_each_cause_has_its_line(
    said: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "install.log"
    # an earlier run's trouble must not be told again
    log.write_text(f"\n$ pip install old\nNo space left on device\n$ pip install new\n{said}\n")
    monkeypatch.setattr(bootstrap, "LOG", str(log))
    assert line in bootstrap.diagnose(1)


def test_a_changed_lock_is_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text("a==1\n")
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    before = bootstrap.lock_key("")
    assert bootstrap.lock_key("") == before
    assert bootstrap.lock_key("https://example.org/cpu") != before
    (tmp_path / "requirements.txt").write_text("a==2\n")
    assert bootstrap.lock_key("") != before
