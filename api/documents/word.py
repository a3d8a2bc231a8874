"""Official documents as Word files (DOCX).

Fonts are named, never embedded: the machines of an office have 仿宋_GB2312 and its kin. Every style names its East
Asian font itself, so that no theme and no language setting chooses another. Equal documents give equal bytes: the
entries of the archive carry a fixed time, and the properties the day of the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from io import BytesIO
from typing import Final, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import nsdecls, qn
from docx.oxml.parser import OxmlElement, parse_xml
from docx.oxml.text.parfmt import CT_PPr
from docx.section import _Footer
from docx.shared import Mm, Twips
from docx.table import Table as WordTable
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph as WordParagraph

from api.documents.blocks import (
    LAYOUT,
    TEXT_WIDTH,
    Align,
    Attachment,
    Block,
    Heading,
    KeyValues,
    OfficialDocument,
    Paragraph,
    Quotation,
    Run,
    Table,
    attachment_lines,
    attachment_marks,
    chinese_date,
    issuer_head,
    numbered,
    printable,
    signature_indents,
)

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_BODY: Final = "仿宋_GB2312"
_TITLE: Final = "方正小标宋简体"
_LEVEL1: Final = "黑体"
_LEVEL2: Final = "楷体_GB2312"
_PAGE_NUMBER: Final = "宋体"
_LATIN: Final = "Times New Roman"
_RED: Final = "D70000"


class _Style(NamedTuple):
    """A paragraph style; `indent` is that of the first line, `left` of all, both in characters of the body's size."""

    name: str
    font: str
    size: int = LAYOUT.body
    line: int = LAYOUT.line
    align: str = "both"
    indent: int = 0
    left: int = 0
    level: int | None = None
    keep_next: bool = False
    bold: bool = False
    color: str = "000000"
    border: str = ""


_STYLES: Final = (
    _Style("Normal", _BODY),
    _Style("Body Text", _BODY, indent=2),
    _Style("Title", _TITLE, LAYOUT.title, LAYOUT.title_line, align="center"),
    _Style("heading 1", _LEVEL1, indent=2, level=0, keep_next=True),
    _Style("heading 2", _LEVEL2, indent=2, level=1, keep_next=True),
    _Style("heading 3", _BODY, indent=2, level=2, keep_next=True, bold=True),
    _Style("heading 4", _BODY, indent=2, level=3, keep_next=True),
    _Style("Quote", _LEVEL2, indent=2, left=2),
    _Style("caption", _LEVEL1, LAYOUT.caption, align="center", keep_next=True),
    _Style("footer", _PAGE_NUMBER, LAYOUT.page_number, LAYOUT.page_number + 80, align="left"),
    _Style("Table Text", _BODY, LAYOUT.cell, LAYOUT.cell_line, align="left"),
    _Style("Issuer", _TITLE, LAYOUT.issuer, LAYOUT.issuer + 200, align="center", color=_RED),
    _Style("Document Number", _BODY, align="center", border=_RED),
    _Style("Attachment Mark", _LEVEL1),
    _Style("Signature", _BODY, align="right"),
)
_ALIGNMENTS: Final[dict[Align, WD_ALIGN_PARAGRAPH]] = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
}
_PAGE_FIELD: Final = f'<w:fldSimple {nsdecls("w")} w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
# What python-docx's own template brings along and an official document has no use for, by the end of its relation type.
_SURPLUS: Final = (
    "/customXml", "/extended-properties", "/fontTable", "/numbering", "/stylesWithEffects", "/theme", "/thumbnail",
    "/webSettings",
)  # fmt: skip


