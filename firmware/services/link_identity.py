"""Shows a broker who we are: user and password, or a client certificate; in the link's process only."""

from typing import Any

from firmware.services.link_broken import Broken, reason_of

FILE_BYTES = 262_144  #: of a certificate, a key or a password, at most


def show(client: Any, link: dict[str, Any]) -> None:
    """User, password and certificates. Raises `Broken` for a file that is none."""
    if link["username"] is not None:
        password = None
        if link["password_file"] is not None:
            password = _read(link["password_file"], "the broker's password").rstrip("\r\n")
        client.username_pw_set(link["username"], password)
    if not link["tls"]:
        return
    import ssl

    for key, meaning in (("ca", "certificates"), ("cert", "a certificate"), ("key", "a key")):
        if link[key] is not None:
            _read(link[key], meaning)
    try:
        context = ssl.create_default_context(cafile=link["ca"])
        if link["cert"] is not None:
            context.load_cert_chain(link["cert"], link["key"], password="")
    except (OSError, ValueError) as error:
        names = ", ".join(link[key] for key in ("ca", "cert", "key") if link[key] is not None)
        raise Broken(
            f"link: {names}: {reason_of(error)}; expected PEM files, the key without a password"
        ) from error
    client.tls_set_context(context)


def _read(path: str, meaning: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(FILE_BYTES)
    except (OSError, ValueError) as error:
        raise Broken(
            f"link: {path}: {reason_of(error)}; expected a file with {meaning}; trying again"
        ) from error
