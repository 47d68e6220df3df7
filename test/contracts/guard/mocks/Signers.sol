// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ECDSA } from "solady/utils/ECDSA.sol";

/// @dev A contract for which an EOA signs.
contract Signer1271 {
  address private immutable _signer;

  constructor(address signer) {
    _signer = signer;
  }

  function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
    return ECDSA.tryRecoverCalldata(hash, signature) == _signer ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
  }
}

/// @dev Code that knows no signatures, as an EOA may delegate to.
contract NoSigner { }

/// @dev A contract that accepts one signature.
contract SecretSigner {
  function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
    return keccak256(signature) == keccak256("open sesame") ? bytes4(0x1626ba7e) : bytes4(0);
  }
}
