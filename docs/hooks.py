# ruff: noqa: INP001 - mkdocs loads this file by its path
"""For mkdocs: what a docstring names becomes a link; tables and code are mended."""

from __future__ import annotations

import re
from typing import Any, Final

#: A cell of a table; in its code Markdown needs ``\\|`` for a bar, and Python-Markdown shows it so.
_CELL: Final = re.compile(r"<t[dh][^>]*>.*?</t[dh]>", re.DOTALL)
#: Code in a cell that is long enough to squeeze the other columns, and where it may be broken.
_LONG: Final = re.compile(r"(?<=<code>)[^<]{25,}(?=</code>)")
_JOINT: Final = re.compile(r"(::|[/_,=](?=\w))")
#: Code, and in it tags and words; a browser breaks a line behind a hyphen, also one of an option.
_CODE: Final = re.compile(r"<code\b.*?</code>", re.DOTALL)
_WORD: Final = re.compile(r"<[^>]*>|[^<>\s]+")
#: Characters of the longest word that is kept on one line of a telephone.
_KEPT: Final = 32
#: Errors that one line of "Raises" names together.
_ERRORS: Final = re.compile(r"(?<=<code>)\(([^()]*Error[^()]*)\)(?=</code>)")
_PAGE: Final = re.compile(r"\bdocs/([a-z-]+)\.md\b")
_NAME: Final = re.compile(r"\b(?:rules?|facts?) (?:[RA]\d+(?:\.\d+)?(?:, | and )?)+")
_ONE: Final = re.compile(r"\b([RA]\d+)(\.\d+)?\b")
_HEADING: Final = re.compile(r"^### ([RA]\d+) (.+)$", re.MULTILINE)


def anchors(wire_format: str) -> dict[str, str]:
    """Return the anchor of each rule and fact of the page ``wire-format.md``."""
    return {
        name: f"{name} {title}".lower().replace(" ", "-")
        for name, title in _HEADING.findall(wire_format)
    }


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show a line of a crontab as the command that it is: it is wrapped, a drawing is not."""
    return markdown.replace("\n```cron\n", "\n```sh\n")


def on_page_content(html: str, *, page: Any, config: Any, files: Any) -> str:
    """Mend bars and long names in tables; link rules, facts and pages in the reference."""
    del config
    html = _CELL.sub(_mended, html)
    html = _CODE.sub(lambda code: _WORD.sub(_on_one_line, code[0]), html)
    if not page.file.src_uri.startswith("reference/"):
        return html
    known = anchors(files.get_file_from_path("wire-format.md").content_string)

    def link(found: re.Match[str]) -> str:
        anchor = known.get(found[1])
        return f'<a href="../../wire-format/#{anchor}">{found[0]}</a>' if anchor else found[0]

    html = _ERRORS.sub(r"\1", html)
    html = _PAGE.sub(r'<a href="../../\1/">\1</a>', html)
    return _NAME.sub(lambda names: _ONE.sub(link, names[0]), html)


def on_page_context(context: Any, *, page: Any, config: Any, nav: Any) -> Any:
    """Give a French page the language of its own words, and of those that the theme adds."""
    del nav
    config.theme["language"] = "fr" if page.file.src_uri.startswith("fr/") else "en"
    return context


def _on_one_line(word: re.Match[str]) -> str:
    text = word[0]
    if text[0] == "<" or len(text) > _KEPT or not re.search(r"[-/]", text):
        return text
    return f'<span class="word">{text}</span>'


def _mended(cell: re.Match[str]) -> str:
    bars = cell[0].replace("\\|", "|")
    return _LONG.sub(lambda name: _JOINT.sub(r"\1<wbr>", name[0]), bars)
