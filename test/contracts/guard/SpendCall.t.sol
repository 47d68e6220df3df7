// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { SpendPermissionManager } from "../../../contracts/devnet/SpendPermissionManager.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "../../../contracts/PermissionHash.sol";
import { SpendCall, SpendCallLib } from "../../../contracts/SpendCall.sol";

/// @dev The hash and the call that the guard makes itself are SPM's.
contract SpendCallTest is Test {
  using SpendCallLib for SpendCall;

  ISpendPermissionManager private constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  function setUp() public {
    vm.etch(address(SPM), type(SpendPermissionManager).runtimeCode);
  }

  function hash(ISpendPermissionManager.SpendPermission calldata p) external view returns (bytes32) {
    return PermissionHash.hash(p);
  }

  function hashInPlace(ISpendPermissionManager.SpendPermission calldata p) external view returns (bytes32) {
    return SpendCallLib.prepare(p, p.extraData).hash(PermissionHash.domain());
  }

  /// @dev The hash is taken in between, and twice, as it leaves its marks where the call is.
  function spend(ISpendPermissionManager.SpendPermission calldata p, uint256 value) external {
    SpendCall spendCall = SpendCallLib.prepare(p, p.extraData);
    bytes memory other = new bytes(100);
    bytes32 domain = PermissionHash.domain();
    assertEq(spendCall.hash(domain), spendCall.hash(domain));
    assertEq(other, new bytes(100), "memory");
    spendCall.send(value);
  }

  function test_default(ISpendPermissionManager.SpendPermission memory p, uint64 chainId) public {
    vm.chainId(bound(chainId, 1, type(uint64).max));
    assertEq(this.hash(p), SPM.getHash(p));
    assertEq(this.hashInPlace(p), SPM.getHash(p));
  }

  /// @dev What SPM understands of the call. The compiler's own encoding pads extraData; here the call ends with it.
  function test_default_send(ISpendPermissionManager.SpendPermission memory p, uint160 value) public {
    _expectUnderstood(p, value);
  }

  function test_args_longExtraData(ISpendPermissionManager.SpendPermission memory p, uint16 length) public {
    p.extraData = new bytes(length);
    assertEq(this.hashInPlace(p), SPM.getHash(p));
    _expectUnderstood(p, 1);
  }

  function _expectUnderstood(ISpendPermissionManager.SpendPermission memory p, uint160 value) private {
    vm.etch(address(SPM), address(new Echo()).code);
    vm.expectRevert(abi.encodeCall(ISpendPermissionManager.spend, (p, value)));
    this.spend(p, value);
  }

  function test_error_spm(ISpendPermissionManager.SpendPermission memory p) public {
    vm.assume(p.spender != address(this));
    vm.expectRevert(
      abi.encodeWithSelector(ISpendPermissionManager.InvalidSender.selector, address(this), p.spender)
    );
    this.spend(p, 1);
  }

  /* ---------------------------------------- isRevoked ---------------------------------------- */

  function isRevoked(ISpendPermissionManager.SpendPermission calldata p) external view returns (bool) {
    return SpendCallLib.prepare(p, p.extraData).isRevoked();
  }

  function test_default_isRevoked(ISpendPermissionManager.SpendPermission memory p) public {
    p.spender = address(this);
    assertFalse(this.isRevoked(p));
    SPM.revokeAsSpender(p);
    assertTrue(this.isRevoked(p));
    p.salt ^= 1;
    assertFalse(this.isRevoked(p));
  }

  /// @dev No answer, whatever the reason, is taken for a yes.
  function test_error_isRevokedWithoutAnswer(ISpendPermissionManager.SpendPermission memory p) public {
    vm.etch(address(SPM), hex"fe");
    assertTrue(this.isRevoked(p));
    vm.etch(address(SPM), "");
    assertTrue(this.isRevoked(p));
    // What comes with a revert is no answer either, be it a word that says no.
    vm.mockCallRevert(address(SPM), abi.encodeWithSelector(SPM.isRevoked.selector), abi.encode(false));
    assertTrue(this.isRevoked(p));
  }

  /* ---------------------------------------- made by hand ---------------------------------------- */

  function test_default_allocate(ISpendPermissionManager.SpendPermission memory p) public view {
    SpendCall made = SpendCallLib.allocate(p.extraData.length);
    bytes memory other = new bytes(100);
    made.setParties(p.account, p.spender, p.token);
    made.setTerms(p.allowance, p.period, p.start, p.end, p.salt);
    bytes memory extraData = made.extraData();
    assertEq(extraData.length, p.extraData.length);
    for (uint256 i; i < extraData.length; ++i) {
      extraData[i] = p.extraData[i];
    }
    assertEq(made.hash(PermissionHash.domain()), SPM.getHash(p));
    assertEq(other, new bytes(100), "memory");
    assertEq(
      abi.encode(made.account(), made.spender(), made.token()), abi.encode(p.account, p.spender, p.token)
    );
    assertEq(abi.encode(made.start(), made.end()), abi.encode(p.start, p.end));
  }

  /* ---------------------------------------- errors ---------------------------------------- */

  /// @dev Bits where a field has none are not the field's: the hash is nobody's and SPM refuses the call.
  function test_error_dirtyFields(ISpendPermissionManager.SpendPermission memory p, uint8 field) public {
    field = field % 7;
    p.spender = address(this);
    bytes memory call_ = abi.encodeCall(this.spendUnchecked, (p, 1));
    // selector, two words of head, then the fields, whose first byte is never theirs.
    call_[4 + 0x40 + uint256(field) * 32] = 0x01;
    (bool success, bytes memory result) = address(this).call(call_);
    assertFalse(success);
    assertEq(result.length, 0, "refused by SPM's decoder");
  }

  /// @dev What is read of a field has none of these bits, whatever it is used for.
  function test_error_dirtyAddresses(ISpendPermissionManager.SpendPermission memory p, bytes12 dirt) public {
    bytes memory call_ = abi.encodeCall(this.addressesOf, (p));
    for (uint256 field; field < 3; ++field) {
      for (uint256 i; i < 12; ++i) {
        call_[4 + 0x20 + field * 32 + i] = dirt[i];
      }
    }
    (bool success, bytes memory result) = address(this).call(call_);
    assertTrue(success);
    assertEq(result, abi.encode(p.account, p.spender, p.token));
  }

  /// @dev As words, which the compiler does not clean.
  function addressesOf(ISpendPermissionManager.SpendPermission calldata p)
    external
    pure
    returns (uint256 account, uint256 spender, uint256 token)
  {
    SpendCall spendCall = SpendCallLib.prepare(p, p.extraData);
    (address account_, address spender_, address token_) =
      (spendCall.account(), spendCall.spender(), spendCall.token());
    assembly {
      account := account_
      spender := spender_
      token := token_
    }
  }

  function spendUnchecked(ISpendPermissionManager.SpendPermission calldata p, uint256 value) external {
    SpendCallLib.prepare(p, p.extraData).send(value);
  }
}

/// @dev Answers with what it was asked.
contract Echo {
  function spend(ISpendPermissionManager.SpendPermission calldata p, uint160 value) external pure {
    bytes memory result = abi.encodeCall(ISpendPermissionManager.spend, (p, value));
    assembly {
      revert(add(result, 32), mload(result))
    }
  }
}
