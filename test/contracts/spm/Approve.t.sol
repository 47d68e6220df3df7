// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IERC165 } from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";
import { Erc165Token } from "./mocks/Tokens.sol";

contract ApproveTest is SpmTest {
  bytes4 internal constant ERC721 = 0x80ac58cd;

  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    vm.recordLogs();
    _expectApproved(p);
    _approved(p);
    _assertEvents(1);
    assertTrue(SPM.isApproved(p));
    assertTrue(SPM.isValid(p));
    assertFalse(SPM.isRevoked(p));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyValidFields(ISpendPermissionManager.SpendPermission memory p) public {
    p = _valid(p);
    assertFalse(SPM.isApproved(p));
    _expectApproved(p);
    _approved(p);
    assertTrue(SPM.isApproved(p));
  }

  function test_args_smallest() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.allowance, p.period, p.start, p.end, p.salt, p.extraData) = (1, 1, 0, 1, 0, "");
    _expectApproved(p);
    _approved(p);
  }

  function test_args_largest() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.allowance, p.period, p.salt) = (type(uint160).max, type(uint48).max, type(uint256).max);
    (p.start, p.end) = (type(uint48).max - 1, type(uint48).max);
    _expectApproved(p);
    _approved(p);
  }

  function test_args_anyTime(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    vm.warp(time);
    _expectApproved(p);
    _approved(p);
  }

  function test_args_nativeToken() public {
    ISpendPermissionManager.SpendPermission memory p = _nativePermission();
    _expectApproved(p);
    _approved(p);
  }

  /// @dev The native token is not asked what it is, whatever might answer at its address.
  function test_args_nativeTokenIsNotAskedForErc721() public {
    vm.etch(NATIVE, _erc165Token(type(IERC165).interfaceId, ERC721).code);
    vm.mockCall(NATIVE, abi.encodeWithSelector(IERC165.supportsInterface.selector, ERC721), abi.encode(true));
    vm.mockCall(
      NATIVE,
      abi.encodeWithSelector(IERC165.supportsInterface.selector, type(IERC165).interfaceId),
      abi.encode(true)
    );
    _approved(_nativePermission());
  }

  function test_args_tokenWithoutCode() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = makeAddr("nothing there");
    _expectApproved(p);
    _approved(p);
  }

  function test_args_tokenWithErc165ThatIsNoErc721() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = _erc165Token(type(IERC165).interfaceId, 0x36372b07);
    _expectApproved(p);
    _approved(p);
  }

  /// @dev ERC-165 itself has to be answered rightly before its answer for ERC-721 counts.
  function test_args_tokenThatClaimsErc721WithoutErc165() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = _erc165Token(ERC721, ERC721);
    _expectApproved(p);
    _approved(p);
  }

  function test_args_tokenThatClaimsEveryInterface() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes4[] memory ids = new bytes4[](3);
    (ids[0], ids[1], ids[2]) = (type(IERC165).interfaceId, ERC721, 0xffffffff);
    p.token = address(new Erc165Token(ids));
    _expectApproved(p);
    _approved(p);
  }

  function test_args_eoaAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = makeAddr("eoa");
    _expectApproved(p);
    _approved(p);
    assertTrue(SPM.isValid(p));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_secondTimeEmitsNothing(ISpendPermissionManager.SpendPermission memory p) public {
    p = _approved(_valid(p));
    vm.recordLogs();
    _approved(p);
    _assertEvents(0);
  }

  function test_behavior_revokedReturnsFalseAndEmitsNothing(ISpendPermissionManager.SpendPermission memory p)
    public
  {
    p = _valid(p);
    _revoked(p);

    vm.recordLogs();
    vm.prank(account);
    assertFalse(SPM.approve(p));
    _assertEvents(0);
    assertFalse(SPM.isApproved(p));
    assertFalse(SPM.isValid(p));
  }

  function test_behavior_approvedThenRevokedReturnsFalse() public {
    ISpendPermissionManager.SpendPermission memory p = _approved();
    _revoked(p);

    vm.recordLogs();
    vm.prank(account);
    assertFalse(SPM.approve(p));
    _assertEvents(0);
    assertTrue(SPM.isApproved(p));
    assertFalse(SPM.isValid(p));
  }

  function test_behavior_newSaltIsAnotherPermission(uint256 salt) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    vm.assume(salt != p.salt);
    _revoked(p);
    p.salt = salt;
    _expectApproved(p);
    _approved(p);
    assertTrue(SPM.isValid(p));
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_invalidSender(address sender) public {
    vm.assume(sender != account);
    _expectError(
      sender,
      _permission(),
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, sender, account)
    );
  }

  function test_error_zeroToken() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = address(0);
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroToken.selector));
  }

  function test_error_erc721() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.token = _erc165Token(type(IERC165).interfaceId, ERC721);
    _expectError(
      account, p, abi.encodeWithSelector(ISpendPermissionManager.ERC721TokenNotSupported.selector, p.token)
    );
  }

  function test_error_zeroSpender() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.spender = address(0);
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroSpender.selector));
  }

  function test_error_zeroPeriod() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.period = 0;
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroPeriod.selector));
  }

  function test_error_zeroAllowance() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.allowance = 0;
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroAllowance.selector));
  }

  function test_error_startNotBeforeEnd(uint48 start, uint48 end) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.start, p.end) = start < end ? (end, start) : (start, end);
    _expectError(
      account, p, abi.encodeWithSelector(ISpendPermissionManager.InvalidStartEnd.selector, p.start, p.end)
    );
  }

  function test_error_startAtEnd(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    (p.start, p.end) = (time, time);
    _expectError(
      account, p, abi.encodeWithSelector(ISpendPermissionManager.InvalidStartEnd.selector, time, time)
    );
  }

  /// @dev Everything is wrong at first; mending one thing at a time shows which is looked at next.
  function test_error_order() public {
    ISpendPermissionManager.SpendPermission memory p;
    p.account = account;
    address nft = _erc165Token(type(IERC165).interfaceId, ERC721);

    _expectError(
      address(this),
      p,
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, address(this), account)
    );
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroToken.selector));
    p.token = nft;
    _expectError(
      account, p, abi.encodeWithSelector(ISpendPermissionManager.ERC721TokenNotSupported.selector, nft)
    );
    p.token = address(token);
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroSpender.selector));
    p.spender = spender;
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroPeriod.selector));
    p.period = 1;
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroAllowance.selector));
    p.allowance = 1;
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.InvalidStartEnd.selector, 0, 0));
    p.end = 1;
    _approved(p);
  }

  /// @dev The fields are checked before the revocation is looked up.
  function test_error_revokedWithInvalidFieldsStillReverts() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.allowance = 0;
    _revoked(p);
    _expectError(account, p, abi.encodeWithSelector(ISpendPermissionManager.ZeroAllowance.selector));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _expectError(address sender, ISpendPermissionManager.SpendPermission memory p, bytes memory reason)
    private
  {
    vm.expectRevert(reason);
    vm.prank(sender);
    SPM.approve(p);
  }

  function _erc165Token(bytes4 first, bytes4 second) private returns (address) {
    bytes4[] memory ids = new bytes4[](2);
    (ids[0], ids[1]) = (first, second);
    return address(new Erc165Token(ids));
  }
}
