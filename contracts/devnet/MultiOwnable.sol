// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title MultiOwnable: devnet stand-in, part of CoinbaseSmartWallet.
/// @notice A numbered list of owners, each the 32 bytes of an address or the 64 bytes of a P-256 key.
/// @dev DEVNET STAND-IN. Written by us from published facts (ABI, storage location, documented behaviour),
/// so that hardcap can be tested where Base cannot be reached. Never deployed elsewhere, unaudited.
abstract contract MultiOwnable {
  /// @custom:storage-location erc7201:coinbase.storage.MultiOwnable
  struct MultiOwnableStorage {
    uint256 nextOwnerIndex;
    uint256 removedOwnersCount;
    mapping(uint256 index => bytes owner) ownerAtIndex;
    mapping(bytes owner => bool) isOwner;
  }

  /// @dev keccak256(abi.encode(uint256(keccak256("coinbase.storage.MultiOwnable")) - 1)) & ~bytes32(uint256(0xff))
  bytes32 private constant _STORAGE_LOCATION =
    0x97e2c6aad4ce5d562ebfaa00db6b9e0fb66ea5d8162ed5b243f51a2e03086f00;

  event AddOwner(uint256 indexed index, bytes owner);
  event RemoveOwner(uint256 indexed index, bytes owner);

  error Unauthorized();
  error AlreadyOwner(bytes owner);
  error NoOwnerAtIndex(uint256 index);
  error WrongOwnerAtIndex(uint256 index, bytes expectedOwner, bytes actualOwner);
  error InvalidOwnerBytesLength(bytes owner);
  error InvalidEthereumAddressOwner(bytes owner);
  error LastOwner();
  error NotLastOwner(uint256 ownersRemaining);

  /// @notice Owners, and the wallet calling itself, pass.
  modifier onlyOwner() {
    _checkOwner();
    _;
  }

  /* CHANGING OWNERS */

  function addOwnerAddress(address owner) external virtual onlyOwner {
    _addOwner(abi.encode(owner));
  }

  function addOwnerPublicKey(bytes32 x, bytes32 y) external virtual onlyOwner {
    _addOwner(abi.encode(x, y));
  }

  /// @notice Removes an owner who is not the last one.
  /// @param owner Has to be the owner at `index`: indexes are easy to confuse, and replayable calls meet
  /// different states on different chains.
  function removeOwnerAtIndex(uint256 index, bytes calldata owner) external virtual onlyOwner {
    if (ownerCount() == 1) revert LastOwner();
    _removeOwner(index, owner);
  }

  /// @notice Removes the only owner that is left, which has to be said explicitly: nobody signs afterwards.
  function removeLastOwner(uint256 index, bytes calldata owner) external virtual onlyOwner {
    uint256 ownersRemaining = ownerCount();
    if (ownersRemaining > 1) revert NotLastOwner(ownersRemaining);
    _removeOwner(index, owner);
  }

  /* VIEWS */

  function isOwnerAddress(address account) public view virtual returns (bool) {
    return _store().isOwner[abi.encode(account)];
  }

  function isOwnerPublicKey(bytes32 x, bytes32 y) public view virtual returns (bool) {
    return _store().isOwner[abi.encode(x, y)];
  }

  function isOwnerBytes(bytes memory account) public view virtual returns (bool) {
    return _store().isOwner[account];
  }

  /// @return The owner's bytes; empty where there is none (any more).
  function ownerAtIndex(uint256 index) public view virtual returns (bytes memory) {
    return _store().ownerAtIndex[index];
  }

  /// @return The index that the next owner gets. Indexes are never used twice.
  function nextOwnerIndex() public view virtual returns (uint256) {
    return _store().nextOwnerIndex;
  }

  function ownerCount() public view virtual returns (uint256) {
    return _store().nextOwnerIndex - _store().removedOwnersCount;
  }

  function removedOwnersCount() public view virtual returns (uint256) {
    return _store().removedOwnersCount;
  }

  /* INTERNAL */

  function _initializeOwners(bytes[] memory owners) internal virtual {
    for (uint256 i; i < owners.length; ++i) {
      bytes memory owner = owners[i];
      if (owner.length != 32 && owner.length != 64) revert InvalidOwnerBytesLength(owner);
      if (owner.length == 32 && abi.decode(owner, (uint256)) > type(uint160).max) {
        revert InvalidEthereumAddressOwner(owner);
      }
      _addOwner(owner);
    }
  }

  function _addOwner(bytes memory owner) internal virtual {
    MultiOwnableStorage storage $ = _store();
    if ($.isOwner[owner]) revert AlreadyOwner(owner);

    uint256 index = $.nextOwnerIndex++;
    $.isOwner[owner] = true;
    $.ownerAtIndex[index] = owner;
    emit AddOwner(index, owner);
  }

  function _removeOwner(uint256 index, bytes calldata owner) internal virtual {
    MultiOwnableStorage storage $ = _store();
    bytes memory actual = $.ownerAtIndex[index];
    if (actual.length == 0) revert NoOwnerAtIndex(index);
    if (keccak256(actual) != keccak256(owner)) revert WrongOwnerAtIndex(index, owner, actual);

    delete $.isOwner[owner];
    delete $.ownerAtIndex[index];
    $.removedOwnersCount++;
    emit RemoveOwner(index, owner);
  }

  function _checkOwner() internal view virtual {
    if (msg.sender != address(this) && !isOwnerAddress(msg.sender)) revert Unauthorized();
  }

  function _store() private pure returns (MultiOwnableStorage storage $) {
    assembly ("memory-safe") {
      $.slot := _STORAGE_LOCATION
    }
  }
}
