// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Payment } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { GuardTest } from "./GuardTest.sol";
import { HostileAccount, HostileToken } from "./mocks/Hostile.sol";

/// @dev What accounts, tokens and payees of somebody's own making can do to the guard and to others: nothing.
contract HostileTest is GuardTest {
  HostileAccount private hostile;
  address private victim;
  ISpendPermissionManager.SpendPermission private victims;

  function setUp() public override {
    super.setUp();
    victim = account;
    victims = _approved(_openPolicy());
    _pay(victims, NUMBER, 100);
    hostile = new HostileAccount();
    _mint(address(hostile), 1000);
  }

  function _hostilePermission(Policy memory policy)
    private
    returns (ISpendPermissionManager.SpendPermission memory p)
  {
    p = _permission(policy);
    p.account = address(hostile);
    hostile.act(address(SPM), abi.encodeCall(SPM.approve, (p)));
  }

  function _payHostile(ISpendPermissionManager.SpendPermission memory p, Batch memory batch) private {
    bytes memory data = BatchLib.encode(batch);
    vm.prank(agent);
    guard.pay(p, data);
    assertEq(USDC.balanceOf(address(guard)), 1, "dust");
    assertEq(USDC.balanceOf(victim), BALANCE - 100, "victim");
    assertEq(guard.used(victims, 0).total, 100, "victim's total");
  }

  /* ---------------------------------------- a hostile account ---------------------------------------- */

  /// @dev From within its own payment an account can start no other, by no entrance.
  function test_behavior_accountReenters() public {
    ISpendPermissionManager.SpendPermission memory p = _hostilePermission(_openPolicy());
    bytes memory batch = BatchLib.encode(_batch(NUMBER + 1, 1));
    IHardcapGuard.Funding memory funding = _funding(NUMBER + 1, 1);
    hostile.plan(address(guard), abi.encodeCall(guard.pay, (p, batch)));
    hostile.plan(
      address(guard),
      abi.encodeCall(
        guard.payWithSignature, (p, batch, _sign(agentKey, _batchHash(p, _batch(NUMBER + 1, 1))))
      )
    );
    hostile.plan(address(guard), abi.encodeCall(guard.approveAndPay, (p, hex"00", batch, "")));
    hostile.plan(address(guard), abi.encodeCall(guard.fund, (p, funding)));
    hostile.plan(address(guard), abi.encodeCall(guard.fundWithSignature, (p, funding, "")));
    hostile.plan(address(guard), abi.encodeCall(guard.replace, (p, p, "")));
    _payHostile(p, _batch(NUMBER, 10));
    for (uint256 i; i < 6; ++i) {
      assertEq(hostile.results(i), abi.encodeWithSelector(IHardcapGuard.Reentrancy.selector));
    }
    assertEq(USDC.balanceOf(payee), 110);
  }

  /// @dev The meters count a payment before the account's code runs.
  function test_behavior_accountLooks() public {
    Policy memory policy = _openPolicy();
    policy.total = 15;
    ISpendPermissionManager.SpendPermission memory p = _hostilePermission(policy);
    bytes memory batch = BatchLib.encode(_batch(NUMBER + 1, 6));
    hostile.plan(address(guard), abi.encodeCall(guard.simulate, (p, batch)));
    hostile.plan(address(guard), abi.encodeCall(guard.simulate, (p, BatchLib.encode(_batch(NUMBER, 1)))));
    _payHostile(p, _batch(NUMBER, 10));
    assertEq(hostile.results(0), abi.encodeWithSelector(IHardcapGuard.OverTotal.selector, 6, 10, 15));
    assertEq(hostile.results(1), abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER));
  }

  /// @dev Pausing and revoking work from anywhere, for what comes after, and the meters stay what they are.
  function test_behavior_accountStopsItself() public {
    ISpendPermissionManager.SpendPermission memory p = _hostilePermission(_openPolicy());
    hostile.plan(address(guard), abi.encodeCall(guard.revoke, (p)));
    hostile.plan(address(guard), abi.encodeCall(guard.pause, (address(hostile), TOKEN, GRANT_ID)));
    _payHostile(p, _batch(NUMBER, 10));
    assertEq(guard.used(p, 0).total, 10);
    _expectRefused(
      p,
      _batch(NUMBER + 1, 1),
      IHardcapGuard.Reason.Revoked,
      abi.encodeWithSelector(IHardcapGuard.RevokedBy.selector, address(hostile))
    );
  }

  /// @dev An account that does not pay gets nothing paid, and can leave no number used.
  function test_behavior_accountDoesNotPay() public {
    ISpendPermissionManager.SpendPermission memory p = _hostilePermission(_openPolicy());
    hostile.setApproves(false);
    bytes memory batch = BatchLib.encode(_batch(NUMBER, 1));
    vm.prank(agent);
    vm.expectRevert();
    guard.pay(p, batch);
    assertFalse(guard.isUsed(address(hostile), TOKEN, GRANT_ID, agent, NUMBER));
    assertEq(guard.used(p, 0).total, 0);
  }

  /// @dev The lock ends with the call: one transaction can make many payments.
  function test_behavior_severalInATransaction() public {
    _pay(victims, NUMBER + 1, 1);
    _pay(victims, NUMBER + 2, 1);
    bytes memory batch = BatchLib.encode(_batch(NUMBER + 2, 1));
    vm.prank(agent);
    vm.expectRevert(abi.encodeWithSelector(IHardcapGuard.NumberUsed.selector, NUMBER + 2));
    guard.pay(victims, batch);
    _pay(victims, NUMBER + 3, 1);
  }

  /* ---------------------------------------- permissions of any content ---------------------------------------- */

  /// @dev Whatever its extraData: no permission moves more than its allowance in a period, nor another's money, nor
  /// meters, numbers and purse of anybody but its account.
  function test_behavior_anyExtraData(bytes memory extraData, Policy memory policy, uint112[5] memory amounts)
    public
  {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    p.account = address(hostile);
    p.allowance = 500;
    policy.agent = agent;
    if (policy.orchestrator == address(0)) policy.perTask = UNLIMITED;
    (policy.window, policy.perWindow) = (0, UNLIMITED_WINDOW);
    p.extraData = extraData.length % 4 == 0 ? extraData : PolicyLib.encode(policy);
    hostile.act(address(SPM), abi.encodeCall(SPM.approve, (p)));

    for (uint256 i; i < 5; ++i) {
      bytes memory batch = BatchLib.encode(_batch(NUMBER + 1 + i, uint112(bound(amounts[i], 1, 600))));
      vm.prank(agent);
      try guard.pay(p, batch) { } catch { }
      IHardcapGuard.Funding memory funding = _funding(NUMBER + 10 + i, amounts[i]);
      vm.prank(agent);
      try guard.fund(p, funding) { } catch { }
    }
    assertLe(1000 - USDC.balanceOf(address(hostile)), 500, "allowance");
    assertEq(USDC.balanceOf(victim), BALANCE - 100, "victim");
    assertEq(guard.used(victims, 0).total, 100, "meters");
    assertFalse(guard.isUsed(victim, TOKEN, GRANT_ID, agent, NUMBER + 1), "numbers");
    assertEq(USDC.balanceOf(address(guard)), 1, "dust");
  }

  /// @dev A permission that nobody approved, for the victim's account, moves and meters nothing.
  function test_behavior_inventedPermission() public {
    ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
    (agent, agentKey) = makeAddrAndKey("thief");
    p.extraData = PolicyLib.encode(_openPolicy());
    bytes memory batch = BatchLib.encode(_batch(NUMBER + 1, 1));
    vm.prank(agent);
    vm.expectRevert(ISpendPermissionManager.UnauthorizedSpendPermission.selector);
    guard.pay(p, batch);
  }

  /* ---------------------------------------- hostile tokens ---------------------------------------- */

  function _tokenPermission(HostileToken token)
    private
    returns (ISpendPermissionManager.SpendPermission memory p)
  {
    token.mint(victim, 1000);
    p = _permission(_openPolicy());
    p.token = address(token);
    _approve(p);
  }

  /// @dev A token that calls back finds the lock, whichever payment it tries.
  function test_behavior_tokenReenters() public {
    HostileToken token = new HostileToken();
    ISpendPermissionManager.SpendPermission memory p = _tokenPermission(token);
    bytes memory batch = BatchLib.encode(_batch(NUMBER + 1, 1));
    Batch memory own = _batch(NUMBER + 1, 1);
    bytes memory signature = _sign(agentKey, _batchHash(victims, own));
    token.plan(address(guard), abi.encodeCall(guard.payWithSignature, (victims, batch, signature)));
    batch = BatchLib.encode(_batch(NUMBER, 10));
    vm.prank(agent);
    guard.pay(p, batch);
    assertEq(token.result(), abi.encodeWithSelector(IHardcapGuard.Reentrancy.selector));
    assertEq(token.balanceOf(payee), 10);
    assertEq(guard.used(victims, 0).total, 100);
  }

  /// @dev A token that moves nothing pays in nothing: what the guard holds of other tokens does not move for it.
  function test_behavior_tokenLies() public {
    HostileToken token = new HostileToken();
    ISpendPermissionManager.SpendPermission memory p = _tokenPermission(token);
    token.setMoves(false);
    bytes memory batch = BatchLib.encode(_batch(NUMBER, 1000));
    vm.prank(agent);
    guard.pay(p, batch);
    assertEq(USDC.balanceOf(address(guard)), 1);
    assertEq(USDC.balanceOf(payee), 100);
  }

  /// @dev A token is no payee, and so neither is a contract that poses as one: guard, SPM and purse are no tokens.
  function test_error_tokenIsNoToken() public {
    address purse = guard.purseOf(victim, TOKEN, GRANT_ID, agent);
    address[4] memory tokens = [address(guard), address(SPM), purse, makeAddr("no code")];
    for (uint256 i; i < 4; ++i) {
      ISpendPermissionManager.SpendPermission memory p = _permission(_openPolicy());
      p.token = tokens[i];
      vm.prank(victim);
      SPM.approve(p);
      bytes memory batch = BatchLib.encode(_batch(NUMBER, 1));
      vm.prank(agent);
      vm.expectRevert();
      guard.pay(p, batch);
    }
  }

  /* ---------------------------------------- donations ---------------------------------------- */

  /// @dev What the guard was given stays where it is.
  function test_behavior_donation(uint112 donation, uint112 amount) public {
    donation = uint112(bound(donation, 1, 1e12));
    amount = uint112(bound(amount, 1, 1e6));
    _mint(address(guard), donation);
    Payment[] memory payments = new Payment[](2);
    payments[0] = _paymentTo(0, NUMBER + 1, amount);
    payments[1] = _paymentTo(1, NUMBER + 2, amount);
    bytes memory batch = BatchLib.encode(_batch(payments));
    vm.prank(agent);
    guard.pay(victims, batch);
    assertEq(USDC.balanceOf(address(guard)), uint256(donation) + 1);
  }

  function test_error_ether() public {
    vm.deal(agent, 1 ether);
    vm.prank(agent);
    (bool success,) = address(guard).call{ value: 1 }("");
    assertFalse(success);
  }
}
