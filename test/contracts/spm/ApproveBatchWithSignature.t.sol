// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

contract ApproveBatchWithSignatureTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    bytes memory signature = _sign(_batchHash(b));

    vm.recordLogs();
    _expectApproved(_single(b, 0));
    _expectApproved(_single(b, 1));
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    _assertEvents(2);
    assertTrue(SPM.isValid(_single(b, 0)));
    assertTrue(SPM.isValid(_single(b, 1)));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_one() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(1);
    bytes memory signature = _sign(_batchHash(b));
    _expectApproved(_single(b, 0));
    assertTrue(SPM.approveBatchWithSignature(b, signature));
  }

  function test_args_anySize(uint256 size) public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(bound(size, 1, 20));
    bytes memory signature = _sign(_batchHash(b));
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    for (uint256 i; i < b.permissions.length; ++i) {
      assertTrue(SPM.isValid(_single(b, i)));
    }
  }

  function test_args_anyValidFields(
    ISpendPermissionManager.SpendPermission memory p,
    ISpendPermissionManager.PermissionDetails memory second
  ) public {
    p = _valid(p);
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    (b.period, b.start, b.end) = (p.period, p.start, p.end);
    b.permissions[0] =
      ISpendPermissionManager.PermissionDetails(p.spender, p.token, p.allowance, p.salt, p.extraData);
    if (second.spender == address(0)) second.spender = spender;
    if (second.allowance == 0) second.allowance = 1;
    second.token = NATIVE;
    b.permissions[1] = second;

    bytes memory signature = _sign(_batchHash(b));
    _expectApproved(p);
    _expectApproved(_single(b, 1));
    assertTrue(SPM.approveBatchWithSignature(b, signature));
  }

  function test_args_anySubmitter(address submitter) public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    bytes memory signature = _sign(_batchHash(b));
    vm.prank(submitter);
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    assertTrue(SPM.isValid(_single(b, 1)));
  }

  function test_args_counterfactualAccount() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    b.account = FACTORY.getAddress(_owners(), 1);
    bytes memory signature = _wrap6492(
      address(FACTORY),
      abi.encodeCall(FACTORY.createAccount, (_owners(), 1)),
      _signAs(b.account, ownerKey, _batchHash(b))
    );
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    assertGt(b.account.code.length, 0);
    assertTrue(SPM.isValid(_single(b, 0)));
    assertTrue(SPM.isValid(_single(b, 1)));
  }

  function test_args_eoaAccount() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    b.account = owner;
    assertTrue(SPM.approveBatchWithSignature(b, _ecdsa(ownerKey, _batchHash(b))));
    assertTrue(SPM.isValid(_single(b, 1)));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_duplicatesAreApprovedOnce() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    b.permissions[1] = b.permissions[0];
    bytes memory signature = _sign(_batchHash(b));

    vm.recordLogs();
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    _assertEvents(1);
  }

  function test_behavior_secondTimeEmitsNothing() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(3);
    bytes memory signature = _sign(_batchHash(b));
    SPM.approveBatchWithSignature(b, signature);

    vm.recordLogs();
    assertTrue(SPM.approveBatchWithSignature(b, signature));
    _assertEvents(0);
  }

  /// @dev False says that one is revoked; the others are approved all the same.
  function test_behavior_oneRevokedReturnsFalse(uint256 index) public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(3);
    index = bound(index, 0, 2);
    _revoked(_single(b, index));
    bytes memory signature = _sign(_batchHash(b));

    vm.recordLogs();
    assertFalse(SPM.approveBatchWithSignature(b, signature));
    _assertEvents(2);
    for (uint256 i; i < 3; ++i) {
      assertEq(SPM.isValid(_single(b, i)), i != index);
    }
  }

  /// @dev Each is metered on its own: two permissions are two allowances.
  function test_behavior_twoAllowances() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    SPM.approveBatchWithSignature(b, _sign(_batchHash(b)));
    _spend(_single(b, 0), ALLOWANCE);
    _spend(_single(b, 1), ALLOWANCE);
    assertEq(token.balanceOf(spender), 2 * uint256(ALLOWANCE));
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  /// @dev Before the signature is looked at.
  function test_error_emptyBatch(bytes calldata signature) public {
    _expectError(
      _batch(0), signature, abi.encodeWithSelector(ISpendPermissionManager.EmptySpendPermissionBatch.selector)
    );
  }

  function test_error_anyBytes(bytes calldata signature) public {
    _expectError(
      _batch(2), signature, abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector)
    );
  }

  function test_error_anyFieldChanged(uint256 field) public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    bytes memory signature = _sign(_batchHash(b));
    field = bound(field, 0, 10);
    if (field == 0) b.account = address(FACTORY.createAccount(_owners(), 1));
    if (field == 1) b.period += 1;
    if (field == 2) b.start += 1;
    if (field == 3) b.end += 1;
    if (field == 4) b.permissions[1].spender = makeAddr("another spender");
    if (field == 5) b.permissions[1].token = NATIVE;
    if (field == 6) b.permissions[1].allowance += 1;
    if (field == 7) b.permissions[1].salt += 1;
    if (field == 8) b.permissions[1].extraData = "";
    if (field == 9) (b.permissions[0], b.permissions[1]) = (b.permissions[1], b.permissions[0]);
    if (field == 10) b.permissions = _batch(3).permissions;
    _expectError(b, signature, abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector));
  }

  /// @dev A signature for a permission is not one for the batch of this permission alone.
  function test_error_signatureForTheSinglePermission() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(1);
    _expectError(
      b,
      _sign(_hash(_single(b, 0))),
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector)
    );
  }

  /// @dev And the other way round.
  function test_error_batchSignatureForOneOfItsPermissions() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    bytes memory signature = _sign(_batchHash(b));
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector));
    SPM.approveWithSignature(_single(b, 0), signature);
  }

  function test_error_signatureForAnotherChain() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    bytes memory signature = _sign(_batchHash(b));
    vm.chainId(1);
    _expectError(b, signature, abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector));
  }

  /// @dev Unlike a revoked one, an invalid one takes the whole batch down.
  function test_error_oneInvalidRevertsAll(uint256 index, uint256 field) public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(3);
    index = bound(index, 0, 2);
    field = bound(field, 0, 2);
    bytes4 reason;
    if (field == 0) {
      (b.permissions[index].token, reason) = (address(0), ISpendPermissionManager.ZeroToken.selector);
    } else if (field == 1) {
      (b.permissions[index].spender, reason) = (address(0), ISpendPermissionManager.ZeroSpender.selector);
    } else {
      (b.permissions[index].allowance, reason) = (0, ISpendPermissionManager.ZeroAllowance.selector);
    }
    _expectError(b, _sign(_batchHash(b)), abi.encodeWithSelector(reason));
    for (uint256 i; i < 3; ++i) {
      assertFalse(SPM.isApproved(_single(b, i)));
    }
  }

  function test_error_sharedFields() public {
    ISpendPermissionManager.SpendPermissionBatch memory b = _batch(2);
    (b.period, b.start) = (0, b.end);
    _expectError(b, _sign(_batchHash(b)), abi.encodeWithSelector(ISpendPermissionManager.ZeroPeriod.selector));
    b.period = 1;
    _expectError(
      b,
      _sign(_batchHash(b)),
      abi.encodeWithSelector(ISpendPermissionManager.InvalidStartEnd.selector, b.end, b.end)
    );
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _batch(uint256 size) private view returns (ISpendPermissionManager.SpendPermissionBatch memory b) {
    (b.account, b.period, b.start, b.end) = (account, PERIOD, START, END);
    b.permissions = new ISpendPermissionManager.PermissionDetails[](size);
    for (uint256 i; i < size; ++i) {
      b.permissions[i] =
        ISpendPermissionManager.PermissionDetails(spender, address(token), ALLOWANCE, i, abi.encode(i));
    }
  }

  function _single(ISpendPermissionManager.SpendPermissionBatch memory b, uint256 index)
    private
    pure
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    ISpendPermissionManager.PermissionDetails memory d = b.permissions[index];
    return ISpendPermissionManager.SpendPermission(
      b.account, d.spender, d.token, d.allowance, b.period, b.start, b.end, d.salt, d.extraData
    );
  }

  function _expectError(
    ISpendPermissionManager.SpendPermissionBatch memory b,
    bytes memory signature,
    bytes memory reason
  ) private {
    vm.expectRevert(reason);
    SPM.approveBatchWithSignature(b, signature);
  }
}
