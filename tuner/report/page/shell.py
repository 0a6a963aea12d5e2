"""What every page has: the style with the colours of both themes, and templates that escape what they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuner.report.theme import DARK, LIGHT, Theme, named_colours
from tuner.text import visible

__all__ = ["HERE", "POLICY", "style", "template", "variables"]

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"  # of a page without scripts


def style() -> Any:
    """Return the style sheet with the colours of both themes, as text that needs no escape."""
    from markupsafe import Markup

    light, dark = variables(LIGHT), f"{{ color-scheme: dark; {variables(DARK)} }}"
    text = (HERE / "page.css").read_text(encoding="utf-8")
    return Markup(
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {dark} }}\n"
        f"@media screen {{ :root[data-theme=dark] {dark} }}\n{text}"
    )


def variables(theme: Theme) -> str:
    """Write a theme's colours as CSS variables."""
    named = named_colours(theme)
    return " ".join(f"--{name}: {value};" for name, value in named.items())


def template(name: str = "page.html", folder: Path = HERE) -> Any:
    """Load a template, which escapes every text and makes control characters visible."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template(name)
