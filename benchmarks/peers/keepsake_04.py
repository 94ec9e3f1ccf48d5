"""The original Keepsake, whose API this project has taken over."""

from __future__ import annotations

from types import MappingProxyType

from benchmarks.peers import keepsake_1
from benchmarks.peers.interface import Needs


class Peer(keepsake_1.Peer):
    """The same calls, by another Python with another package behind the same name."""

    title = "Keepsake 0.4"
    # The last versions of those packages that it runs with; it requires none of them by version.
    needs = Needs(
        python=("setuptools<81", "protobuf<3.21", "googleapis-common-protos[grpc]<1.64", "keepsake==0.4.2"),
    )
    environment = MappingProxyType({"KEEPSAKE_NO_ANALYTICS": "1"})
