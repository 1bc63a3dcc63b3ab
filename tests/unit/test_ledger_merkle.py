"""The Merkle tree of RFC 6962 on the leaves of the Certificate Transparency test vectors."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.ledger.journal.canonical import entry_hash
from aidc.ledger.journal.merkle import inclusion_proof, proves, root

# google/certificate-transparency: merkletree test vectors (leaves and roots)
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def hashes(count: int) -> list[str]:
    return [entry_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:count]]


@pytest.mark.parametrize("count", range(9))
def test_the_root_is_that_of_the_published_vectors(count: int) -> None:
    assert root(hashes(count)) == ROOTS[count]


@pytest.mark.parametrize(("place", "proof"), PROOFS.items())
def test_the_proof_is_that_of_the_published_vectors(
    place: tuple[int, int], proof: list[str]
) -> None:
    index, size = place
    assert list(inclusion_proof(hashes(size), index)) == proof
    assert proves(hashes(size)[index], index, size, proof, ROOTS[size])


many = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(many)
def test_the_root_is_the_recursive_definition(leaves: list[bytes]) -> None:
    assert root([entry_hash(leaf) for leaf in leaves]) == recursive_root(leaves).hex()


@given(many, st.data())
def test_every_leaf_is_proved_and_no_other_place_size_or_leaf_is(
    leaves: list[bytes], data: st.DataObject
) -> None:
    tree = [entry_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, len(tree) - 1))
    proof, top = inclusion_proof(tree, index), root(tree)
    assert proves(tree[index], index, len(tree), proof, top)
    assert not proves(entry_hash(b"not a leaf of the tree"), index, len(tree), proof, top)
    assert not proves(tree[index], index, len(tree), (*proof, "00" * 32), top)
    if proof:
        assert not proves(tree[index], index, len(tree), proof[:-1], top)
        changed = ("00" * 32, *proof[1:])
        assert not proves(tree[index], index, len(tree), changed, top)
    for other in range(len(tree)):
        if tree[other] != tree[index]:
            assert not proves(tree[index], other, len(tree), proof, top)


@given(many, st.data())
def test_any_change_of_a_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = [entry_hash(leaf) for leaf in leaves]
    changed = [*tree]
    changed[index] = entry_hash(leaves[index] + b"!")
    assert root(changed) != root(tree)


def test_an_odd_node_is_promoted_and_not_paired_with_itself() -> None:
    assert root(hashes(3)) != root([*hashes(3), hashes(3)[2]])


def test_places_outside_the_tree_and_torn_hashes_are_refused() -> None:
    with pytest.raises(InputError, match="no leaf 3 in a tree of 3"):
        inclusion_proof(hashes(3), 3)
    with pytest.raises(InputError, match="no SHA-256"):
        root(["abc"])
    assert not proves(hashes(3)[0], 3, 3, (), ROOTS[3])
