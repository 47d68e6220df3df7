// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SpmTest } from "./SpmTest.sol";
import { PreparableAccount } from "./mocks/Accounts.sol";

contract PublicERC6492ValidatorTest is SpmTest {
  bytes32 internal constant HASH = keccak256("message");
  bytes32 internal constant SUFFIX = 0x6492649264926492649264926492649264926492649264926492649264926492;

  function test_default() public {
    assertTrue(_isValid(account, _sign(HASH)));
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_eoa(uint256 key, bytes32 hash) public {
    key = boundPrivateKey(key);
    assertTrue(VALIDATOR.isValidSignatureNowAllowSideEffects(vm.addr(key), hash, _ecdsa(key, hash)));
  }

  /// @dev EIP-2098, 64 bytes.
  function test_args_eoaCompact(uint256 key, bytes32 hash) public {
    key = boundPrivateKey(key);
    (bytes32 r, bytes32 vs) = vm.signCompact(key, hash);
    assertTrue(VALIDATOR.isValidSignatureNowAllowSideEffects(vm.addr(key), hash, abi.encodePacked(r, vs)));
  }

  function test_args_wallet(bytes32 hash) public {
    assertTrue(VALIDATOR.isValidSignatureNowAllowSideEffects(account, hash, _sign(hash)));
  }

  function test_args_counterfactualWallet(uint256 nonce) public {
    address fresh = FACTORY.getAddress(_owners(), bound(nonce, 1, type(uint256).max));
    bytes memory signature = _counterfactual(fresh, bound(nonce, 1, type(uint256).max));
    assertTrue(_isValid(fresh, signature));
    assertGt(fresh.code.length, 0);
    // Still valid now that it is there, wrapped and plain.
    assertTrue(_isValid(fresh, signature));
    assertTrue(_isValid(fresh, _signAs(fresh, ownerKey, HASH)));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  /// @dev Where the account accepts the signature as it is, nothing is called.
  function test_behavior_preparesOnlyIfNeeded() public {
    PreparableAccount other = new PreparableAccount("yes");
    bytes memory data = abi.encodeCall(PreparableAccount.prepare, ());
    assertTrue(_isValid(account, _wrap6492(address(other), data, _sign(HASH))));
    assertFalse(other.prepared());

    assertTrue(_isValid(address(other), _wrap6492(address(other), data, "yes")));
    assertTrue(other.prepared());
  }

  /// @dev The call may fail; what counts is what the account says then.
  function test_behavior_failedPreparation() public {
    PreparableAccount other = new PreparableAccount("yes");
    assertFalse(_isValid(address(other), _wrap6492(address(token), hex"deadbeef", "yes")));
    other.prepare();
    assertTrue(_isValid(address(other), _wrap6492(address(token), hex"deadbeef", "yes")));
  }

  function test_behavior_invalidAfterPreparation() public {
    PreparableAccount other = new PreparableAccount("yes");
    bytes memory data = abi.encodeCall(PreparableAccount.prepare, ());
    assertFalse(_isValid(address(other), _wrap6492(address(other), data, "no")));
  }

  function test_behavior_signatureOfAnother(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != ownerKey);
    assertFalse(_isValid(account, _signAs(account, key, HASH)));
    assertFalse(_isValid(owner, _ecdsa(key, HASH)));
  }

  function test_behavior_otherHash(bytes32 hash) public {
    vm.assume(hash != HASH);
    assertFalse(VALIDATOR.isValidSignatureNowAllowSideEffects(account, hash, _sign(HASH)));
    assertFalse(VALIDATOR.isValidSignatureNowAllowSideEffects(owner, hash, _ecdsa(ownerKey, HASH)));
  }

  /// @dev An EOA with code, such as an EIP-7702 delegation, is asked as a contract only.
  function test_behavior_eoaWithCode() public {
    assertTrue(_isValid(owner, _ecdsa(ownerKey, HASH)));
    vm.etch(owner, abi.encodePacked(hex"ef0100", address(token)));
    assertFalse(_isValid(owner, _ecdsa(ownerKey, HASH)));
  }

  function test_behavior_anyBytesAreNotASignature(bytes memory signature) public {
    assertFalse(_isValid(account, signature));
    assertFalse(_isValid(owner, signature));
    assertFalse(_isValid(address(0), signature));
  }

  /// @dev A malformed wrapper is a signature that is not valid, and no revert.
  function test_behavior_malformedWrapper(bytes memory wrapper) public {
    assertFalse(_isValid(account, bytes.concat(wrapper, SUFFIX)));
  }

  function test_behavior_malformedOffsetsAndLengths(uint256 offset, uint256 length) public {
    bytes memory inner = _sign(HASH);
    // Well formed, so that what fails below does so for its offset or length alone.
    assertTrue(_isValid(account, bytes.concat(abi.encode(0, 96, 128, 0, inner.length), inner, SUFFIX)));
    uint256 size = 5 * 32 + inner.length;
    offset = bound(offset, size - 31, type(uint256).max);
    assertFalse(_isValid(account, bytes.concat(abi.encode(0, 96, offset, 0, inner.length), inner, SUFFIX)));
    assertFalse(_isValid(account, bytes.concat(abi.encode(0, offset, 128, 0, inner.length), inner, SUFFIX)));
    length = bound(length, inner.length + 1, type(uint256).max);
    assertFalse(_isValid(account, bytes.concat(abi.encode(0, 96, 128, 0, length), inner, SUFFIX)));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _isValid(address signer, bytes memory signature) private returns (bool) {
    return VALIDATOR.isValidSignatureNowAllowSideEffects(signer, HASH, signature);
  }

  function _counterfactual(address fresh, uint256 nonce) private view returns (bytes memory) {
    return _wrap6492(
      address(FACTORY),
      abi.encodeCall(FACTORY.createAccount, (_owners(), nonce)),
      _signAs(fresh, ownerKey, HASH)
    );
  }
}
