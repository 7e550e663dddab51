// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IInvoiceAnchor} from "../interfaces/IInvoiceAnchor.sol";
import {InvoiceAnchor} from "../InvoiceAnchor.sol";
import {vm} from "./Vm.sol";

contract InvoiceAnchorTest {
    address private constant ADMIN = address(0xA1);
    address private constant ANCHORER = address(0xA2);
    address private constant PAUSER = address(0xA3);
    address private constant STRANGER = address(0xA4);
    uint48 private constant DELAY = 1 days;
    uint64 private constant FIRST = 7;
    bytes32 private constant LOG = keccak256("log");
    bytes32 private constant REGISTER = keccak256("register");

    // Where solc puts them: "pause flag, next and first seq" and the mapping of anchors. test_Layout holds it to that.
    bytes32 private constant STATE_SLOT = bytes32(uint256(3));
    bytes32 private constant ANCHORS_SLOT = bytes32(uint256(4));
    bytes32 private constant ROLES_SLOT = bytes32(uint256(0));

    InvoiceAnchor private registry;

    function setUp() public {
        registry = new InvoiceAnchor(FIRST, ADMIN, ANCHORER, PAUSER, DELAY);
        vm.warp(1_795_600_000);
        vm.roll(1000);
    }

    // Deployment

    function test_StartsEmpty() public {
        vm.assertEq(registry.PROTOCOL(), "zp1");
        vm.assertEq(registry.firstSeq(), FIRST);
        vm.assertEq(registry.head(), FIRST - 1);
        _expectUnknown(FIRST - 1);
        _expectUnknown(FIRST);
        _expectUnknown(0);
    }

    function test_GivesEachRoleToOneAccountAlone() public view {
        bytes32[3] memory roles = [registry.DEFAULT_ADMIN_ROLE(), registry.ANCHORER_ROLE(), registry.PAUSER_ROLE()];
        address[4] memory accounts = [ADMIN, ANCHORER, PAUSER, STRANGER];
        for (uint256 i = 0; i < roles.length; ++i) {
            vm.assertEq(registry.getRoleAdmin(roles[i]), roles[0]);
            for (uint256 j = 0; j < accounts.length; ++j) {
                vm.assertTrue(registry.hasRole(roles[i], accounts[j]) == (i == j), "role");
            }
        }
        vm.assertTrue(registry.defaultAdmin() == ADMIN, "admin");
        vm.assertEq(registry.defaultAdminDelay(), DELAY);
    }

    function test_RefusesZeroAsFirstSeq() public {
        vm.expectRevert(abi.encodeWithSelector(IInvoiceAnchor.FirstSeqIsZero.selector));
        new InvoiceAnchor(0, ADMIN, ANCHORER, PAUSER, DELAY);
    }

    function test_RefusesMissingAccounts() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0))
        );
        new InvoiceAnchor(1, address(0), ANCHORER, PAUSER, DELAY);
        vm.expectRevert(abi.encodeWithSelector(IInvoiceAnchor.AccountIsZero.selector));
        new InvoiceAnchor(1, ADMIN, address(0), PAUSER, DELAY);
        vm.expectRevert(abi.encodeWithSelector(IInvoiceAnchor.AccountIsZero.selector));
        new InvoiceAnchor(1, ADMIN, ANCHORER, address(0), DELAY);
    }

    // Anchoring

    function testFuzz_StoresWhatItIsGiven(bytes32 logRoot, uint32 size, bytes32 registerRoot, uint64 time, uint64 number) public {
        vm.assume(logRoot != 0 && time != 0);
        size = 1 + (size % 65_536);
        vm.warp(time);
        vm.roll(number);
        vm.expectEmit(address(registry));
        emit IInvoiceAnchor.Anchored(FIRST, logRoot, size, registerRoot, time);
        _anchor(FIRST, logRoot, size, registerRoot);
        vm.assertEq(registry.head(), FIRST);
        _expectHeld(FIRST, logRoot, size, registerRoot, time, number);
        _expectUnknown(FIRST - 1);
        _expectUnknown(FIRST + 1);
    }

    function testFuzz_TakesTheNextSeqOnly(uint64 seq, uint8 before) public {
        uint64 next = FIRST + (before % 4);
        for (uint64 held = FIRST; held < next; ++held) _anchor(held, LOG, 1, REGISTER);
        vm.assume(seq != next);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.WrongSeq.selector, next, seq), seq, LOG, 1, REGISTER);
    }

    function test_ARetryCannotAnchorTwice() public {
        _anchor(FIRST, LOG, 1, REGISTER);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.WrongSeq.selector, FIRST + 1, FIRST), FIRST, LOG, 1, REGISTER);
    }

    function test_Takes65536EntriesAndNotOneMore() public {
        _anchor(FIRST, LOG, 65_536, REGISTER);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.BatchTooLarge.selector, 65_537), FIRST + 1, LOG, 65_537, REGISTER);
    }

    function testFuzz_RefusesMoreThan65536Entries(uint32 size) public {
        vm.assume(size > 65_536);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.BatchTooLarge.selector, size), FIRST, LOG, size, REGISTER);
    }

    function testFuzz_RefusesEntriesWithoutALogRoot(uint32 size) public {
        size = 1 + (size % 65_536);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.LogRootIsZero.selector), FIRST, 0, size, REGISTER);
    }

    function testFuzz_RefusesALogRootWithoutEntries(bytes32 logRoot) public {
        vm.assume(logRoot != 0);
        _anchor(FIRST, LOG, 1, REGISTER);
        bytes memory refusal = abi.encodeWithSelector(IInvoiceAnchor.EmptyBatchWithLogRoot.selector, logRoot);
        _refuse(refusal, FIRST + 1, logRoot, 0, REGISTER);
    }

    function testFuzz_AHeartbeatChangesNoRegister(bytes32 registerRoot) public {
        _anchor(FIRST, LOG, 1, REGISTER);
        _anchor(FIRST + 1, 0, 0, REGISTER);
        _expectHeld(FIRST + 1, 0, 0, REGISTER, uint64(block.timestamp), uint64(block.number));
        vm.assume(registerRoot != REGISTER);
        bytes memory refusal =
            abi.encodeWithSelector(IInvoiceAnchor.EmptyBatchChangesRegister.selector, REGISTER, registerRoot);
        _refuse(refusal, FIRST + 2, 0, 0, registerRoot);
    }

    function testFuzz_NotesAndHeartbeatsMayComeBeforeTheFirstInvoice(bytes32 registerRoot) public {
        vm.assume(registerRoot != 0);
        _anchor(FIRST, 0, 0, 0);
        _anchor(FIRST + 1, LOG, 1, 0);
        bytes memory refusal = abi.encodeWithSelector(IInvoiceAnchor.EmptyBatchChangesRegister.selector, 0, registerRoot);
        _refuse(refusal, FIRST + 2, 0, 0, registerRoot);
        _anchor(FIRST + 2, LOG, 2, registerRoot);
    }

    function testFuzz_ARegisterNeverBecomesEmptyAgain(uint32 size) public {
        size = 1 + (size % 65_536);
        _anchor(FIRST, LOG, 1, REGISTER);
        _refuse(abi.encodeWithSelector(IInvoiceAnchor.RegisterRootIsZero.selector), FIRST + 1, LOG, size, 0);
    }

    // Roles

    function testFuzz_OnlyTheAnchorerAnchors(address caller) public {
        vm.assume(caller != ANCHORER);
        bytes memory refusal = _unauthorized(caller, registry.ANCHORER_ROLE());
        vm.prank(caller);
        vm.expectRevert(refusal);
        registry.anchor(FIRST, LOG, 1, REGISTER);
    }

    function testFuzz_OnlyThePauserPauses(address caller) public {
        vm.assume(caller != PAUSER);
        bytes memory refusal = _unauthorized(caller, registry.PAUSER_ROLE());
        vm.prank(caller);
        vm.expectRevert(refusal);
        registry.pause();
        vm.prank(PAUSER);
        registry.pause();
        vm.prank(caller);
        vm.expectRevert(refusal);
        registry.unpause();
    }

    function test_APauseStopsAnchoringAndNeverReading() public {
        _anchor(FIRST, LOG, 1, REGISTER);
        vm.prank(PAUSER);
        registry.pause();
        _refuse(abi.encodeWithSelector(Pausable.EnforcedPause.selector), FIRST + 1, LOG, 1, REGISTER);
        _expectHeld(FIRST, LOG, 1, REGISTER, uint64(block.timestamp), uint64(block.number));
        vm.assertTrue(registry.includes(FIRST, 0, LOG, new bytes32[](0)), "includes");
        vm.assertEq(registry.head(), FIRST);
        vm.prank(PAUSER);
        registry.unpause();
        _anchor(FIRST + 1, LOG, 1, REGISTER);
    }

    function test_APausedContractCannotBePausedNorARunningOneUnpaused() public {
        vm.prank(PAUSER);
        vm.expectRevert(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        registry.unpause();
        vm.prank(PAUSER);
        registry.pause();
        vm.prank(PAUSER);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        registry.pause();
    }

    function test_TheAdminReplacesAnAnchorerWhoseKeyIsLost() public {
        bytes32 role = registry.ANCHORER_ROLE();
        vm.prank(ADMIN);
        registry.revokeRole(role, ANCHORER);
        vm.prank(ADMIN);
        registry.grantRole(role, STRANGER);
        _refuse(_unauthorized(ANCHORER, role), FIRST, LOG, 1, REGISTER);
        vm.prank(STRANGER);
        registry.anchor(FIRST, LOG, 1, REGISTER);
    }

    function test_TheAdminIsHandedOverInTwoStepsAndAfterTheDelay() public {
        vm.prank(ADMIN);
        registry.beginDefaultAdminTransfer(STRANGER);
        uint48 schedule = uint48(block.timestamp) + DELAY;
        vm.warp(schedule);
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, schedule
            )
        );
        registry.acceptDefaultAdminTransfer();
        vm.warp(schedule + 1);
        vm.prank(STRANGER);
        registry.acceptDefaultAdminTransfer();
        vm.assertTrue(registry.defaultAdmin() == STRANGER, "admin");
        vm.assertFalse(registry.hasRole(0, ADMIN), "old admin");
    }

    // What each role can write

    function test_Layout() public {
        _anchor(FIRST, LOG, 9, REGISTER);
        vm.prank(PAUSER);
        registry.pause();
        uint256 state = 1 | (uint256(FIRST + 1) << 8) | (uint256(FIRST) << 72);
        vm.assertEq(vm.load(address(registry), STATE_SLOT), bytes32(state));
        uint256 slot = _anchorSlot(FIRST);
        vm.assertEq(vm.load(address(registry), bytes32(slot)), LOG);
        vm.assertEq(vm.load(address(registry), bytes32(slot + 1)), REGISTER);
        uint256 rest = 9 | (uint256(uint64(block.timestamp)) << 32) | (uint256(uint64(block.number)) << 96);
        vm.assertEq(vm.load(address(registry), bytes32(slot + 2)), bytes32(rest));
        bytes32 role = registry.ANCHORER_ROLE();
        vm.assertEq(vm.load(address(registry), _memberSlot(role, ANCHORER)), bytes32(uint256(1)));
    }

    function testFuzz_TheAnchorerWritesTheNextAnchorAndNoOther(uint32 size, bytes32 logRoot, bytes32 registerRoot) public {
        vm.assume(logRoot != 0 && registerRoot != 0);
        _anchor(FIRST, LOG, 1, REGISTER);
        bytes32 before = vm.load(address(registry), STATE_SLOT);
        vm.record();
        _anchor(FIRST + 1, logRoot, 1 + (size % 65_536), registerRoot);
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        uint256 slot = _anchorSlot(FIRST + 1);
        vm.assertEq(writes.length, 4);
        vm.assertEq(writes[0], STATE_SLOT);
        for (uint256 i = 0; i < 3; ++i) vm.assertEq(writes[i + 1], bytes32(slot + i));
        // Of the shared slot, the next seq alone has moved: by one.
        vm.assertEq(uint256(vm.load(address(registry), STATE_SLOT)) - uint256(before), uint256(1) << 8);
    }

    function test_ThePauserWritesTheFlagAndNothingElse() public {
        bytes32 before = vm.load(address(registry), STATE_SLOT);
        vm.record();
        vm.prank(PAUSER);
        registry.pause();
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        vm.assertEq(writes.length, 1);
        vm.assertEq(writes[0], STATE_SLOT);
        vm.assertEq(vm.load(address(registry), STATE_SLOT) ^ before, bytes32(uint256(1)));
        vm.prank(PAUSER);
        registry.unpause();
        vm.assertEq(vm.load(address(registry), STATE_SLOT), before);
    }

    function testFuzz_TheAdminWritesRolesAndNothingElse(bytes32 role, address account) public {
        vm.assume(role != 0 && !registry.hasRole(role, account));
        for (uint256 i = 0; i < 2; ++i) {
            vm.record();
            vm.prank(ADMIN);
            if (i == 0) registry.grantRole(role, account);
            else registry.revokeRole(role, account);
            (, bytes32[] memory writes) = vm.accesses(address(registry));
            vm.assertEq(writes.length, 1);
            vm.assertEq(writes[0], _memberSlot(role, account));
        }
    }

    /// Whatever the admin calls, and whether or not time has passed: neither the state nor an anchor moves.
    function testFuzz_NothingThatTheAdminDoesReachesTheAnchors(
        uint8 function_, bytes32 role, address account, uint48 delay, bool later
    ) public {
        _anchor(FIRST, LOG, 1, REGISTER);
        vm.record();
        _callAny(ADMIN, function_, role, account, delay);
        if (later) vm.warp(block.timestamp + 10 days);
        _callAny(ADMIN, function_, role, account, delay);
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        for (uint256 i = 0; i < writes.length; ++i) {
            vm.assertFalse(writes[i] == STATE_SLOT, "state written");
            for (uint256 part = 0; part < 6; ++part) {
                vm.assertFalse(writes[i] == bytes32(_anchorSlot(FIRST + uint64(part / 3)) + part % 3), "anchor written");
            }
        }
    }

    function testFuzz_AStrangerWritesNothing(
        address caller, uint8 function_, bytes32 role, address account, uint48 delay
    ) public {
        vm.assume(caller != ADMIN && caller != ANCHORER && caller != PAUSER);
        vm.record();
        _callAny(caller, function_, role, account, delay);
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        vm.assertEq(writes.length, 0);
    }

    // Helpers

    /// Calls one of all functions that can write, and does not mind a refusal.
    function _callAny(address caller, uint8 function_, bytes32 role, address account, uint48 delay) private {
        bytes[11] memory calls = [
            abi.encodeCall(registry.anchor, (registry.head() + 1, LOG, 1, REGISTER)),
            abi.encodeCall(registry.pause, ()),
            abi.encodeCall(registry.unpause, ()),
            abi.encodeCall(registry.grantRole, (role, account)),
            abi.encodeCall(registry.revokeRole, (role, account)),
            abi.encodeCall(registry.renounceRole, (role, caller)),
            abi.encodeCall(registry.beginDefaultAdminTransfer, (account)),
            abi.encodeCall(registry.cancelDefaultAdminTransfer, ()),
            abi.encodeCall(registry.acceptDefaultAdminTransfer, ()),
            abi.encodeCall(registry.changeDefaultAdminDelay, (delay)),
            abi.encodeCall(registry.rollbackDefaultAdminDelay, ())
        ];
        vm.prank(caller);
        (bool accepted,) = address(registry).call(calls[function_ % calls.length]);
        accepted;
    }

    function _anchor(uint64 seq, bytes32 logRoot, uint32 size, bytes32 registerRoot) private {
        vm.prank(ANCHORER);
        registry.anchor(seq, logRoot, size, registerRoot);
    }

    function _refuse(bytes memory refusal, uint64 seq, bytes32 logRoot, uint32 size, bytes32 registerRoot) private {
        uint64 head = registry.head();
        vm.prank(ANCHORER);
        vm.expectRevert(refusal);
        registry.anchor(seq, logRoot, size, registerRoot);
        vm.assertEq(registry.head(), head);
    }

    function _expectHeld(
        uint64 seq, bytes32 logRoot, uint32 size, bytes32 registerRoot, uint64 time, uint64 number
    ) private view {
        (bytes32 heldLog, bytes32 heldRegister, uint32 heldSize, uint64 heldTime, uint64 heldNumber) = registry.anchorAt(seq);
        vm.assertEq(heldLog, logRoot);
        vm.assertEq(heldRegister, registerRoot);
        vm.assertEq(heldSize, size);
        vm.assertEq(heldTime, time);
        vm.assertEq(heldNumber, number);
        uint64 head;
        (heldLog, heldRegister, heldSize, heldTime, heldNumber, head) = registry.anchorAndHead(seq);
        vm.assertEq(
            keccak256(abi.encode(heldLog, heldRegister, heldSize, heldTime, heldNumber, head)),
            keccak256(abi.encode(logRoot, registerRoot, size, time, number, registry.head()))
        );
    }

    function _expectUnknown(uint64 seq) private {
        bytes memory refusal = abi.encodeWithSelector(IInvoiceAnchor.UnknownSeq.selector, seq);
        vm.expectRevert(refusal);
        registry.anchorAt(seq);
        vm.expectRevert(refusal);
        registry.anchorAndHead(seq);
        vm.expectRevert(refusal);
        registry.includes(seq, 0, LOG, new bytes32[](0));
    }

    function _unauthorized(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    function _anchorSlot(uint64 seq) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seq, ANCHORS_SLOT)));
    }

    function _memberSlot(bytes32 role, address account) private pure returns (bytes32) {
        return keccak256(abi.encode(account, keccak256(abi.encode(role, ROLES_SLOT))));
    }
}
