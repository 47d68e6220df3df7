// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

import { GuardHash } from "./GuardHash.sol";
import { IPurse, IPurseGuard } from "./interfaces/IPurse.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionDomain, PermissionHash } from "./PermissionHash.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "./Policy.sol";
import { PurseBlob } from "./PurseBlob.sol";
import { SpendCall, SpendCallLib } from "./SpendCall.sol";

/// @dev The part of EIP-3009 tokens that a digest needs.
interface ITypedData {
  // forge-lint: disable-next-line(mixed-case-function): the token's name
  function DOMAIN_SEPARATOR() external view returns (bytes32);
}

/// @title Purse
/// @notice See `IPurse`. What it holds can go two ways: to its account by `sweep`, and to payees by the token's
///         EIP-3009, for which `isValidSignature` has to agree.
contract Purse is IPurse, PermissionDomain {
  using PurseBlob for bytes;
  using SpendCallLib for SpendCall;

  bytes4 private constant _ACCEPTED = 0x1626ba7e;
  bytes4 private constant _REFUSED = 0xffffffff;

  bytes32 private constant _TRANSFER_TYPEHASH = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,"
    "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
  );
  bytes32 private constant _CANCEL_TYPEHASH =
    keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

  /// @dev The immutable arguments of a clone, which are packed in this order.
  struct Arguments {
    address account;
    address token;
    bytes32 grantId;
    address agent;
  }

  /// @inheritdoc IPurse
  IPurseGuard public immutable guard;

  /// @inheritdoc IPurse
  bytes32 public fundedBy;

  /// @dev The guard deploys the implementation, which is of no use by itself: nothing ever funds it.
  constructor() {
    guard = IPurseGuard(msg.sender);
  }

  /* ---------------------------------------- actions ---------------------------------------- */

  /// @inheritdoc IPurse
  function sweep(ISpendPermissionManager.SpendPermission calldata permission)
    external
    returns (uint256 amount)
  {
    Arguments memory own = _arguments();
    if (msg.sender != own.account && msg.sender != own.agent) _requireSweeper(permission, own);

    return _sweep(own);
  }

  /// @inheritdoc IPurse
  function noteFunding(bytes32 permission) external {
    if (msg.sender != address(guard)) revert OnlyGuard(msg.sender);
    if (permission == fundedBy) return;
    fundedBy = permission;
    // Or a permission over one unit, with any payee, would set free what others had put here for theirs.
    _sweep(_arguments());
  }

  function _sweep(Arguments memory own) private returns (uint256 amount) {
    amount = SafeTransferLib.balanceOf(own.token, address(this));
    if (amount == 0) return 0;
    emit Swept(own.grantId, msg.sender, amount);
    SafeTransferLib.safeTransfer(own.token, own.account, amount);
  }

  /// @dev The permission decides who can sweep, so it has to be the one that funded the purse.
  function _requireSweeper(ISpendPermissionManager.SpendPermission calldata permission, Arguments memory own)
    private
    view
  {
    bytes32 hash = PermissionHash.hash(permission);
    if (hash != fundedBy) revert NotFundedBy(hash, fundedBy);

    address orchestrator = PolicyLib.decode(permission.extraData).orchestrator;
    if (msg.sender == orchestrator || block.timestamp >= permission.end) return;
    if (PermissionHash.SPM.isRevoked(permission)) return;
    (, bool revoked) = guard.stops(own.account, own.token, own.grantId, orchestrator, own.agent);
    if (!revoked) revert SweepNotAllowed(msg.sender);
  }

  /* ---------------------------------------- signatures ---------------------------------------- */

  /// @inheritdoc IPurse
  function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
    uint256 kind = signature.kind();
    bool accepted;
    if (kind == PurseBlob.PAYMENT) accepted = _isPayment(hash, signature);
    else if (kind == PurseBlob.CANCELLATION) accepted = _isCancellation(hash, signature);
    return accepted ? _ACCEPTED : _REFUSED;
  }

  /// @dev Needs no live permission: taking an authorization back moves nothing.
  function _isCancellation(bytes32 hash, bytes calldata blob) private view returns (bool) {
    (bytes32 nonce, bytes calldata signature) = blob.cancellation();
    Arguments memory own = _arguments();
    bytes32 structHash = keccak256(abi.encode(_CANCEL_TYPEHASH, address(this), nonce));
    return hash == _digest(own.token, structHash) && GuardHash.isSignedBy(own.agent, hash, signature);
  }

  function _isPayment(bytes32 hash, bytes calldata blob) private view returns (bool) {
    (uint256 proofStart, uint256 proofEnd) = blob.bounds();
    if (proofEnd == 0) return false;

    Arguments memory own = _arguments();
    PurseBlob.Payment memory payment = blob.payment();
    if (hash != _digest(own.token, _structHash(payment))) return false;
    if (!GuardHash.isSignedBy(own.agent, hash, blob[proofEnd:])) return false;
    SpendCall permission = blob.permission(proofStart, own.grantId, own.agent);
    permission.setParties(own.account, address(guard), own.token);
    return _isLive(permission) && _isAllowed(permission, payment, blob.proof(proofStart, proofEnd), own);
  }

  /// @dev Whether this is the permission that last funded the purse, and SPM would still spend under it.
  function _isLive(SpendCall permission) private view returns (bool) {
    if (permission.hash(_spmDomain()) != fundedBy) return false;
    if (block.timestamp < permission.start() || block.timestamp >= permission.end()) return false;
    // It was approved when it funded the purse, and SPM never takes an approval back: `isValid` would read a slot more.
    return !permission.isRevoked();
  }

  /// @dev Whether the policy of that permission allows the payment, and nobody has stopped it. The guard funded the
  ///      purse under this policy, so it can be decoded.
  function _isAllowed(
    SpendCall permission,
    PurseBlob.Payment memory payment,
    bytes32[] calldata proof,
    Arguments memory own
  ) private view returns (bool) {
    Policy memory policy = PolicyLib.decode(permission.extraData());
    if (payment.value > policy.perCall) return false;

    // Where any payee is allowed a proof shows nothing, so there must be none: no bit of a blob is without meaning.
    if (policy.payees == ANY_PAYEE && proof.length != 0) return false;
    if (!PolicyLib.allows(policy.payees, payment.to, proof)) return false;

    (bool paused, bool revoked) =
      guard.stops(own.account, own.token, own.grantId, policy.orchestrator, own.agent);
    return !paused && !revoked;
  }

  /* ---------------------------------------- hashes ---------------------------------------- */

  function _structHash(PurseBlob.Payment memory payment) private view returns (bytes32) {
    return keccak256(
      abi.encode(
        _TRANSFER_TYPEHASH,
        address(this),
        payment.to,
        payment.value,
        payment.validAfter,
        payment.validBefore,
        payment.nonce
      )
    );
  }

  /// @dev The domain is asked of the token, not of the blob and not of the past: names and chains change.
  function _digest(address token_, bytes32 structHash) private view returns (bytes32) {
    return keccak256(abi.encodePacked(hex"1901", ITypedData(token_).DOMAIN_SEPARATOR(), structHash));
  }

  /* ---------------------------------------- immutable arguments ---------------------------------------- */

  /// @inheritdoc IPurse
  function account() external view returns (address) {
    return _arguments().account;
  }

  /// @inheritdoc IPurse
  function token() external view returns (address) {
    return _arguments().token;
  }

  /// @inheritdoc IPurse
  function grantId() external view returns (bytes32) {
    return _arguments().grantId;
  }

  /// @inheritdoc IPurse
  function agent() external view returns (address) {
    return _arguments().agent;
  }

  function _arguments() private view returns (Arguments memory own) {
    bytes memory packed = LibClone.argsOnClone(address(this));
    assembly ("memory-safe") {
      mstore(own, shr(96, mload(add(packed, 32))))
      mstore(add(own, 32), shr(96, mload(add(packed, 52))))
      mstore(add(own, 64), mload(add(packed, 72)))
      mstore(add(own, 96), shr(96, mload(add(packed, 104))))
    }
  }
}
