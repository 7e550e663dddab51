// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

/// The cheat codes of the test runner that these tests use: https://book.getfoundry.sh/cheatcodes
interface Vm {
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function assertEq(uint256 left, uint256 right) external pure;
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertEq(string calldata left, string calldata right) external pure;
    function assertTrue(bool condition, string calldata message) external pure;
    function assertFalse(bool condition, string calldata message) external pure;
    function assume(bool condition) external pure;
    function expectEmit(address emitter) external;
    function expectRevert(bytes calldata revertData) external;
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function parseBytes32(string calldata text) external pure returns (bytes32);
    function parseJsonKeys(string calldata json, string calldata key) external pure returns (string[] memory);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function parseJsonStringArray(string calldata json, string calldata key) external pure returns (string[] memory);
    function parseUint(string calldata text) external pure returns (uint256);
    function prank(address sender) external;
    function readFile(string calldata path) external view returns (string memory);
    function record() external;
    function roll(uint256 number) external;
    function toString(uint256 value) external pure returns (string memory);
    function warp(uint256 time) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
