// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { Receiver } from "solady/accounts/Receiver.sol";

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { MultiOwnable } from "../../../contracts/devnet/MultiOwnable.sol";
import { Devnet } from "./Devnet.sol";

contract Target {
  error Refused(uint256 code);

  address public caller;
  uint256 public value;
  uint256 public argument;

  function take(uint256 argument_) external payable {
    (caller, value, argument) = (msg.sender, msg.value, argument_);
  }

  function refuse(uint256 code) external pure {
    revert Refused(code);
  }

  function refuseSilently() external pure {
    revert();
  }
}

/// Not an implementation: it answers with the wrong slot.
contract WrongUUID {
  function proxiableUUID() external pure returns (bytes32) {
    return bytes32(uint256(1));
  }
}

contract CoinbaseSmartWalletExecuteTest is Devnet {
  CoinbaseSmartWallet internal wallet;
  Target internal target = new Target();
  address internal immutable alice = makeAddr("alice");

  function setUp() public override {
    super.setUp();
    wallet = FACTORY_V1.createAccount{ value: 10 ether }(_owners(alice, PASSKEY), 0);
  }

  /* EXECUTE */

  function test_default_execute() public {
    vm.prank(alice);
    wallet.execute(address(target), 1 ether, abi.encodeCall(Target.take, (42)));
    assertEq(target.caller(), address(wallet));
    assertEq(target.value(), 1 ether);
    assertEq(target.argument(), 42);
    assertEq(address(wallet).balance, 9 ether);
  }

  function test_args_executeWithTheCallersValue() public {
    vm.deal(alice, 5 ether);
    vm.prank(alice);
    wallet.execute{ value: 5 ether }(stranger, 15 ether, "");
    assertEq(stranger.balance, 15 ether);
  }

  function test_behavior_theEntryPointExecutes() public {
    vm.prank(address(ENTRY_POINT));
    wallet.execute(stranger, 1, "");
    assertEq(stranger.balance, 1);
  }

  function test_error_executeBubblesTheRevert() public {
    vm.startPrank(alice);
    vm.expectRevert(abi.encodeWithSelector(Target.Refused.selector, 7));
    wallet.execute(address(target), 0, abi.encodeCall(Target.refuse, (7)));
    vm.expectRevert(bytes(""));
    wallet.execute(address(target), 0, abi.encodeCall(Target.refuseSilently, ()));
  }

  function test_error_Unauthorized() public {
    vm.startPrank(stranger);
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.execute(stranger, 1, "");
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.executeBatch(new CoinbaseSmartWallet.Call[](0));
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.upgradeToAndCall(WALLET_V1_1, "");
  }

  /* EXECUTE BATCH */

  function test_default_executeBatch() public {
    CoinbaseSmartWallet.Call[] memory calls = new CoinbaseSmartWallet.Call[](3);
    calls[0] = CoinbaseSmartWallet.Call(stranger, 1 ether, "");
    calls[1] = CoinbaseSmartWallet.Call(address(target), 0, abi.encodeCall(Target.take, (1)));
    calls[2] = CoinbaseSmartWallet.Call(address(target), 2 ether, abi.encodeCall(Target.take, (2)));
    vm.prank(alice);
    wallet.executeBatch(calls);
    assertEq(stranger.balance, 1 ether);
    assertEq(target.argument(), 2, "in order");
    assertEq(target.value(), 2 ether);
  }

  function test_error_executeBatchIsAllOrNothing() public {
    CoinbaseSmartWallet.Call[] memory calls = new CoinbaseSmartWallet.Call[](2);
    calls[0] = CoinbaseSmartWallet.Call(stranger, 1 ether, "");
    calls[1] = CoinbaseSmartWallet.Call(address(target), 0, abi.encodeCall(Target.refuse, (9)));
    vm.prank(alice);
    vm.expectRevert(abi.encodeWithSelector(Target.Refused.selector, 9));
    wallet.executeBatch(calls);
    assertEq(stranger.balance, 0);
  }

  /* WITHOUT CHAIN ID */

  function test_default_executeWithoutChainIdValidation() public {
    bytes[] memory calls = new bytes[](2);
    calls[0] = abi.encodeCall(MultiOwnable.addOwnerAddress, (stranger));
    calls[1] = abi.encodeCall(MultiOwnable.removeOwnerAtIndex, (0, abi.encode(alice)));
    vm.prank(address(ENTRY_POINT));
    wallet.executeWithoutChainIdValidation(calls);
    assertTrue(wallet.isOwnerAddress(stranger));
    assertFalse(wallet.isOwnerAddress(alice));
  }

  function test_default_canSkipChainIdValidation() public view {
    assertTrue(wallet.canSkipChainIdValidation(bytes4(keccak256("addOwnerAddress(address)"))));
    assertTrue(wallet.canSkipChainIdValidation(bytes4(keccak256("addOwnerPublicKey(bytes32,bytes32)"))));
    assertTrue(wallet.canSkipChainIdValidation(bytes4(keccak256("removeOwnerAtIndex(uint256,bytes)"))));
    assertTrue(wallet.canSkipChainIdValidation(bytes4(keccak256("removeLastOwner(uint256,bytes)"))));
    assertTrue(wallet.canSkipChainIdValidation(bytes4(keccak256("upgradeToAndCall(address,bytes)"))));
    assertFalse(wallet.canSkipChainIdValidation(bytes4(keccak256("execute(address,uint256,bytes)"))));
  }

  function test_error_SelectorNotAllowed() public {
    bytes[] memory calls = new bytes[](1);
    calls[0] = abi.encodeCall(CoinbaseSmartWallet.execute, (stranger, 1, ""));
    vm.prank(address(ENTRY_POINT));
    vm.expectRevert(
      abi.encodeWithSelector(
        CoinbaseSmartWallet.SelectorNotAllowed.selector, CoinbaseSmartWallet.execute.selector
      )
    );
    wallet.executeWithoutChainIdValidation(calls);
  }

  /// Not even for owners: they can call the wallet's functions themselves.
  function test_error_executeWithoutChainIdValidation_Unauthorized() public {
    vm.prank(alice);
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.executeWithoutChainIdValidation(new bytes[](0));
  }

  /* UPGRADE */

  function test_default_upgradeToAndCall() public {
    vm.expectEmit(address(wallet));
    emit CoinbaseSmartWallet.Upgraded(WALLET_V1_1);
    vm.prank(alice);
    wallet.upgradeToAndCall(WALLET_V1_1, "");
    assertEq(wallet.implementation(), WALLET_V1_1);
    assertTrue(wallet.isOwnerAddress(alice), "owners stay");
  }

  /// Called from the wallet itself, so that a delegated call is authorised too.
  function test_args_upgradeAndCall() public {
    bytes memory data = abi.encodeCall(MultiOwnable.addOwnerAddress, (stranger));
    vm.prank(alice);
    wallet.execute(address(wallet), 0, abi.encodeCall(wallet.upgradeToAndCall, (WALLET_V1_1, data)));
    assertTrue(wallet.isOwnerAddress(stranger));
    assertEq(wallet.implementation(), WALLET_V1_1);
  }

  function test_error_upgradeAndCallBubblesTheRevert() public {
    bytes memory data = abi.encodeCall(MultiOwnable.addOwnerAddress, (alice));
    vm.prank(alice);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.AlreadyOwner.selector, abi.encode(alice)));
    wallet.upgradeToAndCall(WALLET_V1_1, data);
    assertEq(wallet.implementation(), WALLET_V1);
  }

  function test_error_UpgradeFailed() public {
    address wrong = address(new WrongUUID());
    vm.startPrank(alice);
    vm.expectRevert(CoinbaseSmartWallet.UpgradeFailed.selector);
    wallet.upgradeToAndCall(stranger, "");
    vm.expectRevert(CoinbaseSmartWallet.UpgradeFailed.selector);
    wallet.upgradeToAndCall(address(target), "");
    vm.expectRevert(CoinbaseSmartWallet.UpgradeFailed.selector);
    wallet.upgradeToAndCall(wrong, "");
    vm.expectRevert(CoinbaseSmartWallet.UpgradeFailed.selector);
    wallet.upgradeToAndCall(address(wallet), "");
  }

  function test_error_UnauthorizedCallContext() public {
    vm.expectRevert(CoinbaseSmartWallet.UnauthorizedCallContext.selector);
    CoinbaseSmartWallet(payable(WALLET_V1)).upgradeToAndCall(WALLET_V1_1, "");
    vm.expectRevert(CoinbaseSmartWallet.UnauthorizedCallContext.selector);
    CoinbaseSmartWallet(payable(WALLET_V1_1)).upgradeToAndCall(WALLET_V1, "");
    vm.expectRevert(CoinbaseSmartWallet.UnauthorizedCallContext.selector);
    wallet.proxiableUUID();
  }

  function test_default_proxiableUUID() public view {
    bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    assertEq(CoinbaseSmartWallet(payable(WALLET_V1)).proxiableUUID(), slot);
    assertEq(CoinbaseSmartWallet(payable(WALLET_V1_1)).proxiableUUID(), slot);
    assertEq(vm.load(address(wallet), slot), bytes32(uint256(uint160(WALLET_V1))));
    assertEq(CoinbaseSmartWallet(payable(WALLET_V1)).implementation(), address(0));
  }

  /* RECEIVING */

  function test_default_receivesETHAndTokens() public {
    vm.deal(stranger, 1 ether);
    vm.prank(stranger);
    (bool ok,) = address(wallet).call{ value: 1 ether }("");
    assertTrue(ok);
    assertEq(address(wallet).balance, 11 ether);

    string[3] memory hooks = [
      "onERC721Received(address,address,uint256,bytes)",
      "onERC1155Received(address,address,uint256,uint256,bytes)",
      "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)"
    ];
    for (uint256 i; i < hooks.length; ++i) {
      bytes4 selector = bytes4(keccak256(bytes(hooks[i])));
      (bool answered, bytes memory answer) = address(wallet).call(abi.encodeWithSelector(selector, stranger));
      assertTrue(answered);
      assertEq(answer, abi.encode(selector));
    }
  }

  function test_error_unknownFunction() public {
    (bool ok, bytes memory answer) = address(wallet).call(hex"12345678");
    assertFalse(ok);
    assertEq(answer, abi.encodeWithSelector(Receiver.FnSelectorNotRecognized.selector));
  }
}
