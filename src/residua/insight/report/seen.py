"""Where answers come from: pictures with their saliency maps over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from residua.config import ReportConfig
from residua.insight.report.gather import Findings


def saliency(findings: Findings, config: ReportConfig, say: Callable[[str], None]) -> dict[str, Any]:
    """Nothing yet."""
    return {"rows": [], "words": "", "note": ""}
