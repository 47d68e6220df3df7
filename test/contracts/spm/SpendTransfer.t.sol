// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";
import { IdleAccount, ReentrantAccount, SpenderContract, WrongAmountAccount } from "./mocks/Accounts.sol";
import { FalseToken, HookToken, SilentToken } from "./mocks/Tokens.sol";

/// @dev How `spend` moves the money, by honest and by hostile accounts and tokens. Accounting: Spend.t.sol.
contract SpendTransferTest is SpmTest {
  /// @dev Solady's.
  bytes4 internal constant ETH_TRANSFER_FAILED = bytes4(keccak256("ETHTransferFailed()"));

  /* ---------------------------------------- ERC-20 ---------------------------------------- */

  /// @dev The account approves exactly the value, SPM moves it to the spender, nothing stays approved.
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.expectCall(account, abi.encodeCall(CoinbaseSmartWallet.execute, (p.token, 0, _approveData(600))), 1);
    vm.expectCall(p.token, _approveData(600), 1);
    vm.expectCall(p.token, abi.encodeCall(IERC20.transferFrom, (account, spender, 600)), 1);
    _spend(p, 600);
    assertEq(token.allowance(account, address(SPM)), 0);
    assertEq(token.balanceOf(address(SPM)), 0);
  }

  /// @dev An allowance that SPM had before is overwritten.
  function test_behavior_overwritesAnEarlierAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(account);
    token.approve(address(SPM), 5000);
    _spend(p, 600);
    assertEq(token.allowance(account, address(SPM)), 0);
  }

  function test_args_tokenWithoutReturnValue() public {
    SilentToken silent = new SilentToken();
    silent.mint(account, 600);
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = address(silent);
    _approved(p);
    _spend(p, 600);
    assertEq(silent.balanceOf(spender), 600);
  }

  function test_behavior_worksOnceSpmIsAnOwner() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    CoinbaseSmartWallet fresh = FACTORY.createAccount(_owners(), 1);
    p.account = address(fresh);
    token.mint(p.account, 600);
    _approved(p);

    // Valid, and yet: SPM is not an owner yet.
    assertTrue(SPM.isValid(p));
    _expectSpendError(p, 600, abi.encodeWithSignature("Unauthorized()"));

    vm.prank(owner);
    fresh.addOwnerAddress(address(SPM));
    _spend(p, 600);
    assertEq(token.balanceOf(spender), 600);
  }

  function test_behavior_spenderIsTheAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.spender = account;
    _approved(p);
    _spend(p, 600);
    assertEq(token.balanceOf(account), BALANCE);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 600);
  }

  /// @dev A failed transfer takes the accounting back with it.
  function test_error_balanceOneUnitShort() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    uint256 rest = ALLOWANCE - 1;
    vm.prank(account);
    token.transfer(address(1), BALANCE - rest);

    _expectSpendError(
      p,
      ALLOWANCE,
      abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, account, rest, ALLOWANCE)
    );
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
    _spend(p, ALLOWANCE - 1);
    assertEq(token.balanceOf(spender), ALLOWANCE - 1);
  }

  function test_error_tokenReturnsFalse() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = address(new FalseToken());
    _approved(p);
    _expectFailedOperation(p);
  }

  function test_error_tokenWithoutCode() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = makeAddr("nothing there");
    _approved(p);
    _expectFailedOperation(p);
  }

  /// @dev SPM was an owner, and is not any more.
  function test_error_notAnOwner() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    vm.prank(account);
    wallet.removeOwnerAtIndex(1, abi.encode(address(SPM)));
    assertTrue(SPM.isValid(p));
    _expectSpendError(p, 1, abi.encodeWithSignature("Unauthorized()"));
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }

  /// @dev An EOA can approve; there is nothing to call `execute` on.
  function test_error_eoaAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = makeAddr("eoa");
    token.mint(p.account, 600);
    _approved(p);
    _expectSpendError(p, 1, "");
  }

  function test_error_accountThatDoesNotApprove() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = address(new IdleAccount());
    token.mint(p.account, 600);
    _approved(p);
    _expectSpendError(
      p, 600, abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(SPM), 0, 600)
    );
  }

  /* ---------------------------------------- native token ---------------------------------------- */

  function test_args_nativeToken(uint160 value) public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_nativePermission());
    value = uint160(bound(value, 1, ALLOWANCE));
    vm.expectCall(account, abi.encodeCall(CoinbaseSmartWallet.execute, (address(SPM), value, "")), 1);
    _expectUsed(p, START, START + PERIOD, value);
    _spend(p, value);
    assertEq(spender.balance, value);
    assertEq(account.balance, BALANCE - value);
    assertEq(address(SPM).balance, 0);
  }

  function test_args_nativeTokenToContract() public {
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    SpenderContract contractSpender = new SpenderContract(SPM);
    p.spender = address(contractSpender);
    _approved(p);
    contractSpender.spend(p, ALLOWANCE);
    assertEq(p.spender.balance, ALLOWANCE);
  }

  /// @dev What one spend waited for does not stay behind for the next transfer.
  function test_behavior_expectsNothingAfterwards() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_nativePermission());
    _spend(p, 7);
    vm.deal(address(this), 7);
    (bool ok, bytes memory answer) = address(SPM).call{ value: 7 }("");
    assertFalse(ok);
    assertEq(answer, abi.encodeWithSelector(ISpendPermissionManager.UnexpectedReceiveAmount.selector, 7, 0));
  }

  function test_error_nativeBalanceOneUnitShort() public {
    ISpendPermissionManager.SpendPermission memory p = _approved(_nativePermission());
    vm.deal(account, ALLOWANCE - 1);
    _expectSpendError(p, ALLOWANCE, "");
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
    _spend(p, ALLOWANCE - 1);
    assertEq(spender.balance, ALLOWANCE - 1);
  }

  function test_error_accountSendsAnotherAmount(uint256 amount) public {
    amount = bound(amount, 0, 2 * uint256(ALLOWANCE));
    vm.assume(amount != 600);
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    p.account = address(new WrongAmountAccount{ value: 0 }(amount));
    vm.deal(p.account, amount);
    _approved(p);
    _expectSpendError(
      p, 600, abi.encodeWithSelector(ISpendPermissionManager.UnexpectedReceiveAmount.selector, amount, 600)
    );
  }

  function test_error_accountSendsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    p.account = address(new IdleAccount());
    vm.deal(p.account, 600);
    _approved(p);
    _expectSpendError(p, 600, abi.encodeWithSelector(ETH_TRANSFER_FAILED));
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }

  function test_error_spenderRefusesNativeToken() public {
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    p.spender = address(token); // has no receive function
    _approved(p);
    _expectSpendError(p, 600, abi.encodeWithSelector(ETH_TRANSFER_FAILED));
    assertEq(account.balance, BALANCE);
  }

  /* ---------------------------------------- reentrancy ---------------------------------------- */

  /// @dev From within the token: the outer spend has been counted already.
  function test_error_reenteredByTokenWithinTheAllowance() public {
    (ISpendPermissionManager.SpendPermission memory p, SpenderContract contractSpender, HookToken hooked) =
      _hooked();
    bytes memory data = abi.encodeCall(SpenderContract.spend, (p, 400));
    // Before the inner spend the account has approved 600 for the outer one; the inner one approves and uses 400.
    hooked.setHook(address(contractSpender), data, true);
    vm.expectRevert(
      abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(SPM), 0, 600)
    );
    contractSpender.spend(p, 600);
    assertEq(hooked.balanceOf(p.spender), 0);
  }

  function test_behavior_reenteredByTokenAboveTheAllowance() public {
    (ISpendPermissionManager.SpendPermission memory p, SpenderContract contractSpender, HookToken hooked) =
      _hooked();
    bytes memory data = abi.encodeCall(SpenderContract.spend, (p, 401));
    hooked.setHook(address(contractSpender), data, false);
    contractSpender.spend(p, 600); // the inner spend fails, and the outer one goes on
    assertEq(hooked.balanceOf(p.spender), 600);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, 600);
  }

  /// @dev From within the account: both count, and no more than the allowance moves.
  function test_behavior_reenteredByAccount(uint160 inner) public {
    SpenderContract contractSpender = new SpenderContract(SPM);
    ReentrantAccount reentrant = new ReentrantAccount();
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.account, p.spender) = (address(reentrant), address(contractSpender));
    token.mint(p.account, 10 * uint256(ALLOWANCE));
    _approved(p);

    inner = uint160(bound(inner, 1, 2 * ALLOWANCE));
    reentrant.setCallback(address(contractSpender), abi.encodeCall(SpenderContract.spend, (p, inner)));
    contractSpender.spend(p, 600);

    bool fits = 600 + inner <= ALLOWANCE;
    assertEq(reentrant.reentered(), fits);
    if (!fits) {
      assertEq(
        reentrant.answer(),
        abi.encodeWithSelector(
          ISpendPermissionManager.ExceededSpendPermission.selector, 600 + uint256(inner), ALLOWANCE
        )
      );
    }
    assertEq(token.balanceOf(p.spender), fits ? 600 + uint256(inner) : 600);
    _assertEq(SPM.getLastUpdatedPeriod(p), START, START + PERIOD, fits ? 600 + inner : 600);
  }

  /// @dev The inner native spend ends the outer one's waiting, so the outer one fails and takes both back.
  function test_error_nativeReenteredByAccount() public {
    SpenderContract contractSpender = new SpenderContract(SPM);
    ReentrantAccount reentrant = new ReentrantAccount();
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    (p.account, p.spender) = (address(reentrant), address(contractSpender));
    vm.deal(p.account, 10 * uint256(ALLOWANCE));
    _approved(p);

    reentrant.setCallback(address(contractSpender), abi.encodeCall(SpenderContract.spend, (p, 400)));
    vm.expectRevert("execute failed");
    contractSpender.spend(p, 600);
    assertEq(p.spender.balance, 0);
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _hooked()
    private
    returns (
      ISpendPermissionManager.SpendPermission memory p,
      SpenderContract contractSpender,
      HookToken hooked
    )
  {
    hooked = new HookToken();
    hooked.mint(account, BALANCE);
    contractSpender = new SpenderContract(SPM);
    p = _permission();
    (p.token, p.spender) = (address(hooked), address(contractSpender));
    _approved(p);
  }

  function _approveData(uint256 value) private pure returns (bytes memory) {
    return abi.encodeCall(IERC20.approve, (address(SPM), value));
  }

  function _expectFailedOperation(ISpendPermissionManager.SpendPermission memory p) private {
    _expectSpendError(p, 1, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, p.token));
    _assertEq(SPM.getLastUpdatedPeriod(p), 0, 0, 0);
  }
}
