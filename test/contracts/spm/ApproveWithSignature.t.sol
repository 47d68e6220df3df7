// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";
import { PreparableAccount } from "./mocks/Accounts.sol";

contract ApproveWithSignatureTest is SpmTest {
  function test_default() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _expectApproved(p);
    assertTrue(SPM.approveWithSignature(p, _sign(_hash(p))));
    assertTrue(SPM.isValid(p));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyValidFields(ISpendPermissionManager.SpendPermission memory p) public {
    p = _valid(p);
    bytes memory signature = _sign(_hash(p));
    _expectApproved(p);
    assertTrue(SPM.approveWithSignature(p, signature));
    assertTrue(SPM.isValid(p));
  }

  function test_args_anySubmitter(address submitter) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes memory signature = _sign(_hash(p));
    _expectApproved(p);
    vm.prank(submitter);
    assertTrue(SPM.approveWithSignature(p, signature));
  }

  function test_args_eoaAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = owner;
    bytes memory signature = _ecdsa(ownerKey, _hash(p));
    _expectApproved(p);
    assertTrue(SPM.approveWithSignature(p, signature));
  }

  /// @dev ERC-6492: the approval deploys the wallet.
  function test_args_counterfactualAccount(uint256 nonce) public {
    vm.assume(nonce != 0);
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = FACTORY.getAddress(_owners(), nonce);
    bytes memory signature = _counterfactualSignature(p, nonce);
    assertEq(p.account.code.length, 0);

    _expectApproved(p);
    assertTrue(SPM.approveWithSignature(p, signature));
    assertTrue(SPM.isValid(p));
    assertGt(p.account.code.length, 0);
  }

  function test_args_counterfactualAccountDeployedMeanwhile() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = FACTORY.getAddress(_owners(), 1);
    bytes memory signature = _counterfactualSignature(p, 1);
    FACTORY.createAccount(_owners(), 1);

    _expectApproved(p);
    assertTrue(SPM.approveWithSignature(p, signature));
  }

  /// @dev ERC-6492 also serves accounts that are there and need a call before they accept the signature.
  function test_args_accountToPrepare() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    PreparableAccount preparable = new PreparableAccount("yes");
    p.account = address(preparable);

    vm.expectRevert(ISpendPermissionManager.InvalidSignature.selector);
    SPM.approveWithSignature(p, "yes");

    _expectApproved(p);
    assertTrue(
      SPM.approveWithSignature(
        p, _wrap6492(address(preparable), abi.encodeCall(PreparableAccount.prepare, ()), "yes")
      )
    );
    assertTrue(preparable.prepared());
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_sameSignatureAgainEmitsNothing() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes memory signature = _sign(_hash(p));
    assertTrue(SPM.approveWithSignature(p, signature));

    vm.recordLogs();
    assertTrue(SPM.approveWithSignature(p, signature));
    _assertEvents(0);
  }

  /// @dev The signature outlives the revoke, and gives nothing any more.
  function test_behavior_revokedReturnsFalseAndEmitsNothing(bool approvedBefore) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes memory signature = _sign(_hash(p));
    if (approvedBefore) SPM.approveWithSignature(p, signature);
    _revoked(p);

    vm.recordLogs();
    assertFalse(SPM.approveWithSignature(p, signature));
    _assertEvents(0);
    assertFalse(SPM.isValid(p));
  }

  function test_behavior_pastAndFuturePermissions(uint48 time) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    vm.warp(time);
    assertTrue(SPM.approveWithSignature(p, _sign(_hash(p))));
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  function test_error_signatureOfAnother(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != ownerKey);
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _expectInvalid(p, _signAs(account, key, _hash(p)));
  }

  function test_error_signatureForAnotherWallet() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    address other = address(FACTORY.createAccount(_owners(), 1));
    _expectInvalid(p, _signAs(other, ownerKey, _hash(p)));
  }

  function test_error_signatureForAnotherChain() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes memory signature = _sign(_hash(p));
    vm.chainId(84_532);
    _expectInvalid(p, signature);
  }

  function test_error_anyFieldChanged(uint256 field) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    bytes memory signature = _sign(_hash(p));
    field = bound(field, 0, 8);
    if (field == 0) p.account = address(FACTORY.createAccount(_owners(), 1));
    if (field == 1) p.spender = makeAddr("another spender");
    if (field == 2) p.token = NATIVE;
    if (field == 3) p.allowance += 1;
    if (field == 4) p.period += 1;
    if (field == 5) p.start += 1;
    if (field == 6) p.end += 1;
    if (field == 7) p.salt += 1;
    if (field == 8) p.extraData = "";
    _expectInvalid(p, signature);
  }

  /// @dev The owner's plain ECDSA signature, without the wallet's replay-safe hash, is worth nothing.
  function test_error_ownerSignatureWithoutReplaySafeHash() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    _expectInvalid(p, _ecdsa(ownerKey, _hash(p)));
  }

  function test_error_anyBytes(bytes calldata signature) public {
    _expectInvalid(_permission(), signature);
  }

  /// @dev An EOA with an EIP-7702 delegation is asked by ERC-1271 only.
  function test_error_delegatedEoaAccount() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = owner;
    bytes memory signature = _ecdsa(ownerKey, _hash(p));
    vm.etch(owner, abi.encodePacked(hex"ef0100", address(token)));
    _expectInvalid(p, signature);
  }

  function test_error_counterfactualAccountWithoutErc6492() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = FACTORY.getAddress(_owners(), 1);
    _expectInvalid(p, _signAs(p.account, ownerKey, _hash(p)));
  }

  /// @dev The factory call deploys another wallet than the permission's.
  function test_error_counterfactualAccountNotDeployed() public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = FACTORY.getAddress(_owners(), 1);
    _expectInvalid(
      p,
      _wrap6492(
        address(FACTORY),
        abi.encodeCall(FACTORY.createAccount, (_owners(), 2)),
        _signAs(p.account, ownerKey, _hash(p))
      )
    );
  }

  function test_error_zeroAccount(bytes calldata signature) public {
    ISpendPermissionManager.SpendPermission memory p = _permission();
    p.account = address(0);
    _expectInvalid(p, signature);
  }

  /// @dev The signature is looked at before the fields, and then the fields in `approve`'s order.
  function test_error_order() public {
    ISpendPermissionManager.SpendPermission memory p;
    p.account = account;
    _expectInvalid(p, "");
    _expectSigned(p, abi.encodeWithSelector(ISpendPermissionManager.ZeroToken.selector));
    p.token = address(token);
    _expectSigned(p, abi.encodeWithSelector(ISpendPermissionManager.ZeroSpender.selector));
    p.spender = spender;
    _expectSigned(p, abi.encodeWithSelector(ISpendPermissionManager.ZeroPeriod.selector));
    p.period = 1;
    _expectSigned(p, abi.encodeWithSelector(ISpendPermissionManager.ZeroAllowance.selector));
    p.allowance = 1;
    _expectSigned(p, abi.encodeWithSelector(ISpendPermissionManager.InvalidStartEnd.selector, 0, 0));
    p.end = 1;
    assertTrue(SPM.approveWithSignature(p, _sign(_hash(p))));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _counterfactualSignature(ISpendPermissionManager.SpendPermission memory p, uint256 nonce)
    private
    view
    returns (bytes memory)
  {
    return _wrap6492(
      address(FACTORY),
      abi.encodeCall(FACTORY.createAccount, (_owners(), nonce)),
      _signAs(p.account, ownerKey, _hash(p))
    );
  }

  function _expectInvalid(ISpendPermissionManager.SpendPermission memory p, bytes memory signature) private {
    vm.expectRevert(abi.encodeWithSelector(ISpendPermissionManager.InvalidSignature.selector));
    SPM.approveWithSignature(p, signature);
    assertFalse(SPM.isApproved(p));
  }

  function _expectSigned(ISpendPermissionManager.SpendPermission memory p, bytes memory reason) private {
    bytes memory signature = _sign(_hash(p));
    vm.expectRevert(reason);
    SPM.approveWithSignature(p, signature);
  }
}
