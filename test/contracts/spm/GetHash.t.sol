// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract GetHashTest is SpmTest {
  /// @dev A value from viem's `hashTypedData`, for chain 8453 and the canonical address.
  function test_default() public view {
    assertEq(SPM.getHash(_example()), 0x3345dd507cd4729a39c178237518d90bf48e608f2aa4e794f296eb533f81c369);
  }

  function test_args_anyFields(ISpendPermissionManager.SpendPermission memory p) public view {
    assertEq(SPM.getHash(p), _hash(p));
  }

  function test_args_anyChain(ISpendPermissionManager.SpendPermission memory p, uint64 chain) public {
    vm.chainId(bound(chain, 1, type(uint64).max - 1));
    assertEq(SPM.getHash(p), _hash(p));
  }

  function test_behavior_everyFieldCounts() public view {
    bytes32[10] memory hashes;
    for (uint256 field; field < 10; ++field) {
      ISpendPermissionManager.SpendPermission memory p = _example();
      if (field == 1) p.account = p.spender;
      if (field == 2) p.spender = p.account;
      if (field == 3) p.token = p.account;
      if (field == 4) p.allowance += 1;
      if (field == 5) p.period += 1;
      if (field == 6) p.start += 1;
      if (field == 7) p.end += 1;
      if (field == 8) p.salt += 1;
      if (field == 9) p.extraData = hex"deadbeef00";
      hashes[field] = SPM.getHash(p);
      for (uint256 other; other < field; ++other) {
        assertNotEq(hashes[field], hashes[other]);
      }
    }
  }

  /// @dev Unapproved, unapprovable, outside its life: a hash is a hash.
  function test_behavior_neverReverts(ISpendPermissionManager.SpendPermission memory p, uint48 time) public {
    vm.warp(time);
    (p.token, p.spender, p.period, p.allowance, p.end) = (address(0), address(0), 0, 0, 0);
    assertEq(SPM.getHash(p), _hash(p));
  }

  /// @dev The code computes its domain where it stands.
  function test_behavior_anotherAddressIsAnotherDomain() public {
    address elsewhere = makeAddr("elsewhere");
    vm.etch(elsewhere, address(SPM).code);
    assertNotEq(ISpendPermissionManager(payable(elsewhere)).getHash(_example()), SPM.getHash(_example()));
  }

  function _example() private pure returns (ISpendPermissionManager.SpendPermission memory) {
    return ISpendPermissionManager.SpendPermission({
      account: 0x1111111111111111111111111111111111111111,
      spender: 0x2222222222222222222222222222222222222222,
      token: 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913,
      allowance: 2_000_000,
      period: 86_400,
      start: 1_800_000_000,
      end: 1_900_000_000,
      salt: 42,
      extraData: hex"deadbeef"
    });
  }
}
