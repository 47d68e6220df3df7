// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";

import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev `noteFunding`, and what the purse knows of itself.
contract PurseNoteFundingTest is PurseTest {
  function test_default() public view {
    assertEq(purse.fundedBy(), SPM.getHash(_permission()));
  }

  /// @dev The hash that a payment's blob has to lead to is SPM's, whatever the fields.
  function test_args_anyPermission(ISpendPermissionManager.SpendPermission memory p, uint112 value) public {
    p.account = account;
    p.spender = address(guard);
    p.token = address(USDC);
    p.allowance = uint160(bound(p.allowance, FLOAT, type(uint160).max));
    p.period = uint48(bound(p.period, 1, type(uint48).max));
    p.start = uint48(bound(p.start, 0, START));
    p.end = uint48(bound(p.end, START + 1, type(uint48).max));
    p.extraData = _encode(_policy());
    vm.prank(account);
    purse.sweep(p);
    _approve(p);
    _fund(p, FLOAT);
    assertEq(purse.fundedBy(), SPM.getHash(p));

    Payment memory payment = _payment();
    payment.value = uint112(bound(value, 1, PER_CALL));
    _pays(payment, _blob(payment, p));
  }

  /// @dev What another permission had put there goes back to the account first.
  function test_behavior_anotherPermission() public {
    ISpendPermissionManager.SpendPermission memory next = _permission();
    next.salt = 2;
    next.extraData = _encode(_widePolicy());
    _approve(next);
    vm.expectEmit(address(purse));
    emit IPurse.Swept(GRANT, address(guard), FLOAT);
    _fund(next, FLOAT + 1);
    assertEq(purse.fundedBy(), SPM.getHash(next));
    assertLe(USDC.balanceOf(address(purse)), FLOAT + 1);
    assertEq(USDC.balanceOf(address(purse)) + USDC.balanceOf(account), BALANCE);
    assertEq(USDC.balanceOf(address(guard)), 0);
  }

  function test_behavior_samePermission() public {
    _pays(_payment());
    vm.recordLogs();
    _fund(_permission(), FLOAT);
    assertEq(USDC.balanceOf(address(purse)), FLOAT);
    Vm.Log[] memory logs = vm.getRecordedLogs();
    for (uint256 i; i < logs.length; ++i) {
      assertNotEq(logs[i].topics[0], IPurse.Swept.selector);
    }
  }

  /// @dev A page that gets one unit signed away, with any payee, gets one unit: not the float that is there.
  function test_behavior_permissionOfOneUnit(uint112 target) public {
    ISpendPermissionManager.SpendPermission memory one = _permission(_widePolicy());
    one.allowance = 1;
    _approve(one);
    target = uint112(bound(target, 1, 2 * FLOAT));
    try this.fund(one, target) {
      assertEq(purse.fundedBy(), SPM.getHash(one));
      assertLe(USDC.balanceOf(address(purse)), 1);
    } catch {
      assertEq(purse.fundedBy(), SPM.getHash(_permission()));
      assertEq(USDC.balanceOf(address(purse)), FLOAT);
    }
  }

  function fund(ISpendPermissionManager.SpendPermission memory p, uint112 target) external {
    _fund(p, target);
  }

  /// @dev With nothing in the way of who pays, whom, how much.
  function _widePolicy() private view returns (Policy memory policy) {
    policy = _policy();
    policy.orchestrator = address(0);
    policy.perCall = NONE;
    policy.payees = ANY;
    policy.maxFloat = 2 * FLOAT;
  }

  function test_error_notTheGuard(address by) public {
    vm.assume(by != address(guard));
    vm.prank(by);
    vm.expectRevert(abi.encodeWithSelector(IPurse.OnlyGuard.selector, by));
    purse.noteFunding(0);
  }

  /* ---------------------------------------- the purse itself ---------------------------------------- */

  function test_default_address() public view {
    assertGt(address(purse).code.length, 0);
    assertEq(address(purse.guard()), address(guard));
    assertEq(purse.account(), account);
    assertEq(purse.token(), address(USDC));
    assertEq(purse.grantId(), GRANT);
    assertEq(purse.agent(), agent);
  }

  /// @dev By CREATE2 of an ERC-1167 clone with its arguments behind it, computed here by hand.
  function test_args_anyAddress(address a, address t, bytes32 g, address w) public view {
    bytes memory runtime = abi.encodePacked(
      hex"363d3d373d3d3d363d73", guard.purseImplementation(), hex"5af43d82803e903d91602b57fd5bf3", a, t, g, w
    );
    bytes memory initCode = abi.encodePacked(hex"61", uint16(runtime.length), hex"3d81600a3d39f3", runtime);
    bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(guard), bytes32(0), keccak256(initCode)));
    assertEq(guard.purseOf(a, t, g, w), address(uint160(uint256(hash))));
  }

  /// @dev The address is the same before and after the first funding deploys it.
  function test_behavior_counterfactual(bytes32 grantId) public {
    vm.assume(grantId != GRANT);
    Policy memory policy = _policy();
    policy.grantId = grantId;
    address predicted = guard.purseOf(account, address(USDC), grantId, agent);
    assertEq(predicted.code.length, 0);
    _approve(_permission(policy));
    _fund(_permission(policy), 2);
    assertGt(predicted.code.length, 0);
    assertEq(IPurse(predicted).grantId(), grantId);
    assertEq(IPurse(predicted).fundedBy(), SPM.getHash(_permission(policy)));
    assertEq(USDC.balanceOf(predicted), 2);
    assertEq(guard.purseOf(account, address(USDC), grantId, agent), predicted);
  }

  /// @dev What was sent there before is the account's.
  function test_behavior_donatedBefore() public {
    Policy memory policy = _policy();
    policy.grantId = "another";
    address predicted = guard.purseOf(account, address(USDC), "another", agent);
    _mint(predicted, 1);
    _approve(_permission(policy));
    uint256 before = USDC.balanceOf(account);
    _fund(_permission(policy), 3);
    assertLe(USDC.balanceOf(predicted), 3);
    assertEq(USDC.balanceOf(predicted) + USDC.balanceOf(account), before + 1);
  }

  /// @dev One for each account, token, grant and agent.
  function test_behavior_differentPurses() public {
    address other = makeAddr("other");
    address[5] memory purses = [
      address(purse),
      guard.purseOf(other, address(USDC), GRANT, agent),
      guard.purseOf(account, other, GRANT, agent),
      guard.purseOf(account, address(USDC), "other", agent),
      guard.purseOf(account, address(USDC), GRANT, other)
    ];
    for (uint256 i; i < purses.length; ++i) {
      for (uint256 j; j < i; ++j) {
        assertNotEq(purses[i], purses[j]);
      }
    }
  }

  /// @dev What all purses delegate to is no purse: nothing funds it, and nobody's signature counts there.
  function test_behavior_implementation() public {
    IPurse implementation = IPurse(guard.purseImplementation());
    assertEq(implementation.fundedBy(), 0);
    assertEq(address(implementation.guard()), address(guard));
    (bool ok, bytes memory answer) = address(implementation)
      .staticcall(abi.encodeCall(IPurse.isValidSignature, (_digest(_payment()), _blob(_payment()))));
    assertTrue(!ok || bytes4(answer) == REFUSED);
    vm.expectRevert(abi.encodeWithSelector(IPurse.OnlyGuard.selector, address(this)));
    implementation.noteFunding(0);
  }

  function test_error_ether() public {
    vm.deal(stranger, 1);
    vm.prank(stranger);
    (bool ok,) = address(purse).call{ value: 1 }("");
    assertFalse(ok);
  }

  function test_error_otherFunctions(bytes4 selector) public {
    vm.assume(
      selector != IPurse.sweep.selector && selector != IPurse.noteFunding.selector
        && selector != IPurse.isValidSignature.selector && selector != IPurse.guard.selector
        && selector != IPurse.account.selector && selector != IPurse.token.selector
        && selector != IPurse.grantId.selector && selector != IPurse.agent.selector
        && selector != IPurse.fundedBy.selector
    );
    (bool ok,) = address(purse).call(abi.encodePacked(selector, new bytes(320)));
    assertFalse(ok);
  }
}
