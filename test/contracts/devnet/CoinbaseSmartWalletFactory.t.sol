// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import {
  CoinbaseSmartWalletFactory,
  CoinbaseSmartWalletFactoryV1_1
} from "../../../contracts/devnet/CoinbaseSmartWalletFactory.sol";
import { Devnet } from "./Devnet.sol";

contract CoinbaseSmartWalletFactoryTest is Devnet {
  /// The first two accounts of every test mnemonic, "test test ... junk".
  address internal constant ALICE = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;
  address internal constant BOB = 0x70997970C51812dc3A010C7d01b50e0d17dc79C8;

  /// Published in viem's tests, which ask the original on a fork of mainnet.
  function test_default_addressesOfVersion1AreTheOriginals() public view {
    assertEq(FACTORY_V1.getAddress(_owners(ALICE), 0), 0xBb0c1d5E7f530e8e648150fc7Cf30912575523E8);
    assertEq(FACTORY_V1.getAddress(_owners(BOB), 0), 0xA15C25E1d03280C19634954A38D380C076fcafa7);
    assertEq(FACTORY_V1.getAddress(_both(ALICE, BOB), 0), 0xCf6498bcc4E30fC6e9674b156995729E0CfC62d4);
    assertEq(FACTORY_V1.getAddress(_both(ALICE, BOB), 1), 0x64467188b574493d5C29a3e624115eFD67B83ee1);
  }

  /// A wallet on Base, with the owners that its AccountCreated event names.
  function test_default_addressesOfVersion1_1AreTheOriginals() public view {
    bytes[] memory owners =
      _both(0x7674ffB3e82059d03c113a89874d5328ecC9D73E, 0xaBA79af383a84527223cFF2E994A16787f4b71ad);
    assertEq(FACTORY_V1_1.getAddress(owners, 0), 0x20fBC02bCF1d49F4cf20410F3DF7b7ECf9d0F910);
  }

  function test_default_implementation() public view {
    assertEq(FACTORY_V1.implementation(), WALLET_V1);
    assertEq(FACTORY_V1_1.implementation(), WALLET_V1_1);
  }

  /// The creation code written out: one that sets the ERC-1967 slot and delegates to it.
  function test_default_initCodeHash() public view {
    CoinbaseSmartWalletFactory[2] memory factories = [FACTORY_V1, FACTORY_V1_1];
    for (uint256 i; i < 2; ++i) {
      bytes memory initCode = abi.encodePacked(
        hex"603d3d8160223d3973",
        factories[i].implementation(),
        hex"60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
      );
      assertEq(factories[i].initCodeHash(), keccak256(initCode));
    }
  }

  function test_default_createAccount() public {
    CoinbaseSmartWallet wallet = FACTORY_V1.createAccount(_owners(ALICE, PASSKEY), 7);
    assertEq(address(wallet), FACTORY_V1.getAddress(_owners(ALICE, PASSKEY), 7));
    assertEq(wallet.implementation(), WALLET_V1);
    assertEq(wallet.ownerCount(), 2);
    assertEq(wallet.ownerAtIndex(0), abi.encode(ALICE));
    assertEq(wallet.ownerAtIndex(1), _publicKey(PASSKEY));
    assertEq(
      keccak256(address(wallet).code),
      // Published for the wallets of version 1.1; the proxy's runtime code is the same for both.
      0xaaa52c8cc8a0e3fd27ce756cc6b4e70c51423e9b597b11f32d3e49f8b1fc890d
    );
  }

  function test_default_version1_1EmitsAccountCreated() public {
    address expected = FACTORY_V1_1.getAddress(_owners(ALICE), 0);
    vm.expectEmit(address(FACTORY_V1_1));
    emit CoinbaseSmartWalletFactoryV1_1.AccountCreated(expected, _owners(ALICE), 0);
    assertEq(address(FACTORY_V1_1.createAccount(_owners(ALICE), 0)), expected);
    assertEq(FACTORY_V1_1.createAccount(_owners(ALICE), 0).implementation(), WALLET_V1_1);
  }

  function test_args_addressFollowsFromOwnersAndNonceAlone(
    address owner,
    bytes32 x,
    bytes32 y,
    uint256 nonce,
    address caller
  ) public {
    bytes[] memory owners = new bytes[](2);
    owners[0] = abi.encode(owner);
    owners[1] = abi.encode(x, y);
    address expected = vm.computeCreate2Address(
      keccak256(abi.encode(owners, nonce)), FACTORY_V1_1.initCodeHash(), address(FACTORY_V1_1)
    );

    assertEq(FACTORY_V1_1.getAddress(owners, nonce), expected);
    vm.prank(caller);
    assertEq(address(FACTORY_V1_1.createAccount(owners, nonce)), expected);
    assertTrue(CoinbaseSmartWallet(payable(expected)).isOwnerAddress(owner));
    assertTrue(CoinbaseSmartWallet(payable(expected)).isOwnerPublicKey(x, y));
  }

  function test_args_nonceOrderAndVersionChangeTheAddress() public view {
    address wallet = FACTORY_V1.getAddress(_both(ALICE, BOB), 0);
    assertNotEq(FACTORY_V1.getAddress(_both(ALICE, BOB), 1), wallet);
    assertNotEq(FACTORY_V1.getAddress(_both(BOB, ALICE), 0), wallet);
    assertNotEq(FACTORY_V1_1.getAddress(_both(ALICE, BOB), 0), wallet);
  }

  function test_args_valueGoesToTheWallet() public {
    address wallet = FACTORY_V1.getAddress(_owners(ALICE), 0);
    FACTORY_V1.createAccount{ value: 2 ether }(_owners(ALICE), 0);
    assertEq(wallet.balance, 2 ether);
    FACTORY_V1.createAccount{ value: 1 ether }(_owners(ALICE), 0);
    assertEq(wallet.balance, 3 ether, "also when it is there already");
  }

  function test_behavior_creatingTwiceAnswersTheSameWalletAndChangesNothing() public {
    CoinbaseSmartWallet wallet = FACTORY_V1_1.createAccount(_owners(ALICE), 0);
    vm.prank(ALICE);
    wallet.addOwnerAddress(BOB);

    vm.recordLogs();
    assertEq(address(FACTORY_V1_1.createAccount(_owners(ALICE), 0)), address(wallet));
    assertEq(vm.getRecordedLogs().length, 0);
    assertEq(wallet.ownerCount(), 2);
  }

  function test_error_OwnerRequired() public {
    vm.expectRevert(CoinbaseSmartWalletFactory.OwnerRequired.selector);
    FACTORY_V1.createAccount(new bytes[](0), 0);
    vm.expectRevert(CoinbaseSmartWalletFactory.OwnerRequired.selector);
    FACTORY_V1_1.createAccount(new bytes[](0), 0);
  }

  /// The revert of the first owners comes through, and leaves no wallet behind.
  function test_error_badOwner() public {
    bytes[] memory owners = new bytes[](1);
    owners[0] = hex"1234";
    address expected = FACTORY_V1.getAddress(owners, 0);
    vm.expectRevert(abi.encodeWithSignature("InvalidOwnerBytesLength(bytes)", owners[0]));
    FACTORY_V1.createAccount(owners, 0);
    assertEq(expected.code.length, 0);
  }

  function _both(address a, address b) internal pure returns (bytes[] memory owners) {
    owners = new bytes[](2);
    owners[0] = abi.encode(a);
    owners[1] = abi.encode(b);
  }
}
