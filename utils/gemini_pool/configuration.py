"""What the environment says of keys and addresses, as values.

``read`` takes the environment as a mapping (see ``utils.settings.environment``) and answers a ``Configuration``. Keys
come from ``GEMINI_API_KEYS`` (a comma list of ``key`` or ``label@project:key``), then ``GEMINI_API_KEY_1``, ``_2``, ...
(each with an optional ``GEMINI_API_KEY_1_PROJECT``), then a lone ``GEMINI_API_KEY``. What always holds: doubles are
dropped, the first place wins; a key with characters that no HTTP header can carry is refused by its place, never shown.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from utils.gemini_pool.errors import ConfigurationError, KeyFormatError
from utils.gemini_pool.policy.config import PoolConfig
from utils.security import Secret

_NUMBERED = re.compile(r"GEMINI_API_KEY_(\d+)")
_LABELLED = re.compile(r"(?P<name>[^@:,\s]+)@(?P<project>[^@:,\s]+):(?P<key>.+)", re.DOTALL)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_SETTING_PREFIX = "GEMINI_POOL_"
_WEBHOOK = "GEMINI_POOL_ALERT_WEBHOOK"


@dataclass(frozen=True, slots=True)
class ConfiguredKey:
    """A key with the operator's name for it and its quota project, where told."""

    secret: Secret
    name: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Keys in their order, the service's address and version, the proxy to it, and the pool's constants.

    ``alert_webhook``: where alerts are posted, None: nowhere; ``alert_proxy``: the proxy to it.
    """

    keys: tuple[ConfiguredKey, ...] = ()
    base_url: str | None = None
    api_version: str | None = None
    proxy: str | None = None
    pool: PoolConfig = dataclasses.field(default_factory=PoolConfig)
    alert_webhook: Secret | None = None
    alert_proxy: str | None = None


def read(environment: Mapping[str, str]) -> Configuration:
    """Read a whole configuration; raises ``KeyFormatError`` or ``ConfigurationError`` naming what is wrong."""
    base_url = environment.get("GOOGLE_GEMINI_BASE_URL") or None
    webhook = _webhook(environment)
    return Configuration(
        keys=parse_keys(_listed(environment)),
        base_url=base_url,
        api_version=environment.get("GOOGLE_GENAI_API_VERSION") or None,
        proxy=_proxy(environment, base_url),
        pool=_pool_config(environment),
        alert_webhook=webhook,
        alert_proxy=_proxy(environment, webhook.reveal()) if webhook is not None else None,
    )


def parse_keys(listed: Iterable[tuple[str, str, str | None]]) -> tuple[ConfiguredKey, ...]:
    """Turn (place, text, project) into keys; ``place`` is what an error names."""
    keys: dict[str, ConfiguredKey] = {}
    for place, text, project in listed:
        key = parse_key(text, place=place, label=f"Key #{len(keys) + 1}", project=project)
        keys.setdefault(key.secret.fingerprint, key)
    return tuple(keys.values())


def parse_key(text: str, *, place: str, label: str, project: str | None = None) -> ConfiguredKey:
    """Read ``key`` or ``label@project:key``; raises ``KeyFormatError``."""
    labelled = _LABELLED.fullmatch(text)
    value = labelled["key"] if labelled else text
    if not _PRINTABLE.fullmatch(value):
        raise KeyFormatError(
            f"The Gemini key in {place} holds a space, a line break or a character outside ASCII: copy it again."
        )
    if labelled:
        return ConfiguredKey(Secret(value, label), labelled["name"], labelled["project"])
    return ConfiguredKey(Secret(value, label), None, project)


def _listed(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str | None]]:
    for index, text in enumerate(environment.get("GEMINI_API_KEYS", "").split(","), 1):
        if text.strip():
            yield f"GEMINI_API_KEYS (entry {index})", text.strip(" "), None
    numbered = sorted((int(found[1]), name) for name in environment if (found := _NUMBERED.fullmatch(name)) is not None)
    for _, name in numbered:
        if environment[name].strip():
            yield name, environment[name].strip(" "), environment.get(f"{name}_PROJECT") or None
    if environment.get("GEMINI_API_KEY", "").strip():
        yield "GEMINI_API_KEY", environment["GEMINI_API_KEY"].strip(" "), None


def _webhook(environment: Mapping[str, str]) -> Secret | None:
    """Read the address for alerts, which is secret: whoever knows it may post to it."""
    text = environment.get(_WEBHOOK, "").strip()
    if not text:
        return None
    try:
        address = urlsplit(text)
        usable = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{_WEBHOOK} must be an address that begins with https://: mend it or leave it out.")
    return Secret(text, _WEBHOOK)


def _proxy(environment: Mapping[str, str], base_url: str | None) -> str | None:
    """Choose the proxy for the service's address as the usual variables say; loopback is never proxied."""
    address = urlsplit(base_url or "https://generativelanguage.googleapis.com")
    host = address.hostname or ""
    no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]  # in the documentation, not in typeshed
        host, {"no": no_proxy}
    ):
        return None
    for name in (f"{address.scheme}_proxy", "all_proxy"):
        value = environment.get(name) or environment.get(name.upper())
        if value:
            return value
    return None


def _pool_config(environment: Mapping[str, str]) -> PoolConfig:
    """Read ``GEMINI_POOL_<FIELD>`` over the defaults, such as ``GEMINI_POOL_FIRST_BYTE_S=5``."""
    values: dict[str, float | int] = {}
    defaults = PoolConfig()
    for field in dataclasses.fields(PoolConfig):
        name = _SETTING_PREFIX + field.name.upper()
        text = environment.get(name, "").strip()
        if not text:
            continue
        kind = type(getattr(defaults, field.name))
        try:
            values[field.name] = kind(text)
        except ValueError:
            raise ConfigurationError(f"{name} must be a number: mend it or leave it out.") from None
    try:
        return PoolConfig(**values)  # type: ignore[arg-type]  # every field named here was converted to its own type
    except ValueError as error:
        raise ConfigurationError(f"{error}: mend it or leave it out.") from None
