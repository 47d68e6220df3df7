// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { WebAuthn } from "solady/utils/WebAuthn.sol";

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { MultiOwnable } from "../../../contracts/devnet/MultiOwnable.sol";
import { Devnet } from "./Devnet.sol";

contract CoinbaseSmartWalletSignatureTest is Devnet {
  bytes4 internal constant YES = 0x1626ba7e;
  bytes4 internal constant NO = 0xffffffff;

  CoinbaseSmartWallet internal wallet;
  address internal alice;
  uint256 internal aliceKey;

  function setUp() public override {
    super.setUp();
    (alice, aliceKey) = makeAddrAndKey("alice");
    wallet = FACTORY_V1.createAccount(_owners(alice, PASSKEY), 0);
  }

  /* THE HASH */

  /// Computed here from the published domain and type, step by step.
  function test_default_replaySafeHash(bytes32 hash, uint64 chainId) public {
    vm.assume(chainId != 0);
    vm.chainId(chainId);
    bytes32 separator = keccak256(
      abi.encode(
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
        keccak256("Coinbase Smart Wallet"),
        keccak256("1"),
        uint256(chainId),
        address(wallet)
      )
    );
    bytes32 message = keccak256(bytes.concat(keccak256("CoinbaseSmartWalletMessage(bytes32 hash)"), hash));
    assertEq(wallet.domainSeparator(), separator);
    assertEq(wallet.replaySafeHash(hash), keccak256(bytes.concat(hex"1901", separator, message)));
  }

  function test_default_eip712Domain() public view {
    (
      bytes1 fields,
      string memory name,
      string memory version,
      uint256 chainId,
      address verifier,
      bytes32 salt,
      uint256[] memory extensions
    ) = wallet.eip712Domain();
    assertEq(fields, bytes1(0x0f));
    assertEq(name, "Coinbase Smart Wallet");
    assertEq(version, "1");
    assertEq(chainId, 8453);
    assertEq(verifier, address(wallet));
    assertEq(salt, 0);
    assertEq(extensions.length, 0);
  }

  /* ADDRESS OWNERS */

  function test_default_addressOwner(bytes32 hash) public view {
    bytes memory signature = _wrap(0, _ecdsa(aliceKey, wallet.replaySafeHash(hash)));
    assertEq(wallet.isValidSignature(hash, signature), YES);
    assertEq(wallet.isValidSignature(~hash, signature), NO);
  }

  /// viem encodes the owner's index as a uint8, which is the same bytes.
  function test_args_indexAsUint8() public view {
    bytes32 hash = keccak256("hash");
    bytes memory data = _ecdsa(aliceKey, wallet.replaySafeHash(hash));
    bytes memory signature = bytes.concat(abi.encode(0x20), abi.encode(uint8(0), data));
    assertEq(wallet.isValidSignature(hash, signature), YES);
  }

  function test_behavior_ofTheHashItselfIsNotEnough() public view {
    bytes32 hash = keccak256("hash");
    assertEq(wallet.isValidSignature(hash, _wrap(0, _ecdsa(aliceKey, hash))), NO);
  }

  /// One key, two wallets: a signature for the one is none for the other, nor on another chain.
  function test_behavior_notReplayable() public {
    bytes32 hash = keccak256("hash");
    CoinbaseSmartWallet other = FACTORY_V1.createAccount(_owners(alice, PASSKEY), 1);
    bytes memory signature = _wrap(0, _ecdsa(aliceKey, wallet.replaySafeHash(hash)));
    assertEq(wallet.isValidSignature(hash, signature), YES);
    assertEq(other.isValidSignature(hash, signature), NO);
    vm.chainId(84_532);
    assertEq(wallet.isValidSignature(hash, signature), NO);
  }

  function test_behavior_strangersKey(uint256 key) public view {
    key = boundPrivateKey(key);
    vm.assume(key != aliceKey);
    bytes32 hash = keccak256("hash");
    assertEq(wallet.isValidSignature(hash, _wrap(0, _ecdsa(key, wallet.replaySafeHash(hash)))), NO);
  }

  /// An owner may be a contract, here another wallet: it is asked by ERC-1271, and signs its own hash.
  function test_behavior_contractOwner() public {
    CoinbaseSmartWallet outer = FACTORY_V1_1.createAccount(_owners(address(wallet)), 0);
    bytes32 hash = keccak256("hash");
    bytes32 inner = wallet.replaySafeHash(outer.replaySafeHash(hash));
    assertEq(outer.isValidSignature(hash, _wrap(0, _wrap(0, _ecdsa(aliceKey, inner)))), YES);
    assertEq(outer.isValidSignature(hash, _wrap(0, _wrap(0, _ecdsa(aliceKey, hash)))), NO);
  }

  /* PASSKEYS */

  function test_default_passkey(uint256 passkey, bytes32 hash) public {
    uint256 n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    passkey = bound(passkey, 1, n - 1);
    vm.assume(passkey != PASSKEY);
    (uint256 x, uint256 y) = vm.publicKeyP256(passkey);
    vm.prank(alice);
    wallet.addOwnerPublicKey(bytes32(x), bytes32(y));

    bytes memory data = _webauthn(passkey, wallet.replaySafeHash(hash));
    assertEq(wallet.isValidSignature(hash, _wrap(2, data)), YES);
    assertEq(wallet.isValidSignature(hash, _wrap(1, data)), NO, "another passkey's index");
    assertEq(wallet.isValidSignature(~hash, _wrap(2, data)), NO, "another hash");
  }

  function test_behavior_passkeyOfTheHashItselfIsNotEnough() public view {
    bytes32 hash = keccak256("hash");
    assertEq(wallet.isValidSignature(hash, _wrap(1, _webauthn(PASSKEY, hash))), NO);
  }

  function test_behavior_passkeyWithTheHighS() public view {
    bytes32 hash = keccak256("hash");
    WebAuthn.WebAuthnAuth memory auth =
      abi.decode(_webauthn(PASSKEY, wallet.replaySafeHash(hash)), (WebAuthn.WebAuthnAuth));
    uint256 n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    auth.s = bytes32(n - uint256(auth.s));
    assertEq(wallet.isValidSignature(hash, _wrap(1, abi.encode(auth))), NO);
  }

  /// Somebody has to have touched the authenticator.
  function test_behavior_passkeyWithoutUserPresence() public view {
    bytes32 hash = keccak256("hash");
    WebAuthn.WebAuthnAuth memory auth =
      abi.decode(_webauthn(PASSKEY, wallet.replaySafeHash(hash)), (WebAuthn.WebAuthnAuth));
    auth.authenticatorData[32] = 0x04;
    bytes32 digest = sha256(abi.encodePacked(auth.authenticatorData, sha256(bytes(auth.clientDataJSON))));
    (auth.r, auth.s) = vm.signP256(PASSKEY, digest);
    assertEq(wallet.isValidSignature(hash, _wrap(1, abi.encode(auth))), NO);
  }

  /* REFUSED */

  function test_error_InvalidOwnerBytesLength_noOwnerAtIndex() public {
    bytes memory signature = _wrap(2, _ecdsa(aliceKey, wallet.replaySafeHash("hash")));
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.InvalidOwnerBytesLength.selector, ""));
    wallet.isValidSignature("hash", signature);
  }

  function test_error_InvalidOwnerBytesLength_removedOwner() public {
    bytes memory signature = _wrap(0, _ecdsa(aliceKey, wallet.replaySafeHash("hash")));
    assertEq(wallet.isValidSignature("hash", signature), YES);
    vm.prank(alice);
    wallet.removeOwnerAtIndex(0, abi.encode(alice));
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.InvalidOwnerBytesLength.selector, ""));
    wallet.isValidSignature("hash", signature);
  }

  function test_error_undecodableSignature() public {
    bytes memory plain = _ecdsa(aliceKey, wallet.replaySafeHash("hash"));
    vm.expectRevert(bytes(""));
    wallet.isValidSignature("hash", plain);
  }
}
