// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatTokenSigned } from "./FiatTokenSigned.sol";

/// @title EIP3009: devnet stand-in, part of FiatToken.
/// @notice Transfers that the payer has signed and anybody, or only the payee, submits.
/// @dev DEVNET STAND-IN for USDC. Written by us from published facts. Never deployed elsewhere, unaudited.
abstract contract EIP3009 is FiatTokenSigned {
  bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
  );
  bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
  );
  bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
    keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

  /// @dev Slot 16. True for used and for cancelled nonces alike.
  mapping(address authorizer => mapping(bytes32 nonce => bool)) private _authorizationStates;

  event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
  event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

  function authorizationState(address authorizer, bytes32 nonce) external view returns (bool) {
    return _authorizationStates[authorizer][nonce];
  }

  /* TRANSFER: anybody submits */

  function transferWithAuthorization(
    address from,
    address to,
    uint256 value,
    uint256 validAfter,
    uint256 validBefore,
    bytes32 nonce,
    uint8 v,
    bytes32 r,
    bytes32 s
  ) external {
    _authorized(
      TRANSFER_WITH_AUTHORIZATION_TYPEHASH,
      Authorization(from, to, value, validAfter, validBefore, nonce),
      abi.encodePacked(r, s, v)
    );
  }

  function transferWithAuthorization(
    address from,
    address to,
    uint256 value,
    uint256 validAfter,
    uint256 validBefore,
    bytes32 nonce,
    bytes memory signature
  ) external {
    _authorized(
      TRANSFER_WITH_AUTHORIZATION_TYPEHASH,
      Authorization(from, to, value, validAfter, validBefore, nonce),
      signature
    );
  }

  /* RECEIVE: only the payee submits */

  function receiveWithAuthorization(
    address from,
    address to,
    uint256 value,
    uint256 validAfter,
    uint256 validBefore,
    bytes32 nonce,
    uint8 v,
    bytes32 r,
    bytes32 s
  ) external {
    _authorized(
      RECEIVE_WITH_AUTHORIZATION_TYPEHASH,
      Authorization(from, to, value, validAfter, validBefore, nonce),
      abi.encodePacked(r, s, v)
    );
  }

  function receiveWithAuthorization(
    address from,
    address to,
    uint256 value,
    uint256 validAfter,
    uint256 validBefore,
    bytes32 nonce,
    bytes memory signature
  ) external {
    _authorized(
      RECEIVE_WITH_AUTHORIZATION_TYPEHASH,
      Authorization(from, to, value, validAfter, validBefore, nonce),
      signature
    );
  }

  /* CANCEL */

  function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
    _cancel(authorizer, nonce, abi.encodePacked(r, s, v));
  }

  function cancelAuthorization(address authorizer, bytes32 nonce, bytes memory signature) external {
    _cancel(authorizer, nonce, signature);
  }

  /* INTERNAL */

  struct Authorization {
    address from;
    address to;
    uint256 value;
    uint256 validAfter;
    uint256 validBefore;
    bytes32 nonce;
  }

  function _authorized(bytes32 typehash, Authorization memory a, bytes memory signature)
    private
    whenNotPaused
    notBlacklisted(a.from)
    notBlacklisted(a.to)
  {
    if (typehash == RECEIVE_WITH_AUTHORIZATION_TYPEHASH) {
      require(a.to == msg.sender, "FiatTokenV2: caller must be the payee");
    }
    // Both ends are exclusive.
    require(block.timestamp > a.validAfter, "FiatTokenV2: authorization is not yet valid");
    require(block.timestamp < a.validBefore, "FiatTokenV2: authorization is expired");
    _requireUnused(a.from, a.nonce);
    require(_isSigned(a.from, abi.encode(typehash, a), signature), "FiatTokenV2: invalid signature");

    _authorizationStates[a.from][a.nonce] = true;
    emit AuthorizationUsed(a.from, a.nonce);
    _transfer(a.from, a.to, a.value);
  }

  function _cancel(address authorizer, bytes32 nonce, bytes memory signature) private whenNotPaused {
    _requireUnused(authorizer, nonce);
    require(
      _isSigned(authorizer, abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce), signature),
      "FiatTokenV2: invalid signature"
    );

    _authorizationStates[authorizer][nonce] = true;
    emit AuthorizationCanceled(authorizer, nonce);
  }

  function _requireUnused(address authorizer, bytes32 nonce) private view {
    require(!_authorizationStates[authorizer][nonce], "FiatTokenV2: authorization is used or canceled");
  }
}
