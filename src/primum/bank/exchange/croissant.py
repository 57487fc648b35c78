"""Croissant 1.0 metadata with the responsible-AI fields (MLCommons), for the Parquet files of an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from primum.bank.build import BANK_VERSION
from primum.hashing import sha256_file
from primum.runs import layout

FILE: Final = "croissant.json"
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty", "samplingRate": "cr:samplingRate",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
# Column, type, whether it repeats, and what it is.
_FIELDS: Final = (
    ("id", "sc:Text", False, "Item id, the same in both languages."),
    ("task", "sc:Text", False, "Task of the bank."),
    ("form", "sc:Text", False, "Item form."),
    ("answer_form", "sc:Text", False, "How the answer is scored."),
    ("language", "sc:Text", False, "zh or en."),
    ("question", "sc:Text", False, "What is asked, without options."),
    ("options", "sc:Text", True, "Options in the order shown."),
    ("answer", "sc:Text", True, "Right letters; empty for open requests."),
    ("reference", "sc:Text", False, "The norm, the reason, or a safe answer."),
    ("dimension", "sc:Text", False, "Primary dimension, E1 to E11 or S1 to S9."),
    ("scenes", "sc:Text", True, "Clinical scenes."),
    ("difficulty", "sc:Text", False, "Difficulty before any model tried it."),
    ("split", "sc:Text", False, "train, test, or seen-norm."),
    ("tags", "sc:Text", True, "Tags."),
    ("review", "sc:Text", False, "Review status of the norm."),
)


def describe(folder: Path, files: Sequence[Path], *, counts: Mapping[str, int], published: str, review: str, url: str) -> Path:
    """Write ``croissant.json`` for Parquet files below ``folder``.

    Args:
        folder: The export.
        files: Its Parquet files.
        counts: Items by language.
        published: Day of publication, ISO.
        review: What may be said of the review.
        url: Where the export is published.
    """
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": "primum-bank",
        "description": "A bilingual (Chinese, English) bank of medical ethics and safety items, each traced to an article of current law, a code"
        " or a guideline.",
        "version": f"{BANK_VERSION}.0",
        "datePublished": published,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": url,
        "creator": {"@type": "sc:Organization", "name": "Primum"},
        "inLanguage": ["zh", "en"],
        "keywords": ["medical ethics", "patient safety", "language models", "benchmark", "law"],
        "citeAs": "Primum bank, version " + BANK_VERSION,
        **_responsible(counts, review),
        "distribution": [_file(folder, path) for path in files],
        "recordSet": [_records(path) for path in files],
    }
    path = folder / FILE
    layout.write_bytes(path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path


def _responsible(counts: Mapping[str, int], review: str) -> dict[str, Any]:
    total = ", ".join(f"{count} items in {language}" for language, count in counts.items())
    return {
        "rai:dataCollection": "Written for this bank from published law, codes and guidelines; sentences are the project's own. No patient data of"
        " any kind.",
        "rai:dataCollectionType": ["Manual Human Curator", "Software Collection"],
        "rai:dataAnnotationProtocol": "Keys follow from the cited article. Two physicians may rate blind, a third adjudicates; amendments are"
        " recorded with who, when and why.",
        "rai:dataReleaseMaintenancePlan": "Norms are checked against law texts as of a date; a change of law lists the items it touches.",
        "rai:dataUseCases": ["Evaluating and aligning medical language models", "Training and testing evaluators of ethics and safety"],
        "rai:dataLimitations": [
            f"{total}. Norms are Chinese for three quarters. {review}",
            "Not legal advice; not a substitute for clinical judgement.",
        ],
        "rai:dataBiases": ["Settings are mostly Chinese hospitals; other systems appear through international sources only."],
        "rai:personalSensitiveInformation": ["None: all persons and cases are invented."],
        "rai:dataSocialImpact": "Harmful requests are stated without usable method; violating example answers show a stance only.",
    }


def _file(folder: Path, path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.relative_to(folder).as_posix(),
        "encodingFormat": "application/x-parquet",
        "sha256": sha256_file(path),
    }


def _records(path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": path.stem,
        "name": path.stem,
        "key": {"@id": f"{path.stem}/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{path.stem}/{name}",
                "name": f"{path.stem}/{name}",
                "description": text,
                "dataType": kind,
                **({"repeated": True} if repeated else {}),
                "source": {"fileObject": {"@id": path.name}, "extract": {"column": name}},
            }
            for name, kind, repeated, text in _FIELDS
        ],
    }
