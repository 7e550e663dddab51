// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

import {IInvoiceAnchor} from "../interfaces/IInvoiceAnchor.sol";
import {InvoiceAnchor} from "../InvoiceAnchor.sol";
import {vm} from "./Vm.sol";

/// Does at random what the roles and strangers can do, and writes down every anchor that ought to be held.
contract Actors {
    struct Held {
        bytes32 logRoot;
        bytes32 registerRoot;
        uint32 size;
        uint64 time;
        uint64 blockNumber;
    }

    address public constant ADMIN = address(0xA1);
    address public constant ANCHORER = address(0xA2);
    address public constant PAUSER = address(0xA3);
    uint64 public constant FIRST = 5;

    InvoiceAnchor public immutable registry;
    bytes32 private immutable ANCHORER_ROLE;
    bytes32 private immutable PAUSER_ROLE;
    Held[] private _held;
    uint256 private _time = 1_795_600_000;
    uint256 private _number = 1;

    constructor() {
        registry = new InvoiceAnchor(FIRST, ADMIN, ANCHORER, PAUSER, 0);
        ANCHORER_ROLE = registry.ANCHORER_ROLE();
        PAUSER_ROLE = registry.PAUSER_ROLE();
    }

    function count() external view returns (uint64) {
        return uint64(_held.length);
    }

    function held(uint64 i) external view returns (Held memory) {
        return _held[i];
    }

    function anchorNext(bytes32 logRoot, uint32 size, bytes32 registerRoot) external {
        if (logRoot == 0) logRoot = bytes32(uint256(1));
        if (registerRoot == 0 && _lastRegisterRoot() != 0) registerRoot = _lastRegisterRoot();
        _anchor(logRoot, 1 + (size % 65_536), registerRoot);
    }

    function heartbeat() external {
        _anchor(0, 0, _lastRegisterRoot());
    }

    function pauseOrUnpause() external {
        bytes memory call_ = registry.paused() ? abi.encodeCall(registry.unpause, ()) : abi.encodeCall(registry.pause, ());
        vm.prank(PAUSER);
        (bool accepted,) = address(registry).call(call_);
        require(accepted == registry.hasRole(PAUSER_ROLE, PAUSER), "the pauser alone pauses");
    }

    function passTime(uint32 seconds_, uint16 blocks) external {
        _time += seconds_;
        _number += blocks;
    }

    /// Every refusal that the anchorer can meet, by whatever argument.
    function anchorWrongly(uint64 seq, bytes32 logRoot, uint32 size, bytes32 registerRoot) external {
        if (seq == registry.head() + 1) size = 65_537;
        vm.prank(ANCHORER);
        try registry.anchor(seq, logRoot, size, registerRoot) {
            revert("a wrong anchor was taken");
        } catch {}
    }

    function anchorAsSomeoneElse(address caller, bytes32 logRoot, bytes32 registerRoot) external {
        if (registry.hasRole(ANCHORER_ROLE, caller)) return;
        uint64 next = registry.head() + 1;
        vm.prank(caller);
        try registry.anchor(next, logRoot, 1, registerRoot) {
            revert("someone else anchored");
        } catch {}
    }

    /// Grants, revokes, hands over and gives up roles, as the admin, the pauser, the anchorer or a stranger.
    function changeRoles(uint8 caller, uint8 function_, uint8 role_, uint8 account_, uint48 delay) external {
        address[4] memory accounts = [ADMIN, ANCHORER, PAUSER, address(0xA4)];
        bytes32[3] memory roles = [bytes32(0), ANCHORER_ROLE, PAUSER_ROLE];
        address sender = accounts[caller % 4];
        address account = accounts[account_ % 4];
        bytes32 role = roles[role_ % 3];
        bytes[8] memory calls = [
            abi.encodeCall(registry.grantRole, (role, account)),
            abi.encodeCall(registry.revokeRole, (role, account)),
            abi.encodeCall(registry.renounceRole, (role, sender)),
            abi.encodeCall(registry.beginDefaultAdminTransfer, (account)),
            abi.encodeCall(registry.cancelDefaultAdminTransfer, ()),
            abi.encodeCall(registry.acceptDefaultAdminTransfer, ()),
            abi.encodeCall(registry.changeDefaultAdminDelay, (delay)),
            abi.encodeCall(registry.rollbackDefaultAdminDelay, ())
        ];
        vm.prank(sender);
        (bool accepted,) = address(registry).call(calls[function_ % 8]);
        accepted;
    }

    /// Bytes that mean nothing, or whatever the runner found to mean something.
    function callAnything(address caller, bytes calldata data) external {
        if (registry.hasRole(ANCHORER_ROLE, caller)) return;
        vm.prank(caller);
        (bool accepted,) = address(registry).call(data);
        accepted;
    }

    function _anchor(bytes32 logRoot, uint32 size, bytes32 registerRoot) private {
        vm.warp(_time);
        vm.roll(_number);
        uint64 next = registry.head() + 1;
        bool allowed = registry.hasRole(ANCHORER_ROLE, ANCHORER) && !registry.paused();
        vm.prank(ANCHORER);
        try registry.anchor(next, logRoot, size, registerRoot) {
            require(allowed, "anchored while paused or without the role");
            _held.push(Held(logRoot, registerRoot, size, uint64(_time), uint64(_number)));
        } catch {
            require(!allowed, "a right anchor was refused");
        }
    }

    function _lastRegisterRoot() private view returns (bytes32) {
        return _held.length == 0 ? bytes32(0) : _held[_held.length - 1].registerRoot;
    }
}

contract InvariantsTest {
    Actors private actors;
    InvoiceAnchor private registry;

    function setUp() public {
        actors = new Actors();
        registry = actors.registry();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actors);
    }

    function invariant_NothingStoredEverChanges() public view {
        for (uint64 i = 0; i < actors.count(); ++i) {
            (bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber) =
                registry.anchorAt(actors.FIRST() + i);
            Actors.Held memory held = Actors.Held(logRoot, registerRoot, size, time, blockNumber);
            vm.assertEq(keccak256(abi.encode(held)), keccak256(abi.encode(actors.held(i))));
        }
    }

    function invariant_NoGapsAndNothingBesides() public view {
        vm.assertEq(registry.firstSeq(), actors.FIRST());
        vm.assertEq(registry.head() + 1, actors.FIRST() + actors.count());
        _assertUnknown(registry.firstSeq() - 1);
        _assertUnknown(registry.head() + 1);
    }

    function invariant_ARegisterNeverBecomesEmptyAgain() public view {
        bool filled = false;
        for (uint64 i = 0; i < actors.count(); ++i) {
            bytes32 registerRoot = actors.held(i).registerRoot;
            vm.assertFalse(filled && registerRoot == 0, "emptied");
            filled = filled || registerRoot != 0;
        }
    }

    function _assertUnknown(uint64 seq) private view {
        try registry.anchorAt(seq) {
            revert("held besides");
        } catch (bytes memory refusal) {
            vm.assertEq(keccak256(refusal), keccak256(abi.encodeWithSelector(IInvoiceAnchor.UnknownSeq.selector, seq)));
        }
    }
}
