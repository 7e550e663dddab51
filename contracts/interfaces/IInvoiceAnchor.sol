// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.30;

/// @title Anchors of an invoice registry (protocol zp1)
/// @notice Holds, for every batch of the registry's log, two roots and the time at which they were given: the log root says what
/// happened in that batch, the register root says what is true of every invoice after it. What is stored never changes.
/// Nothing here tells about an invoice: without the log, a root is only a hash.
///
/// Roles are OpenZeppelin's: the default admin (one account, handed over in two steps with a delay) grants and revokes the two others,
/// and can neither anchor nor pause by itself. There is no proxy and no upgrade: a successor is another contract, whose first
/// sequence number follows the last one here.
interface IInvoiceAnchor {
    /// @notice Thrown when the contract is deployed with zero as its first sequence number.
    error FirstSeqIsZero();

    /// @notice Thrown when the contract is deployed without an anchorer or a pauser.
    error AccountIsZero();

    /// @notice Thrown when `seq` is not the last one plus 1: the batch is anchored already, or one before it is missing.
    error WrongSeq(uint64 expected, uint64 given);

    /// @notice Thrown when a batch has more than 65,536 entries.
    error BatchTooLarge(uint32 size);

    /// @notice Thrown when a batch that has entries is given without a log root.
    error LogRootIsZero();

    /// @notice Thrown when a batch without entries (a heartbeat) is given with a log root.
    error EmptyBatchWithLogRoot(bytes32 logRoot);

    /// @notice Thrown when a batch without entries (a heartbeat) is given with a register root that is not the last one.
    error EmptyBatchChangesRegister(bytes32 last, bytes32 given);

    /// @notice Thrown when the register root is zero and the last one was not: a register never becomes empty again.
    error RegisterRootIsZero();

    /// @notice Thrown when an anchor is asked for that this contract does not hold.
    error UnknownSeq(uint64 seq);

    /// @notice Emitted once for every anchor. Its block number is that of the log.
    /// @param seq The sequence number of the batch.
    /// @param logRoot The RFC 9162 tree hash of the batch's entry leaves; zero for an empty batch.
    /// @param size The number of entries, 0 to 65,536.
    /// @param registerRoot The root of the register after the batch; zero while the register is empty.
    /// @param time The block's time in seconds since 1970 UTC.
    event Anchored(uint64 indexed seq, bytes32 logRoot, uint32 size, bytes32 registerRoot, uint64 time);

    /// @notice The protocol that the roots follow: "zp1".
    function PROTOCOL() external view returns (string memory);

    /// @notice The role that anchors.
    function ANCHORER_ROLE() external view returns (bytes32);

    /// @notice The role that stops anchoring and lets it go on.
    function PAUSER_ROLE() external view returns (bytes32);

    /// @notice Stores the anchor of the next batch for ever, with the block's time and number.
    /// @dev Only for ANCHORER_ROLE and not while paused (AccessControlUnauthorizedAccount, EnforcedPause).
    /// An empty batch is a heartbeat: `size` 0, `logRoot` zero, `registerRoot` that of the last anchor. The last register root counts as
    /// zero before the first anchor: the first batch of a successor has an entry, a note if nothing else.
    /// @param seq The last sequence number plus 1, so that a retry cannot anchor twice and a gap cannot form.
    /// @param logRoot See {Anchored}.
    /// @param size See {Anchored}.
    /// @param registerRoot See {Anchored}.
    function anchor(uint64 seq, bytes32 logRoot, uint32 size, bytes32 registerRoot) external;

    /// @notice Stops anchoring, never reading.
    /// @dev Only for PAUSER_ROLE and not while paused (AccessControlUnauthorizedAccount, EnforcedPause).
    function pause() external;

    /// @notice Lets anchoring go on.
    /// @dev Only for PAUSER_ROLE and while paused (AccessControlUnauthorizedAccount, ExpectedPause).
    function unpause() external;

    /// @notice The sequence number of the first anchor that this contract takes.
    function firstSeq() external view returns (uint64);

    /// @notice The sequence number of the last anchor; `firstSeq() - 1` before the first one.
    function head() external view returns (uint64);

    /// @notice The anchor of a batch. Reverts with UnknownSeq unless firstSeq() <= seq <= head().
    /// @return logRoot See {Anchored}.
    /// @return registerRoot See {Anchored}.
    /// @return size See {Anchored}.
    /// @return time The time of the block that anchored it, in seconds since 1970 UTC; never zero.
    /// @return blockNumber The number of that block.
    function anchorAt(
        uint64 seq
    ) external view returns (bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber);

    /// @notice {anchorAt} and {head} of one and the same block. Reverts with UnknownSeq as {anchorAt} does; {head} alone tells then.
    function anchorAndHead(
        uint64 seq
    )
        external
        view
        returns (bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber, uint64 headSeq);

    /// @notice Whether an entry is in an anchored batch, by RFC 9162 section 2.1.3.2 over SHA-256. Reverts with UnknownSeq as
    /// {anchorAt} does; a wrong index, leaf or path, or one of the wrong length, is false.
    /// @param seq The batch.
    /// @param index The position of the entry in it, from 0.
    /// @param entryLeaf SHA-256(0x00 || entry).
    /// @param path The sibling hashes from the leaf up.
    function includes(
        uint64 seq,
        uint64 index,
        bytes32 entryLeaf,
        bytes32[] calldata path
    ) external view returns (bool);
}
