// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { Vm } from "forge-std/Vm.sol";

import {
  CoinbaseSmartWallet,
  CoinbaseSmartWalletV1_1,
  UserOperation
} from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { CoinbaseSmartWalletFactory } from "../../../contracts/devnet/CoinbaseSmartWalletFactory.sol";
import { MultiOwnable } from "../../../contracts/devnet/MultiOwnable.sol";
import { Devnet, IEntryPoint } from "./Devnet.sol";

/// ERC-4337 through the real EntryPoint, version 0.6.
contract CoinbaseSmartWalletUserOpTest is Devnet {
  CoinbaseSmartWallet internal wallet;
  address internal alice;
  uint256 internal aliceKey;
  address payable internal immutable bundler = payable(makeAddr("bundler"));

  function setUp() public override {
    super.setUp();
    (alice, aliceKey) = makeAddrAndKey("alice");
    wallet = FACTORY_V1_1.createAccount{ value: 1 ether }(_owners(alice, PASSKEY), 0);
  }

  /// Its own helper is where it is on every chain.
  function test_default_entryPointIsTheRealOne() public view {
    assertEq(wallet.entryPoint(), address(ENTRY_POINT));
    assertGt(0x7fc98430eAEdbb6070B35B39D798725049088348.code.length, 0);
  }

  function test_default_addressOwner() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(1 gwei));
    op.signature = _wrap(0, _ecdsa(aliceKey, ENTRY_POINT.getUserOpHash(op)));
    _handle(op);
    assertEq(stranger.balance, 1 gwei);
    assertEq(ENTRY_POINT.getNonce(address(wallet), 0), 1);
  }

  function test_default_passkey() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(1 gwei));
    op.signature = _wrap(1, _webauthn(PASSKEY, ENTRY_POINT.getUserOpHash(op)));
    _handle(op);
    assertEq(stranger.balance, 1 gwei);
  }

  /// The first operation makes the wallet, in either version, also with a passkey for its only owner.
  function test_default_counterfactual() public {
    CoinbaseSmartWalletFactory[2] memory factories = [FACTORY_V1, FACTORY_V1_1];
    bytes[] memory owners = new bytes[](1);
    owners[0] = _publicKey(PASSKEY);
    for (uint256 i; i < 2; ++i) {
      address sender = factories[i].getAddress(owners, 5);
      vm.deal(sender, 1 ether);
      UserOperation memory op = _operation(sender, 0, _pay(1 gwei));
      op.initCode = abi.encodePacked(
        factories[i], abi.encodeCall(CoinbaseSmartWalletFactory.createAccount, (owners, 5))
      );
      op.signature = _wrap(0, _webauthn(PASSKEY, ENTRY_POINT.getUserOpHash(op)));
      _handle(op);
      assertEq(stranger.balance, (i + 1) * 1 gwei);
      assertTrue(CoinbaseSmartWallet(payable(sender)).isOwnerBytes(owners[0]));
    }
  }

  function test_behavior_theWalletPaysForItsGas() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(0));
    op.signature = _wrap(0, _ecdsa(aliceKey, ENTRY_POINT.getUserOpHash(op)));
    _handle(op);
    uint256 paid = 1 ether - address(wallet).balance;
    assertGt(bundler.balance, 0);
    assertEq(paid, bundler.balance + ENTRY_POINT.balanceOf(address(wallet)));
  }

  /// A revert of the call is told with its reason, and costs the nonce.
  function test_behavior_revertOfTheCall() public {
    UserOperation memory op = _operation(address(wallet), 0, abi.encodeCall(wallet.addOwnerAddress, (alice)));
    bytes32 hash = ENTRY_POINT.getUserOpHash(op);
    op.signature = _wrap(0, _ecdsa(aliceKey, hash));
    vm.expectEmit(address(ENTRY_POINT));
    emit IEntryPoint.UserOperationRevertReason(
      hash, address(wallet), 0, abi.encodeWithSelector(MultiOwnable.Unauthorized.selector)
    );
    _send(op);
    assertEq(ENTRY_POINT.getNonce(address(wallet), 0), 1);
  }

  function test_error_wrongKey(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != aliceKey);
    UserOperation memory op = _operation(address(wallet), 0, _pay(1));
    op.signature = _wrap(0, _ecdsa(key, ENTRY_POINT.getUserOpHash(op)));
    vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
    _send(op);
  }

  /// The hash of an operation is signed as it is, unlike messages.
  function test_error_replaySafeHashOfAnOperation() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(1));
    op.signature = _wrap(0, _ecdsa(aliceKey, wallet.replaySafeHash(ENTRY_POINT.getUserOpHash(op))));
    vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
    _send(op);
  }

  function test_error_prefundNotPaid() public {
    vm.deal(address(wallet), 0);
    UserOperation memory op = _operation(address(wallet), 0, _pay(0));
    op.signature = _wrap(0, _ecdsa(aliceKey, ENTRY_POINT.getUserOpHash(op)));
    vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA21 didn't pay prefund"));
    _send(op);
  }

  function test_error_validateUserOp_Unauthorized() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(1));
    vm.prank(alice);
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.validateUserOp(op, bytes32(0), 0);
  }

  function test_behavior_validationDataAndPrefund() public {
    UserOperation memory op = _operation(address(wallet), 0, _pay(1));
    op.signature = _wrap(0, _ecdsa(aliceKey, "the hash"));
    vm.startPrank(address(ENTRY_POINT));
    assertEq(wallet.validateUserOp(op, "the hash", 0), 0);
    assertEq(wallet.validateUserOp(op, "another hash", 0), 1);
    assertEq(ENTRY_POINT.balanceOf(address(wallet)), 0);
    wallet.validateUserOp(op, "the hash", 3 gwei);
    assertEq(ENTRY_POINT.balanceOf(address(wallet)), 3 gwei);
  }

  /* WITHOUT CHAIN ID */

  /// Signed once, played on two chains.
  function test_default_replayable() public {
    UserOperation memory op = _replayable(abi.encodeCall(MultiOwnable.addOwnerAddress, (stranger)));
    op.signature = _wrap(0, _ecdsa(aliceKey, wallet.getUserOpHashWithoutChainId(op)));

    uint256 snapshot = vm.snapshotState();
    vm.chainId(10);
    _handle(op);
    assertTrue(wallet.isOwnerAddress(stranger));

    assertTrue(vm.revertToState(snapshot));
    assertFalse(wallet.isOwnerAddress(stranger));
    _handle(op);
    assertTrue(wallet.isOwnerAddress(stranger));
  }

  /// As the EntryPoint's hash, but for the chain id, computed here field by field.
  function test_default_getUserOpHashWithoutChainId(UserOperation memory op) public view {
    bytes32[10] memory fields = [
      bytes32(uint256(uint160(op.sender))),
      bytes32(op.nonce),
      keccak256(op.initCode),
      keccak256(op.callData),
      bytes32(op.callGasLimit),
      bytes32(op.verificationGasLimit),
      bytes32(op.preVerificationGas),
      bytes32(op.maxFeePerGas),
      bytes32(op.maxPriorityFeePerGas),
      keccak256(op.paymasterAndData)
    ];
    bytes32 inner = keccak256(abi.encode(fields));
    assertEq(ENTRY_POINT.getUserOpHash(op), keccak256(abi.encode(inner, ENTRY_POINT, block.chainid)));
    assertEq(wallet.getUserOpHashWithoutChainId(op), keccak256(abi.encode(inner, ENTRY_POINT)));
  }

  function test_error_replayableSignedWithChainId() public {
    UserOperation memory op = _replayable(abi.encodeCall(MultiOwnable.addOwnerAddress, (stranger)));
    op.signature = _wrap(0, _ecdsa(aliceKey, ENTRY_POINT.getUserOpHash(op)));
    vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
    _send(op);
  }

  function test_error_InvalidNonceKey(uint192 key) public {
    vm.assume(key != wallet.REPLAYABLE_NONCE_KEY());
    UserOperation memory op = _replayable(abi.encodeCall(MultiOwnable.addOwnerAddress, (stranger)));
    op.nonce = uint256(key) << 64;
    vm.prank(address(ENTRY_POINT));
    vm.expectRevert(abi.encodeWithSelector(CoinbaseSmartWallet.InvalidNonceKey.selector, uint256(key)));
    wallet.validateUserOp(op, bytes32(0), 0);
  }

  function test_error_InvalidNonceKey_reserved() public {
    UserOperation memory op = _operation(address(wallet), 8453 << 64, _pay(1));
    vm.prank(address(ENTRY_POINT));
    vm.expectRevert(abi.encodeWithSelector(CoinbaseSmartWallet.InvalidNonceKey.selector, 8453));
    wallet.validateUserOp(op, bytes32(0), 0);
  }

  /// Version 1.1 refuses to validate; version 1 validates, and the upgrade itself fails.
  function test_error_InvalidImplementation() public {
    UserOperation memory op = _replayable(abi.encodeCall(wallet.upgradeToAndCall, (stranger, "")));
    op.signature = _wrap(0, _ecdsa(aliceKey, wallet.getUserOpHashWithoutChainId(op)));
    vm.startPrank(address(ENTRY_POINT));
    vm.expectRevert(abi.encodeWithSelector(CoinbaseSmartWalletV1_1.InvalidImplementation.selector, stranger));
    wallet.validateUserOp(op, bytes32(0), 0);

    CoinbaseSmartWallet old = FACTORY_V1.createAccount(_owners(alice), 0);
    assertEq(old.validateUserOp(op, bytes32(0), 0), 0);
  }

  function test_default_replayableUpgrade() public {
    UserOperation memory op = _replayable(abi.encodeCall(wallet.upgradeToAndCall, (WALLET_V1, "")));
    op.signature = _wrap(0, _ecdsa(aliceKey, wallet.getUserOpHashWithoutChainId(op)));
    _handle(op);
    assertEq(wallet.implementation(), WALLET_V1);
  }

  /* HELPERS */

  function _operation(address sender, uint256 nonce, bytes memory callData)
    internal
    pure
    returns (UserOperation memory op)
  {
    op.sender = sender;
    op.nonce = nonce;
    op.callData = callData;
    op.callGasLimit = 500_000;
    op.verificationGasLimit = 1_000_000;
    op.preVerificationGas = 50_000;
    op.maxFeePerGas = 1 gwei;
    op.maxPriorityFeePerGas = 1 gwei;
  }

  function _replayable(bytes memory call) internal view returns (UserOperation memory) {
    bytes[] memory calls = new bytes[](1);
    calls[0] = call;
    return _operation(
      address(wallet),
      8453 << 64,
      abi.encodeCall(CoinbaseSmartWallet.executeWithoutChainIdValidation, (calls))
    );
  }

  function _pay(uint256 value) internal view returns (bytes memory) {
    return abi.encodeCall(CoinbaseSmartWallet.execute, (stranger, value, ""));
  }

  function _send(UserOperation memory op) internal {
    UserOperation[] memory ops = new UserOperation[](1);
    ops[0] = op;
    // The EntryPoint takes operations from accounts without code, as bundlers are.
    vm.prank(bundler, bundler);
    ENTRY_POINT.handleOps(ops, bundler);
  }

  /// @dev Sends, and checks that the EntryPoint reports a call that succeeded.
  function _handle(UserOperation memory op) internal {
    bytes32 hash = ENTRY_POINT.getUserOpHash(op);
    vm.recordLogs();
    _send(op);

    Vm.Log[] memory logs = vm.getRecordedLogs();
    Vm.Log memory last = logs[logs.length - 1];
    assertEq(last.emitter, address(ENTRY_POINT));
    assertEq(last.topics[0], IEntryPoint.UserOperationEvent.selector);
    assertEq(last.topics[1], hash);
    (uint256 nonce, bool success) = abi.decode(last.data, (uint256, bool));
    assertEq(nonce, op.nonce);
    assertTrue(success, "the operation's call reverted");
  }
}
