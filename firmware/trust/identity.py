"""Who a controller is: an Ed25519 key for replies and checkpoints, an X25519 key for what is sealed to it."""

import base64
from typing import Any

from firmware.trust import sealing, signing

LENGTH = 64  #: of `Identity.of`


class Identity:
    """One controller's two key pairs. Shows nothing of them in its repr (law 7)."""

    def __init__(self, sign_seed: bytes, seal_private: bytes) -> None:
        self._sign_seed = sign_seed
        self._seal_private = seal_private
        #: dict  as the topic `status` carries it: ``seal`` and ``sign``, raw, base64
        self.public_key = {
            "seal": base64.b64encode(sealing.public_of(seal_private)).decode(),
            "sign": base64.b64encode(signing.public_of(sign_seed)).decode(),
        }

    @classmethod
    def of(cls, secret: bytes) -> "Identity":
        """From `LENGTH` random bytes: the seed of the first key, then the second."""
        return cls(secret[:32], secret[32:LENGTH])

    def signed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`fields` with our ``sig``. Raises `firmware.trust.canonical.CanonicalError`."""
        return {**fields, "sig": signing.sign(fields, self._sign_seed)}

    def unseal(self, sealed: object, belongs: bytes) -> bytes:
        """What was sealed to us. Raises `firmware.trust.sealing.SealError`."""
        return sealing.unseal(sealed, self._seal_private, belongs)

    def __repr__(self) -> str:
        return "Identity(...)"
