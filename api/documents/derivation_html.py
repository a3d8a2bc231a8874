"""A derivation as an HTML fragment: folding details, escaped by the template engine, without script or style."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from api.documents.derivation_text import quotations, standing_phrase
from projections.questions.derivation_models import DerivationAnswer


def derivation_html(answer: DerivationAnswer, pages: str | None = None, files: Mapping[str, str] | None = None) -> str:
    """Return the tree as one `<section>`; text of the ledger stands in it escaped.

    `pages` is the address of the year's pages, to which facts then lead, and `files` has the addresses of the stored
    files that whoever reads may open; left out, the fragment stands for itself.
    """
    version = f"/api/v1/jurisdictions/{answer.jurisdiction}/schemes/{quote(answer.scheme.id)}/versions"
    opened = f"{version}/{quote(answer.scheme.version, safe='')}/clauses/{quote(answer.group, safe='')}"
    return _template().render(
        answer=answer,
        standing=standing_phrase(answer),
        quoted=quotations(answer),
        opened=opened,
        pages=pages,
        files=files or {},
    )


@cache
def _template() -> Template:
    loader = PackageLoader("api", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return environment.get_template("derivation.html")
