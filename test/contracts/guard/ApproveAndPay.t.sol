// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { GuardTest } from "./GuardTest.sol";

contract ApproveAndPayTest is GuardTest {
  ISpendPermissionManager.SpendPermission private p;
  bytes private ownerSignature;

  function setUp() public override {
    super.setUp();
    p = _permission(_policy());
    ownerSignature = _ownerSignature(p);
  }

  function _approveAndPay(address caller, Batch memory batch, bytes memory agentSignature) private {
    bytes memory data = BatchLib.encode(batch);
    vm.prank(caller);
    guard.approveAndPay(p, ownerSignature, data, agentSignature);
  }

  function _expectError(address caller, Batch memory batch, bytes memory agentSignature, bytes memory error)
    private
  {
    bytes memory data = BatchLib.encode(batch);
    vm.prank(caller);
    vm.expectRevert(error);
    guard.approveAndPay(p, ownerSignature, data, agentSignature);
  }

  function test_default() public {
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionApproved(SPM.getHash(p), p);
    _expectPaid(p, payee, NUMBER, 1e6, 0);
    _approveAndPay(agent, _batch(NUMBER, 1e6), "");
    assertTrue(SPM.isValid(p));
    assertEq(USDC.balanceOf(payee), 1e6);
  }

  function test_default_relayed() public {
    Batch memory batch = _batch(NUMBER, 1e6);
    _approveAndPay(stranger, batch, _sign(agentKey, _batchHash(p, batch)));
    assertEq(USDC.balanceOf(payee), 1e6);
  }

  /// @dev Somebody else was first with the owner's signature, which anybody may submit.
  function test_behavior_approvedBefore() public {
    SPM.approveWithSignature(p, ownerSignature);
    _approveAndPay(agent, _batch(NUMBER, 1), "");
  }

  /// @dev Nothing is approved by a batch that is refused.
  function test_behavior_atomic() public {
    _expectError(
      agent,
      _batch(NUMBER, PER_CALL + 1),
      "",
      abi.encodeWithSelector(IHardcapGuard.OverPerCall.selector, PER_CALL + 1, PER_CALL)
    );
    assertFalse(SPM.isApproved(p));
  }

  function test_error_revokedBefore() public {
    vm.prank(account);
    SPM.revoke(p);
    _expectError(
      agent,
      _batch(NUMBER, 1),
      "",
      abi.encodeWithSelector(IHardcapGuard.ApprovalRefused.selector, SPM.getHash(p))
    );
  }

  function test_error_ownerSignature() public {
    ownerSignature[100] ^= 0x01;
    _expectError(
      agent, _batch(NUMBER, 1), "", abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector)
    );
  }

  function test_error_wrongAgent() public {
    _expectError(
      stranger,
      _batch(NUMBER, 1),
      "",
      abi.encodeWithSelector(IHardcapGuard.WrongAgent.selector, agent, stranger)
    );
  }

  function test_error_agentSignature() public {
    Batch memory batch = _batch(NUMBER, 1);
    bytes memory signature = _sign(ownerKey, _batchHash(p, batch));
    _expectError(
      agent, batch, signature, abi.encodeWithSelector(IHardcapGuard.InvalidAgentSignature.selector, agent)
    );
  }

  function test_error_wrongSpender() public {
    p.spender = stranger;
    ownerSignature = _ownerSignature(p);
    _expectError(
      agent, _batch(NUMBER, 1), "", abi.encodeWithSelector(IHardcapGuard.WrongSpender.selector, stranger)
    );
  }
}
