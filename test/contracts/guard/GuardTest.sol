// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";

import { Batch, BatchLib } from "../../../contracts/Batch.sol";
import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { PublicERC6492Validator } from "../../../contracts/devnet/PublicERC6492Validator.sol";
import { SpendPermissionManager } from "../../../contracts/devnet/SpendPermissionManager.sol";
import { HardcapGuard } from "../../../contracts/HardcapGuard.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Devnet } from "../devnet/Devnet.sol";
import { GuardBuilders } from "./GuardBuilders.sol";

/// @dev Base, the guard, and a wallet with USDC that SPM is an owner of. Permissions have just started, at midnight.
abstract contract GuardTest is GuardBuilders, Devnet {
  address internal constant VALIDATOR = 0xcfCE48B757601F3f351CB6f434CB0517aEEE293D;

  function setUp() public virtual override {
    super.setUp();
    vm.warp(START);
    vm.etch(address(SPM), type(SpendPermissionManager).runtimeCode);
    vm.etch(VALIDATOR, type(PublicERC6492Validator).runtimeCode);
    guard = new HardcapGuard();
    _makeActors();
    account = _wallet(owner);
    _mint(account, BALANCE);
    // Dust, which no payment ever takes.
    _mint(address(guard), 1);
  }

  function _wallet(address owner_) internal returns (address) {
    CoinbaseSmartWallet wallet = FACTORY_V1.createAccount(_owners(owner_), 0);
    vm.prank(address(wallet));
    wallet.addOwnerAddress(address(SPM));
    return address(wallet);
  }

  /// @dev The wallet's signature by its EOA owner, over the wallet's replay-safe hash.
  function _ownerSignature(ISpendPermissionManager.SpendPermission memory p)
    internal
    view
    returns (bytes memory)
  {
    bytes32 hash = CoinbaseSmartWallet(payable(p.account)).replaySafeHash(SPM.getHash(p));
    return _wrap(0, _sign(ownerKey, hash));
  }

  /* ---------------------------------------- paying ---------------------------------------- */

  function _pay(ISpendPermissionManager.SpendPermission memory p, Batch memory batch) internal {
    bytes memory data = BatchLib.encode(batch);
    assertEq(uint256(guard.check(p, data)), uint256(IHardcapGuard.Reason.Ok), "check");
    vm.prank(agent);
    guard.pay(p, data);
    assertEq(USDC.balanceOf(address(guard)), 1, "dust");
  }

  function _pay(ISpendPermissionManager.SpendPermission memory p, uint256 number, uint112 amount) internal {
    _pay(p, _batch(number, amount));
  }

  function _fund(ISpendPermissionManager.SpendPermission memory p, IHardcapGuard.Funding memory funding)
    internal
  {
    assertEq(uint256(guard.checkFunding(p, funding)), uint256(IHardcapGuard.Reason.Ok), "check");
    vm.prank(agent);
    guard.fund(p, funding);
    assertEq(USDC.balanceOf(address(guard)), 1, "dust");
  }

  /// @dev Refused by `pay` and `simulate` with the same figures, and by `check` with the reason.
  function _expectRefused(
    ISpendPermissionManager.SpendPermission memory p,
    Batch memory batch,
    IHardcapGuard.Reason reason,
    bytes memory error
  ) internal {
    _expectRefused(p, BatchLib.encode(batch), reason, error);
  }

  function _expectRefused(
    ISpendPermissionManager.SpendPermission memory p,
    bytes memory data,
    IHardcapGuard.Reason reason,
    bytes memory error
  ) internal {
    assertEq(uint256(guard.check(p, data)), uint256(reason), "check");
    vm.expectRevert(error);
    guard.simulate(p, data);
    vm.prank(agent);
    vm.expectRevert(error);
    guard.pay(p, data);
  }

  function _expectRefused(
    ISpendPermissionManager.SpendPermission memory p,
    IHardcapGuard.Funding memory funding,
    IHardcapGuard.Reason reason,
    bytes memory error
  ) internal {
    assertEq(uint256(guard.checkFunding(p, funding)), uint256(reason), "checkFunding");
    vm.expectRevert(error);
    guard.simulateFunding(p, funding);
    vm.prank(agent);
    vm.expectRevert(error);
    guard.fund(p, funding);
  }

  function _expectOverTotal(
    ISpendPermissionManager.SpendPermission memory p,
    uint112 amount,
    uint256 used,
    uint256 limit
  ) internal {
    _expectRefused(
      p,
      _batch(NUMBER + 200, amount),
      IHardcapGuard.Reason.OverTotal,
      abi.encodeWithSelector(IHardcapGuard.OverTotal.selector, amount, used, limit)
    );
  }

  function _expectOverDay(
    ISpendPermissionManager.SpendPermission memory p,
    uint112 amount,
    uint256 used,
    uint256 limit
  ) internal {
    _expectRefused(
      p,
      _batch(NUMBER + 200, amount),
      IHardcapGuard.Reason.OverDay,
      abi.encodeWithSelector(IHardcapGuard.OverDay.selector, amount, used, limit)
    );
  }

  /* ---------------------------------------- events ---------------------------------------- */

  function _expectPaid(
    ISpendPermissionManager.SpendPermission memory p,
    address to,
    uint256 number,
    uint112 amount,
    bytes32 task
  ) internal {
    vm.expectEmit(address(guard));
    emit IHardcapGuard.Paid(GRANT_ID, _ref(number), to, SPM.getHash(p), number, amount, task);
  }

  /// @dev How many events with this first topic `emitter` logged since `vm.recordLogs`.
  function _count(address emitter, bytes32 topic) internal returns (uint256 count) {
    Vm.Log[] memory logs = vm.getRecordedLogs();
    for (uint256 i; i < logs.length; ++i) {
      if (logs[i].emitter == emitter && logs[i].topics[0] == topic) ++count;
    }
  }
}
