// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title FiatTokenProxy: devnet stand-in for USDC on Base, 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913.
/// @notice A proxy older than ERC-1967: implementation and admin are in slots of ZeppelinOS.
/// @dev DEVNET STAND-IN. Written by us from published facts. Never deployed elsewhere, unaudited. Its runtime
/// code is placed at its address, and the two slots are written as storage.
contract FiatTokenProxy {
  bytes32 private constant _IMPLEMENTATION_SLOT = keccak256("org.zeppelinos.proxy.implementation");
  bytes32 private constant _ADMIN_SLOT = keccak256("org.zeppelinos.proxy.admin");

  event Upgraded(address implementation);
  event AdminChanged(address previousAdmin, address newAdmin);

  /// @dev Others than the admin reach the implementation, whatever they call.
  modifier ifAdmin() {
    if (msg.sender == _read(_ADMIN_SLOT)) _;
    else _delegate();
  }

  fallback() external payable {
    _fallback();
  }

  receive() external payable {
    _fallback();
  }

  function admin() external view returns (address) {
    return _read(_ADMIN_SLOT);
  }

  function implementation() external view returns (address) {
    return _read(_IMPLEMENTATION_SLOT);
  }

  function changeAdmin(address newAdmin) external ifAdmin {
    require(newAdmin != address(0), "Cannot change the admin of a proxy to the zero address");
    emit AdminChanged(_read(_ADMIN_SLOT), newAdmin);
    _write(_ADMIN_SLOT, newAdmin);
  }

  function upgradeTo(address newImplementation) external ifAdmin {
    _upgradeTo(newImplementation);
  }

  function upgradeToAndCall(address newImplementation, bytes calldata data) external payable ifAdmin {
    _upgradeTo(newImplementation);
    (bool ok,) = address(this).call{ value: msg.value }(data);
    require(ok);
  }

  function _upgradeTo(address newImplementation) private {
    require(newImplementation.code.length > 0, "Cannot set a proxy implementation to a non-contract address");
    _write(_IMPLEMENTATION_SLOT, newImplementation);
    emit Upgraded(newImplementation);
  }

  function _fallback() private {
    require(msg.sender != _read(_ADMIN_SLOT), "Cannot call fallback function from the proxy admin");
    _delegate();
  }

  function _delegate() private {
    address target = _read(_IMPLEMENTATION_SLOT);
    assembly {
      calldatacopy(0, 0, calldatasize())
      let ok := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
      returndatacopy(0, 0, returndatasize())
      if iszero(ok) { revert(0, returndatasize()) }
      return(0, returndatasize())
    }
  }

  function _read(bytes32 slot) private view returns (address value) {
    assembly ("memory-safe") {
      value := sload(slot)
    }
  }

  function _write(bytes32 slot, address value) private {
    assembly ("memory-safe") {
      sstore(slot, value)
    }
  }
}
