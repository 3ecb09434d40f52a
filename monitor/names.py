"""Names of companies: the forms in which they are compared, and the texts that stand for a name and name nobody."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_KEPT = 16384
_DOTS = re.compile(r"[.'\u2018\u2019]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_NO_WORD = re.compile(r"[^\w]+|_+")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)  # letters that Unicode does not decompose

# Legal forms, as they stand at the end of a name (ISO 20275, the list of entity legal forms, abbreviated as commonly
# written). Left out are those that are words of names too, such as `PC` and `DD`.
_LEGAL = """
    ab ag aktiengesellschaft ans aps as asa asbl bhd bv bvba cjsc co company corp corporation cv cvba doo eeig
    eenmanszaak ehf eirl eireli enk eood eurl fze fzco gbr gesmbh gie gmbh hf inc incorporated jsc kft kg kgaa kk lda
    limited lllp llc llp lp ltd ltda mbh nv nyrt oao ohg ood ooo ou oy oyj pao pjsc plc pllc pte pty pvt sa saoc sapi
    sarl sas sasu sca sce scs sdn se sia sl slu snc spa spj spk spzoo sprl srl srls sro tov uab ug vof vzw wll zao zrt
"""
_AT_THE_END = frozenset(_LEGAL.split())
_IN_WORDS = (
    ("haftungsbeschrankt",), ("sp", "z", "o", "o"), ("sp", "z", "oo"), ("sp", "zoo"), ("s", "a", "r", "l"),
    ("sa", "rl"), ("s", "r", "o"), ("d", "o", "o"), ("besloten", "vennootschap"), ("naamloze", "vennootschap"),
    ("a", "s"), ("b", "v"), ("n", "v"), ("s", "a"),
)  # fmt: skip
_IN_FRONT = frozenset({"ao", "eurl", "oao", "ooo", "pao", "pt", "sarl", "sas", "sia", "stichting", "tov", "uab", "zao"})

# What senders write where they know no name, in the form of `alias_form`. Sources: SCART (`(unknown)`, `(not set)`,
# `(OWNER EMPTY?!)`, `(UNKNOWN?! - CHECK RAW DATA)`), what spreadsheets and programs write for nothing, the same in the
# languages of hotlines, and what registries write in place of a registrant: ICANN's Temporary Specification for gTLD
# Registration Data, appendix A, RFC 9537, and the texts of registries that are alike.
_NOBODY = """
    anonymous|blank|empty|hidden|missing|na|n a|nan|nil|no data|no information|no name|no owner|nobody|no value|none
    not applicable|not available|not disclosed|not found|not known|not provided|not set|not shown|not specified|null
    n v t|nvt|owner empty|owner unknown|private|private person|protected|tba|tbd|undefined|undisclosed|unknown
    unknown check raw data|unknown company|unknown hoster|unknown hosting provider|unknown isp|unknown organisation
    unknown organization|unknown owner|unknown provider|unspecified|withheld
    onbekend|niet bekend|niet beschikbaar|geen|leeg|unbekannt|nicht bekannt|keine|keine angabe|inconnu|inconnue|aucun
    non renseigné|desconocido|desconocida|ninguno|sconosciuto|nessuno|desconhecido|nieznany|brak|ukjent|okänd|ukendt
    tuntematon|neznámý|ismeretlen|necunoscut|неизвестно
    data protected|data redacted|gdpr masked|gdpr redacted|identity protected|non public data|privacy
    private registration|proxy protected|registration private|statutory masking enabled|whois privacy|whois protected
"""
_NOBODY_FORMS = frozenset(text.strip() for text in re.split(r"[|\n]", _NOBODY) if text.strip())
_HIDDEN = re.compile(
    r"(?:.* )?redacted(?: .*)?"
    r"|(?:.* )?(?:withheld|masked|hidden|protected|concealed) for (?:.* )?(?:privacy|gdpr)(?: .*)?"
    r"|(?:.* )?query the (?:rdds|rdap|whois) service(?: .*)?|(?:.* )?(?:registrant|registrar) of record(?: .*)?"
)


def alias_form(name: str) -> str:
    """A company name as the registry keeps it: case, punctuation and repeated spaces do not count, `B.V.` is `BV`.

    `&amp;`, as a web page has it, is `&`.
    """
    return " ".join(re.sub(r"[^\w]+", " ", _without_entities(name).casefold().replace(".", "")).split())


@lru_cache(maxsize=_KEPT)
def names_nobody(text: str) -> bool:
    """Whether a text that stands where a name should names nobody: `(UNKNOWN)`, `n/a`, `REDACTED FOR PRIVACY`, `-`."""
    form = alias_form(text).replace("_", " ").strip()
    return not form or form in _NOBODY_FORMS or _HIDDEN.fullmatch(form) is not None


def named(text: str | None) -> str | None:
    """A name, or None for the texts that name nobody."""
    return None if text is None or names_nobody(text) else text


@lru_cache(maxsize=_KEPT)
def without_legal_form(name: str) -> str:
    """The words of a name without accents, punctuation, case, and the legal form at its end or in front of it.

    At least one word is left: of `AG` that is its name.
    """
    words = _words(name)
    while len(words) > 1 and (behind := _legal_words(words)):
        words = words[:-behind]
    if len(words) > 1 and words[0] in _IN_FRONT:
        words = words[1:]
    return " ".join(words)


def matching_form(name: str) -> str:
    """What a name is matched by where no name is exactly it: `without_legal_form`, and without spaces.

    `Müller-Net GmbH & Co. KG` and `MULLER NET` are alike. Empty where a name has no letter or digit.
    """
    return without_legal_form(name).replace(" ", "")


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", _without_entities(name)).casefold().translate(_LETTERS)
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return _NO_WORD.sub(" ", _DOTS.sub("", plain)).split()


def _without_entities(name: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0].casefold()), name) if "&" in name else name


def _legal_words(words: list[str]) -> int:
    """How many words at the end are a legal form; never all of them."""
    for form in _IN_WORDS:
        if len(words) > len(form) and tuple(words[-len(form) :]) == form:
            return len(form)
    return 1 if words[-1] in _AT_THE_END else 0
