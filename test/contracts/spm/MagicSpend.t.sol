// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IMagicSpend } from "../../../contracts/interfaces/IMagicSpend.sol";
import { MagicSpendTest } from "./MagicSpendTest.sol";

/// @dev `MagicSpend.withdraw`, called by the account itself. Through SPM: SpendWithWithdraw.t.sol.
contract MagicSpendWithdrawTest is MagicSpendTest {
  function test_default() public {
    IMagicSpend.WithdrawRequest memory r = _signed(_request());
    vm.expectEmit(address(MAGIC_SPEND));
    emit IMagicSpend.MagicSpendWithdrawal(account, address(token), 600, r.nonce);
    _withdraw(r);
    assertEq(token.balanceOf(account), BALANCE + 600);
    assertEq(token.balanceOf(address(MAGIC_SPEND)), BALANCE - 600);
    assertTrue(MAGIC_SPEND.nonceUsed(account, r.nonce));
  }

  function test_args_nativeToken() public {
    IMagicSpend.WithdrawRequest memory r = _request();
    r.asset = address(0);
    _withdraw(_signed(r));
    assertEq(account.balance, BALANCE + 600);
    assertEq(address(MAGIC_SPEND).balance, BALANCE - 600);
  }

  function test_args_hash(IMagicSpend.WithdrawRequest memory r, address withdrawer) public view {
    assertEq(MAGIC_SPEND.getHash(withdrawer, r), _withdrawHash(withdrawer, r));
  }

  /// @dev A nonce belongs to its account.
  function test_behavior_noncesAreUnordered(uint256 first, uint256 second) public {
    vm.assume(first != second);
    IMagicSpend.WithdrawRequest memory r = _request();
    r.nonce = first;
    _withdraw(_signed(r));
    assertFalse(MAGIC_SPEND.nonceUsed(account, second));
    assertFalse(MAGIC_SPEND.nonceUsed(address(this), first));
    r.nonce = second;
    _withdraw(_signed(r));
    assertEq(token.balanceOf(account), BALANCE + 1200);
  }

  /// @dev The expiry itself is the last second.
  function test_behavior_expiry() public {
    IMagicSpend.WithdrawRequest memory r = _signed(_request());
    vm.warp(r.expiry + 1);
    _expectError(r, abi.encodeWithSelector(IMagicSpend.Expired.selector));
    vm.warp(r.expiry);
    _withdraw(r);
  }

  function test_error_nonceUsed() public {
    IMagicSpend.WithdrawRequest memory r = _signed(_request());
    _withdraw(r);
    _expectError(r, abi.encodeWithSelector(IMagicSpend.InvalidNonce.selector, r.nonce));
  }

  function test_error_signatureOfAnother(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != treasurerKey);
    _expectError(_signedBy(key, _request()), abi.encodeWithSelector(IMagicSpend.InvalidSignature.selector));
  }

  function test_error_anyFieldChanged(uint256 field) public {
    IMagicSpend.WithdrawRequest memory r = _signed(_request());
    field = bound(field, 0, 4);
    if (field == 0) r.asset = address(0);
    if (field == 1) r.amount += 1;
    if (field == 2) r.nonce += 1;
    if (field == 3) r.expiry += 1;
    if (field == 4) vm.chainId(1);
    _expectError(r, abi.encodeWithSelector(IMagicSpend.InvalidSignature.selector));
  }

  function test_error_requestOfAnotherAccount(address caller) public {
    vm.assume(caller != account);
    IMagicSpend.WithdrawRequest memory r = _signed(_request());
    vm.expectRevert(abi.encodeWithSelector(IMagicSpend.InvalidSignature.selector));
    vm.prank(caller);
    MAGIC_SPEND.withdraw(r);
  }

  /// @dev As placed, before a test sets an owner.
  function test_error_noOwner(bytes memory signature) public {
    vm.store(address(MAGIC_SPEND), OWNER_SLOT, 0);
    IMagicSpend.WithdrawRequest memory r = _request();
    r.signature = signature;
    _expectError(r, abi.encodeWithSelector(IMagicSpend.InvalidSignature.selector));
  }

  function test_error_fundsOneUnitShort() public {
    IMagicSpend.WithdrawRequest memory r = _request();
    r.amount = BALANCE + 1;
    _expectError(_signed(r), abi.encodeWithSignature("TransferFailed()"));
    r.asset = address(0);
    _expectError(_signed(r), abi.encodeWithSignature("ETHTransferFailed()"));
    r.amount = BALANCE;
    _withdraw(_signed(r));
    assertEq(address(MAGIC_SPEND).balance, 0);
  }

  function _request() private view returns (IMagicSpend.WithdrawRequest memory) {
    return IMagicSpend.WithdrawRequest("", address(token), 600, 7, START + 60);
  }

  function _withdraw(IMagicSpend.WithdrawRequest memory r) private {
    vm.prank(account);
    MAGIC_SPEND.withdraw(r);
  }

  function _expectError(IMagicSpend.WithdrawRequest memory r, bytes memory reason) private {
    vm.expectRevert(reason);
    _withdraw(r);
  }
}
