// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IInvoiceAnchor} from "./interfaces/IInvoiceAnchor.sol";

contract InvoiceAnchor is IInvoiceAnchor, AccessControlDefaultAdminRules, Pausable {
    string public constant PROTOCOL = "zp1";
    bytes32 public constant ANCHORER_ROLE = keccak256("ANCHORER_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    uint32 private constant MAX_SIZE = 65_536;

    /// Three slots: one for each root, one for the rest.
    struct Anchor {
        bytes32 logRoot;
        bytes32 registerRoot;
        uint32 size;
        uint64 time;
        uint64 blockNumber;
    }

    // These two share a slot with Pausable's flag, so that one read tells all that is asked of an anchor and one write moves on.
    // The next seq and not the last: it is never zero, which makes the first anchor as cheap as any.
    uint64 private _nextSeq;
    // No immutable, so that the code on chain is byte for byte what the compiler made.
    uint64 private _firstSeq;
    mapping(uint64 seq => Anchor) private _anchors;

    /// @param firstSeq_ 1, or the last sequence number of the predecessor plus 1.
    /// @param admin Grants and revokes the roles.
    /// @param anchorer The first holder of ANCHORER_ROLE.
    /// @param pauser The first holder of PAUSER_ROLE.
    /// @param adminDelay Seconds that have to pass before a new admin can accept.
    constructor(
        uint64 firstSeq_,
        address admin,
        address anchorer,
        address pauser,
        uint48 adminDelay
    ) AccessControlDefaultAdminRules(adminDelay, admin) {
        if (firstSeq_ == 0) revert FirstSeqIsZero();
        if (anchorer == address(0) || pauser == address(0)) revert AccountIsZero();
        _firstSeq = firstSeq_;
        _nextSeq = firstSeq_;
        _grantRole(ANCHORER_ROLE, anchorer);
        _grantRole(PAUSER_ROLE, pauser);
    }

    /// @inheritdoc IInvoiceAnchor
    function anchor(
        uint64 seq,
        bytes32 logRoot,
        uint32 size,
        bytes32 registerRoot
    ) external onlyRole(ANCHORER_ROLE) whenNotPaused {
        if (seq != _nextSeq) revert WrongSeq(_nextSeq, seq);
        if (size > MAX_SIZE) revert BatchTooLarge(size);
        bytes32 lastRegisterRoot = _anchors[seq - 1].registerRoot;
        if (size == 0) {
            if (logRoot != 0) revert EmptyBatchWithLogRoot(logRoot);
            if (registerRoot != lastRegisterRoot) revert EmptyBatchChangesRegister(lastRegisterRoot, registerRoot);
        } else {
            if (logRoot == 0) revert LogRootIsZero();
            if (registerRoot == 0 && lastRegisterRoot != 0) revert RegisterRootIsZero();
        }

        _nextSeq = seq + 1;
        _anchors[seq] = Anchor(logRoot, registerRoot, size, uint64(block.timestamp), uint64(block.number));
        emit Anchored(seq, logRoot, size, registerRoot, uint64(block.timestamp));
    }

    /// @inheritdoc IInvoiceAnchor
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc IInvoiceAnchor
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc IInvoiceAnchor
    function firstSeq() external view returns (uint64) {
        return _firstSeq;
    }

    /// @inheritdoc IInvoiceAnchor
    function head() public view returns (uint64) {
        return _nextSeq - 1;
    }

    /// @inheritdoc IInvoiceAnchor
    function anchorAt(
        uint64 seq
    ) external view returns (bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber) {
        Anchor storage held = _held(seq);
        return (held.logRoot, held.registerRoot, held.size, held.time, held.blockNumber);
    }

    /// @inheritdoc IInvoiceAnchor
    function anchorAndHead(
        uint64 seq
    )
        external
        view
        returns (bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber, uint64 headSeq)
    {
        Anchor storage held = _held(seq);
        return (held.logRoot, held.registerRoot, held.size, held.time, held.blockNumber, head());
    }

    /// @inheritdoc IInvoiceAnchor
    function includes(
        uint64 seq,
        uint64 index,
        bytes32 entryLeaf,
        bytes32[] calldata path
    ) external view returns (bool) {
        Anchor storage held = _held(seq);
        // The names and steps are those of RFC 9162 section 2.1.3.2.
        uint256 fn = index;
        uint256 sn = held.size;
        if (fn >= sn) return false;
        sn -= 1;
        bytes32 r = entryLeaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                r = sha256(abi.encodePacked(hex"01", path[i], r));
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                r = sha256(abi.encodePacked(hex"01", r, path[i]));
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && r == held.logRoot;
    }

    function _held(uint64 seq) private view returns (Anchor storage held) {
        held = _anchors[seq];
        if (held.time == 0) revert UnknownSeq(seq);
    }
}
