"""What the programs of a benchmark find."""

from __future__ import annotations

import subprocess
import sys

from residua.bench.environment import known_beforehand, program_environment


def test_programs_may_keep_byte_code_and_find_fonts_and_kernels(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "fonts"))
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path / "kernels"))
    environment = program_environment(known_beforehand() | {"XDG_CACHE_HOME": str(tmp_path)})
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["MPLCONFIGDIR"] == str(tmp_path / "fonts")
    assert environment["RESIDUA_KERNEL_CACHE"] == str(tmp_path / "kernels")
    assert environment["XDG_CACHE_HOME"] == str(tmp_path)
    said = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; print(sys.dont_write_bytecode)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "False"
    monkeypatch.delenv("MPLCONFIGDIR")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache" / "residua"))
    assert known_beforehand()["MPLCONFIGDIR"] == str(tmp_path / "cache" / "matplotlib")
