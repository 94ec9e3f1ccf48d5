"""Which values are secrets, and what is stored in their place.

A value is a secret when its name says so, read word by word: `api_key`, `hfToken`, `DB-PASSWORD`, `auth.secret` are
such names; `tokenizer`, `max_tokens`, `num_keys`, `key_dim`, `token_count`, `monkey`, `pad_token`, `sort_key` are not.
Numbers count as secrets only under names that mean nothing else, such as `password`; true, false and None never do.
Found without a name: credentials in URLs, and tokens of well-known services, which have a form of their own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from keepsake._model.values import Value

MASK = "***"

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

# Ends of words, so that `apikey` and `dbpassword` are found too, and the plural with them.
_ALWAYS_ENDINGS = ("password", "passwd", "passphrase", "passcode", "secret", "credential")
_JOINED_ENDINGS = ("apikey", "authkey", "accesskey", "privatekey", "authtoken", "accesstoken", "apitoken")
_ALWAYS_WORDS = frozenset({"pwd", "auth", "oauth", "authorization", "bearer"})
_KINDS_OF_SECRET_KEY = frozenset(
    {
        "api",
        "access",
        "auth",
        "private",
        "secret",
        "account",
        "master",
        "bearer",
        "refresh",
        "license",
        "ssh",
        "session",
    }
)
# Of signed URLs: `sig` (Azure), `X-Amz-Signature`, `X-Goog-Signature`.
_SIGNERS = frozenset({"", "amz", "goog"})
# Before a last word `key` or `token`, these make it a word of machine learning or of tables.
_HARMLESS_BEFORE = frozenset(
    {"pad", "eos", "bos", "mask", "unk", "sep", "cls", "class", "special", "start", "end", "stop", "begin", "next"}
    | {
        "image",
        "img",
        "video",
        "audio",
        "text",
        "prompt",
        "vocab",
        "per",
        "feature",
        "label",
        "target",
        "input",
        "output",
    }
    | {"sort", "primary", "foreign", "group", "partition", "join", "index", "column", "field", "name", "row", "map"}
    | {
        "metric",
        "monitor",
        "loss",
        "batch",
        "data",
        "dataset",
        "sample",
        "dict",
        "query",
        "registry",
        "lookup",
        "state",
    }
    | {"random", "prng", "rng", "cache", "x", "y", "question", "answer", "response", "message", "messages", "content"}
    | {"context", "chosen", "rejected", "instruction"}
)

_URL_CREDENTIALS = re.compile(
    r"(?P<start>\b(?P<scheme>[a-z][a-z0-9+.-]{0,30})://)(?P<who>[^\s/?#'\"<>]*)@", re.IGNORECASE
)
_PAIR = re.compile(
    r"""(?<![\w.-])(?P<start>(?P<name>[A-Za-z_][\w.-]*)(?:=["']?|["']\s*:\s*["']))(?P<value>[^\s"'&;,|<>)}\]]+)"""
)
_BEARER = re.compile(r"\b(?P<start>bearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_KNOWN_TOKEN = re.compile(
    # Hugging Face, OpenAI and Anthropic, GitHub, GitLab, AWS, Slack, Google, JSON web tokens
    r"\b(?:hf_[A-Za-z0-9]{20,}|sk-(?:[a-z]+-[\w-]{32,}|[A-Za-z0-9]{32,})|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})"
)
_OPTION = re.compile(r"(?P<start>(?:-{1,2}D?|\+{1,2})?(?P<name>[A-Za-z_][\w./-]*)=)(?P<value>.*)", re.DOTALL)
# What follows `--token` is another option and not the token: at most 20 letters after a single dash, or a definition.
_NEXT_OPTION = re.compile(r"--[A-Za-z]|-[A-Za-z][\w-]{0,20}(?:$|=)|-D")
_FLAG = re.compile(r"-{1,2}(?P<name>[A-Za-z][\w.-]*)")
_FLAG_AND_VALUE = re.compile(
    r"""(?<!\S)(?P<start>-{1,2}(?P<name>[A-Za-z][\w.-]*)(?:=|\s+(?!-)))(?P<value>"[^"]*"|'[^']*'|\S+)"""
)


def mask_params(params: Mapping[str, Value]) -> dict[str, Value]:
    """Return the params with `***` for every secret in them, at any depth."""
    return {name: _mask_value(name, value, "") for name, value in params.items()}


def mask_command(argv: Sequence[str]) -> str:
    """Return a command as one line that a shell takes apart again, with `***` for every secret in it."""
    return " ".join(shlex.quote(str(argument)) for argument in _mask_list(argv))


def mask_url(text: str) -> str:
    """Return the text with `***` for user information and secret query parameters of every URL in it."""
    return _PAIR.sub(_mask_pair, _URL_CREDENTIALS.sub(_mask_credentials, text)) if "://" in text else text


def mask_text(text: str) -> str:
    """Return the text with `***` for what is a secret in any text: `name=value`, URLs, tokens of well-known form."""
    return _PAIR.sub(_mask_pair, mask_tokens(text))


def mask_tokens(text: str) -> str:
    """Return the text with `***` for what is a secret by its form alone: credentials in URLs, tokens, bearers."""
    text = _KNOWN_TOKEN.sub(MASK, _BEARER.sub(rf"\g<start>{MASK}", text))
    return _URL_CREDENTIALS.sub(_mask_credentials, text)


def mask_flags(text: str) -> str:
    """Return a line for a shell with `***` for what follows `--token` or `--token=` and the like."""
    return _FLAG_AND_VALUE.sub(_mask_flag_value, text)


def mask_pair_value(found: re.Match[str]) -> str:
    """Return a match of `name=value`, groups of the pattern, with `***` for the value if the name is a secret's."""
    strength = _strength(found["name"])
    return f"{found['name']}={_mask_text_value(found['value'], strength)}" if strength else found[0]


def is_secret_name(name: str) -> bool:
    """Say whether what bears this name is a secret, unless it is a number."""
    return bool(_strength(name))


def _strength(name: str) -> str:
    """Return "always" for names that mean secrets only, "text" for those that also name numbers, "" for the others."""
    words = [word.lower() for word in _WORD.findall(name)]
    if any(word in _ALWAYS_WORDS or word.removesuffix("s").endswith(_ALWAYS_ENDINGS) for word in words):
        return "always"
    if any(word.removesuffix("s").endswith(_JOINED_ENDINGS) for word in words):
        return "text"
    pairs = list(zip(["", *words], words, strict=False))
    if any(before in _KINDS_OF_SECRET_KEY and word.removesuffix("s") in ("key", "token") for before, word in pairs):
        return "text"
    if not pairs:
        return ""
    before, last = pairs[-1]
    is_secret = last in ("key", "token") and before not in _HARMLESS_BEFORE
    is_signature = last in ("sig", "signature") and before in _SIGNERS
    return "text" if is_secret or is_signature else ""


def _mask_value(name: str, value: Value, around: str) -> Value:
    strength = _strength(name) or around
    if isinstance(value, dict):
        return {key: _mask_value(key, item, strength) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_value("", item, strength) for item in value] if strength else _mask_list(value)
    if isinstance(value, str):
        return _mask_text_value(value, strength) if strength else mask_text(value)
    if strength == "always" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return MASK
    return value


def _mask_list(items: Sequence[Value]) -> list[Value]:
    """Mask what may be the words of a command: what follows `--token` is a secret."""
    masked: list[Value] = []
    strength = ""
    for item in items:
        if isinstance(item, str):
            is_value = strength and not _NEXT_OPTION.match(item)
            masked.append(_mask_text_value(item, strength) if is_value else _mask_argument(item))
            flag = _FLAG.fullmatch(item)
            strength = _strength(flag["name"]) if flag else ""
        else:
            masked.append(_mask_value("", item, strength))
            strength = ""
    return masked


def _mask_text_value(text: str, strength: str) -> str:
    if not text or (strength == "text" and _NUMBER.fullmatch(text)):
        return text
    return MASK


def _mask_argument(argument: str) -> str:
    option = _OPTION.fullmatch(argument)
    if option is not None:
        strength = _strength(option["name"])
        if strength:
            return option["start"] + _mask_text_value(option["value"], strength)
    return mask_text(argument)


def _mask_flag_value(found: re.Match[str]) -> str:
    strength = _strength(found["name"])
    return found["start"] + _mask_text_value(found["value"], strength) if strength else found[0]


def _mask_pair(found: re.Match[str]) -> str:
    strength = _strength(found["name"])
    return found["start"] + _mask_text_value(found["value"], strength) if strength else found[0]


def _mask_credentials(found: re.Match[str]) -> str:
    user, colon, _ = found["who"].partition(":")
    if colon:
        return f"{found['start']}{user}:{MASK}@"
    # A name alone is a token for https, and a mere account for ssh.
    is_account = user == "git" or "ssh" in found["scheme"].lower()
    return found[0] if is_account or not user else f"{found['start']}{MASK}@"
