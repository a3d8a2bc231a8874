"""The answer to an appeal or a claim as files."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request, Response

from api.documents.dossier_files import MEDIA_TYPES, DossierFormat, dossier_file, dossier_files, dossier_name, zipped
from api.edge import READ, Given, JurisdictionCode, YearNumber
from api.replies import content_reply
from api.routes.appeals import PROCEEDING, Identifier, Kinds
from api.settings import Settings
from api.strict_bodies import StrictRoute
from ledger.decisions import local_day
from projections.proceedings.dossier_models import DossierAnswer
from projections.proceedings.dossiers import dossier_of, dossier_words
from projections.proceedings.proceedings import proceeding_of

router = APIRouter(route_class=StrictRoute, tags=["appeals"])
Written = Annotated[
    Literal["zip", "json", "docx", "pdf"],
    Query(alias="format", description="All files in one archive, or one of them."),
]


@router.get(
    f"{PROCEEDING}/dossier",
    response_model=DossierAnswer,
    responses={**READ, 200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
def read_dossier(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    kinds: Kinds,
    proceeding: Identifier,
    written: Written = "zip",
) -> Response:
    """Return the answer to an appeal or a claim: the score before and after, evidence, clauses and the decision.

    As JSON, as Word and as PDF (公文), or all three in an archive.
    """
    view = given.jurisdictions.view(jurisdiction, year)
    today = local_day(given.clock())
    found = proceeding_of(view, "appeal" if kinds == "appeals" else "claim", proceeding)
    dossier = dossier_of(given.jurisdictions, view, found, today)
    words = dossier_words(given.jurisdictions, dossier)
    fonts = cast(Settings, request.app.state.settings).font_folder
    if written == "zip":
        content = zipped(dossier_files(dossier, words, today, fonts))
    else:
        content = dossier_file(dossier, DossierFormat(written), words, today, fonts)
    reply = content_reply(request, content, MEDIA_TYPES[written])
    if written != "json":
        reply.headers["Content-Disposition"] = f'attachment; filename="{dossier_name(dossier)}.{written}"'
    return reply