def word(document: OfficialDocument) -> bytes:
    """Return the document as a Word file."""
    file = Document()
    _set_up(file, document)
    if document.number is not None:
        _head(file, document.issuer, document.number)
    _add(file, "Title", document.title)
    _add(file, "Normal", "")
    if document.addressee is not None:
        _add(file, "Normal", f"{document.addressee}：")
    _blocks(file, document.blocks)
    if document.blocks:
        _keep_with_signature(file, document.blocks[-1])
    _attachment_list(file, document)
    if document.signature is not None:
        _signature(file, document.signature, document)
    for mark, attachment in zip(attachment_marks(document), document.attachments, strict=True):
        _attachment(file, mark, attachment)
    saved = BytesIO()
    file.save(saved)
    return with_fixed_times(saved)


# --- the document's parts ----------------------------------------------------------------------------------------


def _head(file: WordDocument, issuer: str, number: str) -> None:
    """Write the red head: issuer, two empty lines, number with the red line below it (7.2)."""
    size, width = issuer_head(issuer)
    named = _add(file, "Issuer", issuer)
    for run in named.runs:
        run.font.size = Twips(size)
    if width < TEXT_WIDTH:
        named.paragraph_format.left_indent = named.paragraph_format.right_indent = Twips((TEXT_WIDTH - width) // 2)
        named.paragraph_format.line_spacing = Twips(LAYOUT.title_line)
    _add(file, "Normal", "")
    _add(file, "Normal", "")
    _add(file, "Document Number", number)
    _add(file, "Normal", "")


def _keep_with_signature(file: WordDocument, last: Block) -> None:
    """Keep a short table or the last paragraphs on the signature's page, which never has the signature alone."""
    if not isinstance(last, Table):
        # Two, as a template's last one goes when its placeholder is empty.
        for paragraph in file.paragraphs[-2:]:
            paragraph.paragraph_format.keep_with_next = True
    elif len(last.rows) <= LAYOUT.kept_rows:
        cells = (cell for row in file.tables[-1].rows for cell in row.cells)
        for paragraph in (*(one for cell in cells for one in cell.paragraphs), file.paragraphs[-1]):
            paragraph.paragraph_format.keep_with_next = True


def _attachment_list(file: WordDocument, document: OfficialDocument) -> None:
    lines = attachment_lines(document)
    if lines:
        _add(file, "Normal", "")
    for mark, title in lines:
        # The titles hang below each other, right of "附件：", and go to the next page with the signature.
        paragraph = _add(file, "Normal", mark + title)
        paragraph.paragraph_format.keep_with_next = True
        _set_indent(paragraph, left=500, hanging=300 if mark else 0)


def _signature(file: WordDocument, office: str, document: OfficialDocument) -> None:
    indents = signature_indents(office, document.issued_on)
    signed = _add(file, "Signature", office)
    _set_indent(signed, right=indents.office)
    for paragraph in (_before(signed), _before(signed), signed):
        paragraph.paragraph_format.keep_with_next = True
    _set_indent(_add(file, "Signature", chinese_date(document.issued_on)), right=indents.day)


def _before(paragraph: WordParagraph) -> WordParagraph:
    return paragraph.insert_paragraph_before("", "Normal")


def _attachment(file: WordDocument, mark: str, attachment: Attachment) -> None:
    _add(file, "Attachment Mark", mark).paragraph_format.page_break_before = True
    _add(file, "Normal", "")
    _add(file, "Title", attachment.title)
    _add(file, "Normal", "")
    _blocks(file, attachment.blocks)


def _blocks(file: WordDocument, blocks: Sequence[Block]) -> None:
    for label, block in numbered(blocks):
        match block:
            case Heading():
                _add(file, f"Heading {block.level}", label + block.text)
            case Paragraph():
                _add(file, "Body Text", *block.runs)
            case Quotation():
                _add(file, "Body Text", Run(f"{block.source}：", bold=True)).paragraph_format.keep_with_next = True
                for line in printable(block.text).split("\n"):
                    _add(file, "Quote", line)
            case KeyValues():
                for key, value in block.items:
                    _add(file, "Body Text", Run(f"{key}：", bold=True), Run(value))
            case Table():
                _table(file, block)


def _table(file: WordDocument, block: Table) -> None:
    if block.caption is not None:
        _add(file, "Caption", block.caption)
    table = file.add_table(rows=1 + len(block.rows), cols=len(block.header), style="Table Grid")
    table.autofit = False
    widths = [Twips(width) for width in block.column_twips()]
    _set_columns(table, widths)
    for number, (row, texts) in enumerate(zip(table.rows, (block.header, *block.rows), strict=True)):
        _keep_together(row, header=number == 0)
        for cell, text, width, align in zip(row.cells, texts, widths, block.alignments, strict=True):
            cell.width = width
            _fill(cell, Run(text, bold=number == 0), "center" if number == 0 else align)
    # Word joins tables that follow each other without a paragraph between them.
    _add(file, "Table Text", "")


def _fill(cell: _Cell, run: Run, align: Align) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.style = "Table Text"
    paragraph.alignment = _ALIGNMENTS[align]
    _write(paragraph, run)


# --- paragraphs --------------------------------------------------------------------------------------------------


def _add(file: WordDocument, style: str, *texts: str | Run) -> WordParagraph:
    paragraph = file.add_paragraph(style=style)
    for text in texts:
        _write(paragraph, text if isinstance(text, Run) else Run(text))
    return paragraph


def _write(paragraph: WordParagraph, run: Run) -> None:
    if not run.text:
        return
    written = paragraph.add_run(printable(run.text))
    # Quotation marks and dashes stand in both scripts' fonts: the hint makes them Chinese.
    written.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:hint"), "eastAsia")
    if run.bold:
        written.bold = True


def _set_indent(paragraph: WordParagraph, size: int = LAYOUT.body, **hundredths: int) -> None:
    """Set indents in hundredths of a character, and in twips for readers that do not know characters."""
    indent = _properties(paragraph).get_or_add_ind()
    for side, amount in hundredths.items():
        indent.set(qn(f"w:{side}Chars"), str(amount))
        indent.set(qn(f"w:{side}"), str(amount * size // 100))


def _properties(paragraph: WordParagraph) -> CT_PPr:
    return paragraph._p.get_or_add_pPr()  # noqa: SLF001  # python-docx has no public way to its elements


def _set_columns(table: WordTable, widths: Sequence[Twips]) -> None:
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width


def _keep_together(row: _Row, *, header: bool) -> None:
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))


# --- the file ----------------------------------------------------------------------------------------------------


def _set_up(file: WordDocument, document: OfficialDocument) -> None:
    """Make the page, the styles and the properties those of an official document."""
    for relations in (file.part.rels, file.part.package.rels):
        for key in [key for key, relation in relations.items() if relation.reltype.endswith(_SURPLUS)]:
            del relations[key]
    styles = file.styles.element
    for child in list(styles):
        styles.remove(child)
    for child in parse_xml(_styles_xml()):
        styles.append(child)
    _set_page(file)
    properties = file.core_properties
    properties.title = printable(document.title).replace("\n", "")
    properties.author = properties.last_modified_by = printable(document.issuer)
    properties.created = properties.modified = datetime.combine(document.issued_on, time(), UTC)
    properties.comments = ""
    properties.language = "zh-CN"
    properties.revision = 1


def _set_page(file: WordDocument) -> None:
    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(LAYOUT.top_mm), Mm(LAYOUT.bottom_mm)
    section.left_margin, section.right_margin = Mm(LAYOUT.left_mm), Mm(LAYOUT.right_mm)
    # The middle of the page number's line is to stand 7 mm below the type area.
    section.footer_distance = Mm(LAYOUT.bottom_mm - LAYOUT.page_number_mm - 3)
    grid = file.element.body.sectPr.find(qn("w:docGrid"))
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), str(LAYOUT.line))
    settings = file.settings
    settings.odd_and_even_pages_header_footer = True
    settings.element.find(qn("w:themeFontLang")).set(qn("w:eastAsia"), "zh-CN")
    # Outer edges: right on odd pages, left on even ones, one character in.
    sides: tuple[tuple[_Footer, Align], ...] = ((section.footer, "right"), (section.even_page_footer, "left"))
    for footer, side in sides:
        footer.is_linked_to_previous = False
        number = footer.paragraphs[0]
        number.style = "Footer"
        number.alignment = _ALIGNMENTS[side]
        _set_indent(number, LAYOUT.page_number, **{side: 100})
        _write(number, Run("— "))
        number._p.append(parse_xml(_PAGE_FIELD))  # noqa: SLF001
        _write(number, Run(" —"))


