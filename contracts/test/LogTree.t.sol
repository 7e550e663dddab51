// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

import {InvoiceAnchor} from "../InvoiceAnchor.sol";
import {vm} from "./Vm.sol";

/// includes() against the shared vectors, and against the recursive definition of RFC 9162 section 2.1.1 and 2.1.3.1.
contract LogTreeTest {
    InvoiceAnchor private registry;

    function setUp() public {
        registry = new InvoiceAnchor(1, address(this), address(this), address(this), 0);
    }

    function test_EveryVector() public {
        string memory json = vm.readFile("tests/vectors/log_tree.json");
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat("$[", vm.toString(i), "]")); ++i) {
            string memory place = string.concat("$[", vm.toString(i), "]");
            bytes32[] memory leaves = _hashes(json, string.concat(place, ".leaves"));
            bytes32 root = _hash(vm.parseJsonString(json, string.concat(place, ".root")));
            vm.assertEq(_treeHash(leaves, 0, leaves.length), root);
            uint64 seq = _anchor(root, leaves.length);
            string[] memory indexes = vm.parseJsonKeys(json, string.concat(place, ".paths"));
            vm.assertTrue(indexes.length > 0, "paths are missing");
            for (uint256 j = 0; j < indexes.length; ++j) {
                uint64 index = uint64(vm.parseUint(indexes[j]));
                bytes32[] memory path = _hashes(json, string.concat(place, ".paths['", indexes[j], "']"));
                vm.assertTrue(registry.includes(seq, index, leaves[index], path), "not included");
            }
        }
        vm.assertTrue(i >= 10, "vectors are missing");
    }

    function test_AnEmptyBatchIncludesNothing() public {
        registry.anchor(1, 0, 0, 0);
        vm.assertFalse(registry.includes(1, 0, 0, new bytes32[](0)), "included");
    }

    /// The root of two leaves, anchored as that of one: the hashes fit and the size does not.
    function testFuzz_RefusesAPathLongerThanTheSizeAllows(bytes32 left, bytes32 right) public {
        uint64 seq = _anchor(_node(left, right), 1);
        bytes32[] memory path = new bytes32[](1);
        path[0] = left;
        vm.assertFalse(registry.includes(seq, 0, right, path), "included");
    }

    function testFuzz_IncludesEveryLeafAtItsPlaceOnly(bytes32 seed, uint8 size_, uint8 index_, uint64 elsewhere) public {
        (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq) = _case(seed, size_, index_);
        vm.assertTrue(registry.includes(seq, index, leaves[index], path), "not included");
        vm.assume(elsewhere != index);
        vm.assertFalse(registry.includes(seq, elsewhere, leaves[index], path), "included elsewhere");
        uint64 nearby = elsewhere % uint64(leaves.length);
        vm.assertFalse(nearby != index && registry.includes(seq, nearby, leaves[index], path), "included nearby");
    }

    function testFuzz_RefusesAnotherLeaf(bytes32 seed, uint8 size_, uint8 index_, bytes32 leaf) public {
        (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq) = _case(seed, size_, index_);
        vm.assume(leaf != leaves[index]);
        vm.assertFalse(registry.includes(seq, index, leaf, path), "included");
    }

    function testFuzz_RefusesAChangedPath(bytes32 seed, uint8 size_, uint8 index_, uint8 place, bytes32 change) public {
        (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq) = _case(seed, size_, index_);
        vm.assume(change != 0 && path.length > 0);
        path[place % path.length] ^= change;
        vm.assertFalse(registry.includes(seq, index, leaves[index], path), "included");
    }

    function testFuzz_RefusesAPathOfAnotherLength(bytes32 seed, uint8 size_, uint8 index_, uint8 length, bytes32 more) public {
        (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq) = _case(seed, size_, index_);
        bytes32[] memory other = new bytes32[](length % 20);
        vm.assume(other.length != path.length);
        for (uint256 i = 0; i < other.length; ++i) other[i] = i < path.length ? path[i] : more;
        vm.assertFalse(registry.includes(seq, index, leaves[index], other), "included");
    }

    /// An inner node, given as a leaf with the rest of the path, is not an entry: the path is then too short.
    function testFuzz_RefusesAnInnerNode(bytes32 seed, uint8 size_, uint8 index_) public {
        (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq) = _case(seed, size_, index_);
        vm.assume(leaves.length > 2 && index % 2 == 0 && index + 1 < leaves.length);
        bytes32[] memory rest = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = path[i + 1];
        bytes32 node = _node(leaves[index], leaves[index + 1]);
        for (uint64 other = 0; other < leaves.length; ++other) {
            vm.assertFalse(registry.includes(seq, other, node, rest), "included");
        }
    }

    function _case(bytes32 seed, uint8 size_, uint8 index_)
        private
        returns (bytes32[] memory leaves, uint64 index, bytes32[] memory path, uint64 seq)
    {
        leaves = new bytes32[](1 + (size_ % 70));
        for (uint256 i = 0; i < leaves.length; ++i) leaves[i] = keccak256(abi.encode(seed, i));
        index = uint64(index_ % leaves.length);
        path = _path(leaves, 0, leaves.length, index);
        seq = _anchor(_treeHash(leaves, 0, leaves.length), leaves.length);
    }

    function _anchor(bytes32 root, uint256 size) private returns (uint64 seq) {
        seq = registry.head() + 1;
        registry.anchor(seq, root, uint32(size), bytes32(uint256(1)));
    }

    /// MTH(leaves[from:to])
    function _treeHash(bytes32[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + _split(to - from);
        return _node(_treeHash(leaves, from, middle), _treeHash(leaves, middle, to));
    }

    /// PATH(index, leaves[from:to])
    function _path(bytes32[] memory leaves, uint256 from, uint256 to, uint256 index)
        private
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 middle = from + _split(to - from);
        return index < middle
            ? _append(_path(leaves, from, middle, index), _treeHash(leaves, middle, to))
            : _append(_path(leaves, middle, to, index), _treeHash(leaves, from, middle));
    }

    /// The largest power of two smaller than n.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }

    function _append(bytes32[] memory head, bytes32 last) private pure returns (bytes32[] memory all) {
        all = new bytes32[](head.length + 1);
        for (uint256 i = 0; i < head.length; ++i) all[i] = head[i];
        all[head.length] = last;
    }

    function _hash(string memory hex_) private pure returns (bytes32) {
        return vm.parseBytes32(string.concat("0x", hex_));
    }

    function _hashes(string memory json, string memory key) private pure returns (bytes32[] memory hashes) {
        string[] memory texts = vm.parseJsonStringArray(json, key);
        hashes = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) hashes[i] = _hash(texts[i]);
    }
}
