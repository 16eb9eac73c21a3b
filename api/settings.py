"""What an operator sets, from files or the environment."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine.errors import Invalid
from ..engine.limits import Limits
from ..engine.secret_sources.environment import EnvironmentSecrets
from ..engine.secret_sources.files import FileSecrets
from ..engine.secret_sources.source import SecretSource
from ..engine.secret_sources.vault import VaultSecrets
from ..engine.stones.quota import Quota
from .access.address import parts_of
from .access.introspection import Introspection
from .access.openid import Provider, is_safe

INTROSPECTION = {
    "url": "RIVERSTONE_INTROSPECTION_URL",
    "client_id": "RIVERSTONE_INTROSPECTION_CLIENT_ID",
    "client_secret": "RIVERSTONE_INTROSPECTION_CLIENT_SECRET",
    "form": "RIVERSTONE_INTROSPECTION_FORM",
    "scope_prefix": "RIVERSTONE_INTROSPECTION_SCOPE_PREFIX",
    "audience": "RIVERSTONE_INTROSPECTION_AUDIENCE",
    "user_claim": "RIVERSTONE_INTROSPECTION_USER_CLAIM",
    "groups_claim": "RIVERSTONE_INTROSPECTION_GROUPS_CLAIM",
}
OIDC = {
    "issuer": "RIVERSTONE_OIDC_ISSUER",
    "client_id": "RIVERSTONE_OIDC_CLIENT_ID",
    "client_secret": "RIVERSTONE_OIDC_CLIENT_SECRET",
    "request": "RIVERSTONE_OIDC_REQUEST",
    "user_claim": "RIVERSTONE_OIDC_USER_CLAIM",
    "groups_claim": "RIVERSTONE_OIDC_GROUPS_CLAIM",
    "owner_claim": "RIVERSTONE_OIDC_OWNER_CLAIM",
    "scopes_claim": "RIVERSTONE_OIDC_SCOPES_CLAIM",
    "scopes": "RIVERSTONE_OIDC_SCOPES",
    "sign_out": "RIVERSTONE_OIDC_SIGN_OUT",
}
SECRETS = {
    "folder": "RIVERSTONE_SECRETS_FOLDER",
    "vault_address": "RIVERSTONE_VAULT_ADDRESS",
    "vault_token": "RIVERSTONE_VAULT_TOKEN",
    "vault_token_file": "RIVERSTONE_VAULT_TOKEN_FILE",
    "vault_mount": "RIVERSTONE_VAULT_MOUNT",
    "vault_namespace": "RIVERSTONE_VAULT_NAMESPACE",
    "vault_ca": "RIVERSTONE_VAULT_CA",
}
TEXTS = ("db", "broker")
PARTS = {
    *TEXTS,
    "stones",
    "limits",
    "introspection",
    "oidc",
    "secrets",
    "encryption_keys",
    "public_url",
    "webhooks",
    "quotas",
    "process_quotas",
    "serve",
    "log",
}
SERVE = {"host": str, "port": int, "console": bool}
LOG = {"form": str, "level": str}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an engine and its server are made with."""

    limits: Limits
    db: str | None = None
    """The database's URL."""
    stones: tuple[str, ...] = ()
    """The modules with stones."""
    introspection: Introspection | None = None
    oidc: Provider | None = None
    """By whom people sign in with a browser."""
    encryption_keys: tuple[str, ...] = ()
    """Fernet keys: the first encrypts, all of them decrypt."""
    secrets: tuple[SecretSource, ...] = ()
    """Where the hooks of this process find the secrets that models refer to."""
    public_url: str | None = None
    """Where the server is reached from outside, for callbacks."""
    webhooks: tuple[str, ...] = ()
    """The origins and networks to which webhooks may go; none unless something is listed."""
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """Those of stones, by code; they go before what a stone says itself."""
    process_quotas: Mapping[str, Quota] = field(default_factory=dict)
    """Those of processes, by key."""

    @classmethod
    def read(
        cls,
        *,
        file: str | None = None,
        limits: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
    ) -> Settings:
        """``limits`` as NAME=VALUE come first, then ``config``, the environment and the TOML ``file``.

        Raises Invalid, naming what is wrong and where.
        """
        given = {**os.environ, **(config or {})}
        in_file = _file(file or given.get("RIVERSTONE_CONFIG") or None)
        named = {**_part(in_file, "limits"), **_pairs(_texts(given.get("RIVERSTONE_LIMITS"))), **_pairs(limits)}
        public_url = _address(given.get("RIVERSTONE_PUBLIC_URL") or in_file.get("public_url"))
        keys = _texts(given.get("RIVERSTONE_ENCRYPTION_KEY")) or _texts(in_file.get("encryption_keys"))
        return cls(
            db=_text(given.get("RIVERSTONE_DB") or in_file.get("db"), "db"),
            stones=tuple(_texts(given.get("RIVERSTONE_STONES")) or _texts(in_file.get("stones"))),
            limits=Limits.of(named),
            introspection=_introspection(_given(in_file, "introspection", given, INTROSPECTION)),
            encryption_keys=tuple(keys),
            webhooks=tuple(_texts(given.get("RIVERSTONE_WEBHOOKS")) or _texts(in_file.get("webhooks"))),
            quotas=_quotas("RIVERSTONE_QUOTAS", "quotas", given, in_file),
            process_quotas=_quotas("RIVERSTONE_PROCESS_QUOTAS", "process_quotas", given, in_file),
            public_url=public_url,
            secrets=_secrets(_given(in_file, "secrets", given, SECRETS)),
            oidc=_oidc(_given(in_file, "oidc", given, OIDC), public_url),
        )


