// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IMagicSpend } from "../../../contracts/interfaces/IMagicSpend.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { MagicSpendTest } from "./MagicSpendTest.sol";

contract SpendWithWithdrawTest is MagicSpendTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _emptyAccount(_approved());
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);

    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionUsed(
      _hash(p), account, spender, p.token, ISpendPermissionManager.PeriodSpend(START, START + PERIOD, 600)
    );
    vm.expectEmit(address(MAGIC_SPEND));
    emit IMagicSpend.MagicSpendWithdrawal(account, p.token, 600, r.nonce);
    _spendWithWithdraw(p, 600, r);

    assertEq(token.balanceOf(spender), 600);
    assertEq(token.balanceOf(account), 0);
    assertEq(token.balanceOf(address(MAGIC_SPEND)), BALANCE - 600);
    assertTrue(MAGIC_SPEND.nonceUsed(account, r.nonce));
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 600);
  }

  /* ---------------------------------------- args ---------------------------------------- */

  /// @dev The native token is `address(0)` for MagicSpend.
  function test_args_nativeToken(uint160 value) public {
    ISpendPermissionManager.SpendPermission memory p = _emptyAccount(_approved(_nativePermission()));
    value = uint160(bound(value, 1, ALLOWANCE));
    _spendWithWithdraw(p, value, _request(p, value));
    assertEq(spender.balance, value);
    assertEq(account.balance, 0);
    assertEq(address(MAGIC_SPEND).balance, BALANCE - value);
  }

  /// @dev The account adds what the withdrawal leaves open.
  function test_args_amountUpToTheValue(uint160 value, uint256 amount) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    value = uint160(bound(value, 1, ALLOWANCE));
    amount = bound(amount, 0, value);
    _spendWithWithdraw(p, value, _request(p, amount));
    assertEq(token.balanceOf(spender), value);
    assertEq(token.balanceOf(account), BALANCE - (value - amount));
    assertEq(token.balanceOf(address(MAGIC_SPEND)), BALANCE - amount);
  }

  /// @dev The upper half of the nonce is free, so one permission can withdraw many times.
  function test_args_anyUpperHalfOfTheNonce(uint128 first, uint128 second) public {
    vm.assume(first != second);
    ISpendPermissionManager.SpendPermission memory p = _emptyAccount(_approved());
    IMagicSpend.WithdrawRequest memory r = _request(p, 300);
    r.nonce = uint256(first) << 128 | uint128(r.nonce);
    _spendWithWithdraw(p, 300, _signed(r));
    r.nonce = uint256(second) << 128 | uint128(r.nonce);
    _spendWithWithdraw(p, 300, _signed(r));
    assertEq(token.balanceOf(spender), 600);
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  /// @dev One meter for both ways to spend.
  function test_behavior_sharesTheMeterWithSpend() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _spend(p, 600);
    _expectError(p, 401, _request(p, 401), _exceeded(ALLOWANCE + 1));
    _spendWithWithdraw(p, 400, _request(p, 400));
    _expectSpendError(p, 1, _exceeded(ALLOWANCE + 1));
    assertEq(token.balanceOf(spender), ALLOWANCE);
  }

  /* ---------------------------------------- errors: in their order ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != spender);
    ISpendPermissionManager.SpendPermission memory p = _approved();
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, spender));
    vm.prank(sender);
    SPM.spendWithWithdraw(p, 600, r);
  }

  function test_error_assetMismatch(address asset) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.assume(asset != p.token);
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.asset = asset;
    _expectError(p, 600, _signed(r), _assetMismatch(p.token, asset));
  }

  function test_error_nativeAssetForErc20() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.asset = address(0);
    _expectError(p, 600, _signed(r), _assetMismatch(p.token, address(0)));
    r.asset = NATIVE;
    _expectError(p, 600, _signed(r), _assetMismatch(p.token, NATIVE));
  }

  function test_error_erc20AssetForNative() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_nativePermission());
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.asset = address(token);
    _expectError(p, 600, _signed(r), _assetMismatch(NATIVE, address(token)));
  }

  function test_error_amountAboveValue(uint160 value, uint256 amount) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    value = uint160(bound(value, 1, ALLOWANCE));
    amount = bound(amount, uint256(value) + 1, type(uint256).max);
    _expectError(p, value, _request(p, amount), _amountMismatch(value, amount));
  }

  function test_error_amountOneUnitAboveValue() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _expectError(p, 600, _request(p, 601), _amountMismatch(600, 601));
    _spendWithWithdraw(p, 600, _request(p, 600));
  }

  function test_error_nonceOfAnotherPermission(uint256 nonce) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    uint128 postfix = uint128(uint256(_hash(p)));
    vm.assume(uint128(nonce) != postfix);
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.nonce = nonce;
    _expectError(p, 600, _signed(r), _nonceMismatch(uint128(nonce), postfix));
  }

  /// @dev Each of the 128 bits counts.
  function test_error_nonceOneBitOff(uint256 bit) public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    uint128 postfix = uint128(uint256(_hash(p)));
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.nonce ^= 1 << bound(bit, 0, 127);
    _expectError(p, 600, _signed(r), _nonceMismatch(uint128(r.nonce), postfix));
  }

  function test_error_order() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    uint128 postfix = uint128(uint256(_hash(p)));
    IMagicSpend.WithdrawRequest memory r = IMagicSpend.WithdrawRequest("", address(1), 601, 0, 0);
    vm.warp(END);

    vm.expectRevert(
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, address(this), spender)
    );
    SPM.spendWithWithdraw(p, 0, r);
    _expectError(p, 0, r, _assetMismatch(p.token, address(1)));
    r.asset = p.token;
    _expectError(p, 0, r, _amountMismatch(0, 601));
    r.amount = 0;
    _expectError(p, 0, r, _nonceMismatch(0, postfix));
    r.nonce = postfix;
    _expectError(p, 0, r, abi.encodeWithSelector(ISpendPermissionManager.ZeroValue.selector));
    _expectError(
      p,
      ALLOWANCE + 1,
      r,
      abi.encodeWithSelector(ISpendPermissionManager.UnauthorizedSpendPermission.selector)
    );
    _approved(p);
    _expectError(
      p,
      ALLOWANCE + 1,
      r,
      abi.encodeWithSelector(ISpendPermissionManager.AfterSpendPermissionEnd.selector, END, END)
    );
    vm.warp(START - 1);
    _expectError(
      p,
      ALLOWANCE + 1,
      r,
      abi.encodeWithSelector(ISpendPermissionManager.BeforeSpendPermissionStart.selector, START - 1, START)
    );
    vm.warp(START);
    _expectError(p, ALLOWANCE + 1, r, _exceeded(ALLOWANCE + 1));
    // Only now does the account call MagicSpend.
    _expectError(p, ALLOWANCE, r, abi.encodeWithSelector(IMagicSpend.InvalidSignature.selector));
    _spendWithWithdraw(p, ALLOWANCE, _request(p, 0));
  }

  /// @dev A withdrawal that fails takes the accounting back with it.
  function test_error_withdrawalFails() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    r.expiry = START - 1;
    _expectError(p, 600, _signed(r), abi.encodeWithSelector(IMagicSpend.Expired.selector));
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }

  function test_error_sameRequestTwice() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    IMagicSpend.WithdrawRequest memory r = _request(p, 300);
    _spendWithWithdraw(p, 300, r);
    _expectError(p, 300, r, abi.encodeWithSelector(IMagicSpend.InvalidNonce.selector, r.nonce));
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 300);
  }

  /// @dev A transfer that fails gives the nonce back too.
  function test_error_transferFails() public {
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    p.spender = address(token); // has no receive function
    _approved(p);
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    _expectError(p, 600, r, abi.encodeWithSignature("ETHTransferFailed()"));
    assertFalse(MAGIC_SPEND.nonceUsed(account, r.nonce));
    assertEq(address(MAGIC_SPEND).balance, BALANCE);
  }

  function test_error_notAnOwner() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    IMagicSpend.WithdrawRequest memory r = _request(p, 600);
    vm.prank(account);
    wallet.removeOwnerAtIndex(1, abi.encode(address(SPM)));
    _expectError(p, 600, r, abi.encodeWithSignature("Unauthorized()"));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _request(ISpendPermissionManager.SpendPermission memory p, uint256 amount)
    private
    view
    returns (IMagicSpend.WithdrawRequest memory)
  {
    return _signed(
      IMagicSpend.WithdrawRequest({
        signature: "",
        asset: p.token == NATIVE ? address(0) : p.token,
        amount: amount,
        nonce: uint128(uint256(_hash(p))),
        expiry: START
      })
    );
  }

  /// @dev Leaves the account with nothing of its own.
  function _emptyAccount(ISpendPermissionManager.SpendPermission memory p)
    private
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    vm.deal(account, 0);
    vm.prank(account);
    token.transfer(address(1), BALANCE);
    return p;
  }

  function _spendWithWithdraw(
    ISpendPermissionManager.SpendPermission memory p,
    uint160 value,
    IMagicSpend.WithdrawRequest memory r
  ) private {
    vm.prank(p.spender);
    SPM.spendWithWithdraw(p, value, r);
  }

  function _expectError(
    ISpendPermissionManager.SpendPermission memory p,
    uint160 value,
    IMagicSpend.WithdrawRequest memory r,
    bytes memory reason
  ) private {
    vm.expectRevert(reason);
    _spendWithWithdraw(p, value, r);
  }

  function _assetMismatch(address spendToken, address asset) private pure returns (bytes memory) {
    return abi.encodeWithSelector(
      ISpendPermissionManager.SpendTokenWithdrawAssetMismatch.selector, spendToken, asset
    );
  }

  function _amountMismatch(uint256 value, uint256 amount) private pure returns (bytes memory) {
    return abi.encodeWithSelector(
      ISpendPermissionManager.SpendValueWithdrawAmountMismatch.selector, value, amount
    );
  }

  function _nonceMismatch(uint128 nonce, uint128 hash) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.InvalidWithdrawRequestNonce.selector, nonce, hash);
  }

  function _exceeded(uint256 value) private pure returns (bytes memory) {
    return abi.encodeWithSelector(ISpendPermissionManager.ExceededSpendPermission.selector, value, ALLOWANCE);
  }
}
