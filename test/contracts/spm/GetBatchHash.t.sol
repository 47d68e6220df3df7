// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract GetBatchHashTest is SpmTest {
  /// @dev A value from viem's `hashTypedData`, for chain 8453 and the canonical address.
  function test_default() public view {
    assertEq(SPM.getBatchHash(_example()), 0x5c66111079fd43e00f4662e81b83a3564dcaef85b98ae88982b58c531807b019);
  }

  function test_args_anyFields(ISpendPermissionManager.SpendPermissionBatch memory b) public view {
    vm.assume(b.permissions.length != 0);
    assertEq(SPM.getBatchHash(b), _batchHash(b));
  }

  function test_args_anySize(uint256 size, ISpendPermissionManager.PermissionDetails memory details)
    public
    view
  {
    ISpendPermissionManager.SpendPermissionBatch memory b = _example();
    b.permissions = new ISpendPermissionManager.PermissionDetails[](bound(size, 1, 20));
    for (uint256 i; i < b.permissions.length; ++i) {
      b.permissions[i] = details;
    }
    assertEq(SPM.getBatchHash(b), _batchHash(b));
  }

  function test_args_anyChain(uint64 chain) public {
    vm.chainId(bound(chain, 1, type(uint64).max - 1));
    assertEq(SPM.getBatchHash(_example()), _batchHash(_example()));
  }

  function test_behavior_everyFieldAndTheOrderCount() public view {
    bytes32[12] memory hashes;
    for (uint256 field; field < 12; ++field) {
      ISpendPermissionManager.SpendPermissionBatch memory b = _example();
      if (field == 1) b.account = NATIVE;
      if (field == 2) b.period += 1;
      if (field == 3) b.start += 1;
      if (field == 4) b.end += 1;
      if (field == 5) b.permissions[1].spender = NATIVE;
      if (field == 6) b.permissions[1].token = b.account;
      if (field == 7) b.permissions[1].allowance += 1;
      if (field == 8) b.permissions[1].salt += 1;
      if (field == 9) b.permissions[1].extraData = hex"00";
      if (field == 10) (b.permissions[0], b.permissions[1]) = (b.permissions[1], b.permissions[0]);
      if (field == 11) b.permissions[0] = b.permissions[1];
      hashes[field] = SPM.getBatchHash(b);
      for (uint256 other; other < field; ++other) {
        assertNotEq(hashes[field], hashes[other]);
      }
    }
  }

  function test_error_emptyBatch(ISpendPermissionManager.SpendPermissionBatch memory b) public {
    b.permissions = new ISpendPermissionManager.PermissionDetails[](0);
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.EmptySpendPermissionBatch.selector));
    SPM.getBatchHash(b);
  }

  function _example() private pure returns (ISpendPermissionManager.SpendPermissionBatch memory b) {
    b.account = 0x1111111111111111111111111111111111111111;
    (b.period, b.start, b.end) = (86_400, 1_800_000_000, 1_900_000_000);
    b.permissions = new ISpendPermissionManager.PermissionDetails[](2);
    b.permissions[0] = ISpendPermissionManager.PermissionDetails({
      spender: 0x2222222222222222222222222222222222222222,
      token: 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913,
      allowance: 2_000_000,
      salt: 42,
      extraData: hex"deadbeef"
    });
    b.permissions[1] = ISpendPermissionManager.PermissionDetails({
      spender: 0x1111111111111111111111111111111111111111, token: NATIVE, allowance: 1, salt: 0, extraData: ""
    });
  }
}