def options_in(path: str) -> dict[str, Any]:
    """What a settings file says of the command line's options, as click's ``default_map``; raises Invalid."""
    read = _file(path)
    log = {f"log_{name}": value for name, value in _typed(read, "log", LOG).items()}
    common = {name: _text(read.get(name), name) for name in TEXTS}
    return {
        **{name: value for name, value in common.items() if value is not None},
        **({"modules": _texts(read["stones"])} if "stones" in read else {}),
        "serve": {**_typed(read, "serve", SERVE), **log},
        "river": log,
    }


def _typed(file: Mapping[str, Any], name: str, types: Mapping[str, type]) -> dict[str, Any]:
    part = _part(file, name)
    for each, value in part.items():
        if each not in types:
            raise _wrong(f"The part {name!r} of the settings file has no {each!r}: use {', '.join(sorted(types))}.")
        if type(value) is not types[each]:
            raise _wrong(f"{each!r} in the part {name!r} of the settings file is no {types[each].__name__}.")
    return part


def _text(given: Any, name: str) -> str | None:
    if given is not None and not isinstance(given, str):
        raise _wrong(f"The setting {name!r} is no text.")
    return given or None


def _file(path: str | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        read = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(f"The settings file {path!r} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise _wrong(f"The settings file {path!r} is not TOML: {error}.") from error
    unknown = sorted(set(read) - PARTS)
    if unknown:
        raise _wrong(f"The settings file {path!r} has no part {unknown[0]!r}: use {', '.join(sorted(PARTS))}.")
    return read


def _part(file: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = file.get(name, {})
    if not isinstance(part, dict):
        raise _wrong(f"The part {name!r} of the settings file is no table.")
    return part


def _given(
    file: Mapping[str, Any], name: str, given: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, Any]:
    """A part of the file, and before it what its variables hold."""
    return {
        **_part(file, name),
        **{each: given[variable] for each, variable in variables.items() if given.get(variable)},
    }


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE texts as a mapping."""
    pairs = {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}
    if "" in pairs.values() or "" in pairs:
        raise _wrong(f"Give limits as NAME=VALUE, not {', '.join(texts)!r}.")
    return pairs


def _texts(given: Any) -> list[str]:
    """A list of texts, or one text with commas."""
    texts = given.split(",") if isinstance(given, str) else list(given or ())
    if isinstance(given, Mapping):
        texts = [f"{name}={value}" for name, value in given.items()]
    if not all(isinstance(text, str) for text in texts):
        raise _wrong("A list in the settings holds something other than texts.")
    return [text.strip() for text in texts if text.strip()]


def _address(given: Any) -> str | None:
    if not given:
        return None
    parts = parts_of(given) if isinstance(given, str) else None
    if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise _wrong("The setting public_url is an address such as https://bpm.example.com/engine.")
    return str(given)


def _quotas(name: str, setting: str, settings: Mapping[str, Any], in_file: Mapping[str, Any]) -> dict[str, Quota]:
    """By the code of the stone or the key of the process, from a JSON text or what the file has."""
    given = settings.get(name) or _part(in_file, setting)
    try:
        read = json.loads(given) if isinstance(given, str) else given
    except ValueError as error:
        raise _wrong(f"{name} is no JSON: {error}.") from error
    if not isinstance(read, Mapping):
        text = 'given by the codes of stones or the keys of processes, such as {"Cloud::Server": {"at_once": 5}}.'
        raise _wrong(f"Quotas are {text}")
    return {code: Quota.of(code, values) for code, values in read.items()}


def _introspection(asked: dict[str, Any]) -> Introspection | None:
    if not asked:
        return None
    unknown = sorted(set(asked) - set(INTROSPECTION))
    missing = [name for name in ("url", "client_id", "client_secret") if not asked.get(name)]
    if unknown or missing or not all(isinstance(value, str) for value in asked.values()):
        wrong = f"{unknown[0]} is not known" if unknown else f"{', '.join(missing) or 'a text'} is missing"
        text = f"The settings of introspection are wrong: {wrong}; they are {', '.join(INTROSPECTION)}, all texts."
        raise _wrong(text)
    return Introspection(**asked)


def _secrets(asked: dict[str, Any]) -> tuple[SecretSource, ...]:
    """The environment first, then a folder, then Vault, where these are set."""
    unknown = sorted(set(asked) - set(SECRETS))
    if unknown or not all(isinstance(value, str) for value in asked.values()):
        wrong = f"{unknown[0]} is not known" if unknown else "one is no text"
        raise _wrong(f"The settings of secrets are wrong: {wrong}; they are {', '.join(SECRETS)}, all texts.")
    found: list[SecretSource] = [EnvironmentSecrets()]
    if folder := asked.get("folder"):
        found.append(FileSecrets(folder))
    if address := asked.get("vault_address"):
        file = asked.get("vault_token_file")
        token = Path(file) if file else asked.get("vault_token", "")
        namespace, mount, ca = asked.get("vault_namespace"), asked.get("vault_mount", "secret"), asked.get("vault_ca")
        try:
            found.append(VaultSecrets(address, token, mount=mount, namespace=namespace, ca=ca))
        except OSError as error:
            raise _wrong(f"The certificates {ca!r} of Vault cannot be read: {error}.") from error
    return tuple(found)


def _oidc(asked: dict[str, Any], public_url: str | None) -> Provider | None:
    if not asked:
        return None
    scopes = asked.pop("scopes", {})
    pairs = _pairs(_texts(scopes)) if isinstance(scopes, str) else scopes
    unknown = sorted(set(asked) - set(OIDC))
    missing = [name for name in ("issuer", "client_id") if not asked.get(name)]
    texts = [*asked.values(), *(pairs.values() if isinstance(pairs, dict) else [None])]
    if unknown or missing or not all(isinstance(value, str) for value in texts):
        wrong = f"{unknown[0]} is not known" if unknown else f"{', '.join(missing) or 'a text'} is missing"
        raise _wrong(f"The settings of oidc are wrong: {wrong}; they are {', '.join(OIDC)}, texts but for scopes.")
    if public_url is not None and not is_safe(public_url):
        raise _wrong("People sign in over https alone: set public_url to an address that begins so.")
    return Provider(**asked, scopes={value: frozenset(text.split()) for value, text in pairs.items()})


def _wrong(text: str) -> Invalid:
    return Invalid(text, code="settings-invalid")