def _styles_xml() -> str:
    fonts = _fonts_xml(_BODY)
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return (
        f"<w:styles {nsdecls('w')}>"
        f'<w:docDefaults><w:rPrDefault><w:rPr>{fonts}<w:sz w:val="{LAYOUT.body // 10}"/>'
        f'<w:szCs w:val="{LAYOUT.body // 10}"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault>'
        "<w:pPrDefault/></w:docDefaults>"
        f"{''.join(map(_style_xml, _STYLES))}"
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr>'
        '<w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="80" w:type="dxa"/>'
        '<w:bottom w:w="0" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
        '<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:basedOn w:val="TableNormal"/>'
        f"<w:tblPr><w:tblBorders>{borders}</w:tblBorders></w:tblPr></w:style>"
        "</w:styles>"
    )


def _style_xml(style: _Style) -> str:
    identifier = style.name.title().replace(" ", "")
    # Not a grid of characters: Word, WPS and LibreOffice disagree on what that does to characters wider than it.
    tracking = f'<w:spacing w:val="{LAYOUT.tracking}"/>' if style.size == LAYOUT.body else ""
    grid = "" if style.line == LAYOUT.line else '<w:snapToGrid w:val="0"/>'
    border = (
        style.border and f'<w:pBdr><w:bottom w:val="single" w:sz="12" w:space="11" w:color="{style.border}"/></w:pBdr>'
    )
    level = "" if style.level is None else f'<w:outlineLvl w:val="{style.level}"/>'
    default = ' w:default="1"' if style.name == "Normal" else ""
    based_on = "" if style.name == "Normal" else '<w:basedOn w:val="Normal"/>'
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{identifier}">'
        f'<w:name w:val="{style.name}"/>{based_on}<w:qFormat/>'
        f"<w:pPr>{'<w:keepNext/>' if style.keep_next else ''}"
        f'<w:widowControl w:val="0"/>{border}'
        f'<w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>{grid}'
        f'<w:spacing w:before="0" w:after="0" w:line="{style.line}" w:lineRule="exact"/>'
        f'<w:ind w:leftChars="{style.left * 100}" w:left="{style.left * LAYOUT.body}"'
        f' w:firstLineChars="{style.indent * 100}" w:firstLine="{style.indent * LAYOUT.body}"/>'
        f'<w:jc w:val="{style.align}"/>'
        f"{level}</w:pPr>"
        f"<w:rPr>{_fonts_xml(style.font)}{'<w:b/>' if style.bold else ''}"
        f'<w:color w:val="{style.color}"/>{tracking}'
        f'<w:sz w:val="{style.size // 10}"/><w:szCs w:val="{style.size // 10}"/>'
        "</w:rPr></w:style>"
    )


def _fonts_xml(font: str) -> str:
    return f'<w:rFonts w:ascii="{_LATIN}" w:eastAsia="{font}" w:hAnsi="{_LATIN}" w:cs="{_LATIN}"/>'


def with_fixed_times(saved: BytesIO) -> bytes:
    """Return the archive with the earliest time a ZIP file knows on each of its entries."""
    packed = BytesIO()
    with ZipFile(saved) as source, ZipFile(packed, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return packed.getvalue()
