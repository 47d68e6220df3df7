// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { MultiOwnable } from "../../../contracts/devnet/MultiOwnable.sol";
import { Devnet } from "./Devnet.sol";

contract CoinbaseSmartWalletOwnersTest is Devnet {
  CoinbaseSmartWallet internal wallet;
  address internal immutable alice = makeAddr("alice");
  address internal immutable bob = makeAddr("bob");

  function setUp() public override {
    super.setUp();
    wallet = FACTORY_V1_1.createAccount(_owners(alice, PASSKEY), 0);
  }

  /* INITIALIZE */

  function test_default_initialize() public view {
    assertEq(wallet.ownerCount(), 2);
    assertEq(wallet.nextOwnerIndex(), 2);
    assertEq(wallet.removedOwnersCount(), 0);
    assertTrue(wallet.isOwnerAddress(alice));
    assertTrue(wallet.isOwnerBytes(abi.encode(alice)));
    assertTrue(wallet.isOwnerBytes(_publicKey(PASSKEY)));
    (uint256 x, uint256 y) = vm.publicKeyP256(PASSKEY);
    assertTrue(wallet.isOwnerPublicKey(bytes32(x), bytes32(y)));

    assertFalse(wallet.isOwnerAddress(bob));
    assertFalse(wallet.isOwnerPublicKey(bytes32(y), bytes32(x)));
    assertEq(wallet.ownerAtIndex(2), "");
  }

  /// The storage of the original, which explorers and tests read.
  function test_default_storageLocation() public view {
    bytes32 base = keccak256(abi.encode(uint256(keccak256("coinbase.storage.MultiOwnable")) - 1))
      & ~bytes32(uint256(0xff));
    assertEq(vm.load(address(wallet), base), bytes32(uint256(2)));
  }

  function test_error_Initialized() public {
    vm.expectRevert(CoinbaseSmartWallet.Initialized.selector);
    wallet.initialize(_owners(bob));
  }

  /// Nobody may own an implementation.
  function test_error_Initialized_implementations() public {
    vm.expectRevert(CoinbaseSmartWallet.Initialized.selector);
    CoinbaseSmartWallet(payable(WALLET_V1)).initialize(_owners(bob));
    vm.expectRevert(CoinbaseSmartWallet.Initialized.selector);
    CoinbaseSmartWallet(payable(WALLET_V1_1)).initialize(_owners(bob));
  }

  function test_error_initialize_AlreadyOwner() public {
    bytes[] memory owners = new bytes[](2);
    owners[0] = owners[1] = abi.encode(bob);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.AlreadyOwner.selector, owners[1]));
    FACTORY_V1_1.createAccount(owners, 0);
  }

  function test_error_initialize_InvalidEthereumAddressOwner() public {
    bytes[] memory owners = new bytes[](1);
    owners[0] = abi.encode(uint256(type(uint160).max) + 1);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.InvalidEthereumAddressOwner.selector, owners[0]));
    FACTORY_V1_1.createAccount(owners, 0);
  }

  function test_error_initialize_InvalidOwnerBytesLength(bytes calldata owner) public {
    vm.assume(owner.length != 32 && owner.length != 64);
    bytes[] memory owners = new bytes[](1);
    owners[0] = owner;
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.InvalidOwnerBytesLength.selector, owner));
    FACTORY_V1_1.createAccount(owners, 0);
  }

  /* ADD */

  function test_default_addOwnerAddress() public {
    vm.expectEmit(address(wallet));
    emit MultiOwnable.AddOwner(2, abi.encode(bob));
    vm.prank(alice);
    wallet.addOwnerAddress(bob);

    assertTrue(wallet.isOwnerAddress(bob));
    assertEq(wallet.ownerAtIndex(2), abi.encode(bob));
    assertEq(wallet.nextOwnerIndex(), 3);
    assertEq(wallet.ownerCount(), 3);
  }

  function test_default_addOwnerPublicKey(bytes32 x, bytes32 y) public {
    vm.assume(!wallet.isOwnerPublicKey(x, y));
    vm.expectEmit(address(wallet));
    emit MultiOwnable.AddOwner(2, abi.encode(x, y));
    vm.prank(alice);
    wallet.addOwnerPublicKey(x, y);

    assertTrue(wallet.isOwnerPublicKey(x, y));
    assertEq(wallet.ownerAtIndex(2), abi.encode(x, y));
  }

  /// How a SpendPermissionManager becomes an owner: the wallet calls itself.
  function test_behavior_theWalletItselfMayAddOwners() public {
    vm.prank(alice);
    wallet.execute(address(wallet), 0, abi.encodeCall(MultiOwnable.addOwnerAddress, (bob)));
    assertTrue(wallet.isOwnerAddress(bob));
  }

  function test_error_AlreadyOwner() public {
    (uint256 x, uint256 y) = vm.publicKeyP256(PASSKEY);
    vm.startPrank(alice);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.AlreadyOwner.selector, abi.encode(alice)));
    wallet.addOwnerAddress(alice);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.AlreadyOwner.selector, abi.encode(x, y)));
    wallet.addOwnerPublicKey(bytes32(x), bytes32(y));
  }

  /// The EntryPoint is no owner: it may execute, and nothing else.
  function test_error_Unauthorized() public {
    address[2] memory callers = [stranger, address(ENTRY_POINT)];
    for (uint256 i; i < callers.length; ++i) {
      vm.startPrank(callers[i]);
      vm.expectRevert(MultiOwnable.Unauthorized.selector);
      wallet.addOwnerAddress(bob);
      vm.expectRevert(MultiOwnable.Unauthorized.selector);
      wallet.addOwnerPublicKey(bytes32(uint256(1)), bytes32(uint256(2)));
      vm.expectRevert(MultiOwnable.Unauthorized.selector);
      wallet.removeOwnerAtIndex(0, abi.encode(alice));
      vm.expectRevert(MultiOwnable.Unauthorized.selector);
      wallet.removeLastOwner(0, abi.encode(alice));
      vm.stopPrank();
    }
  }

  /* REMOVE */

  function test_default_removeOwnerAtIndex() public {
    vm.expectEmit(address(wallet));
    emit MultiOwnable.RemoveOwner(1, _publicKey(PASSKEY));
    vm.prank(alice);
    wallet.removeOwnerAtIndex(1, _publicKey(PASSKEY));

    assertFalse(wallet.isOwnerBytes(_publicKey(PASSKEY)));
    assertEq(wallet.ownerAtIndex(1), "");
    assertEq(wallet.ownerCount(), 1);
    assertEq(wallet.removedOwnersCount(), 1);
  }

  function test_behavior_indexesAreNeverUsedAgain() public {
    vm.startPrank(alice);
    wallet.removeOwnerAtIndex(1, _publicKey(PASSKEY));
    wallet.addOwnerAddress(bob);
    assertEq(wallet.ownerAtIndex(1), "");
    assertEq(wallet.ownerAtIndex(2), abi.encode(bob));
    assertEq(wallet.nextOwnerIndex(), 3);
  }

  function test_behavior_removedOwnerIsLockedOut() public {
    vm.startPrank(alice);
    wallet.removeOwnerAtIndex(0, abi.encode(alice));
    vm.expectRevert(MultiOwnable.Unauthorized.selector);
    wallet.execute(stranger, 0, "");
  }

  function test_error_NoOwnerAtIndex() public {
    vm.prank(alice);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.NoOwnerAtIndex.selector, 2));
    wallet.removeOwnerAtIndex(2, abi.encode(alice));
  }

  function test_error_WrongOwnerAtIndex() public {
    vm.prank(alice);
    vm.expectRevert(
      abi.encodeWithSelector(
        MultiOwnable.WrongOwnerAtIndex.selector, 1, abi.encode(alice), _publicKey(PASSKEY)
      )
    );
    wallet.removeOwnerAtIndex(1, abi.encode(alice));
  }

  function test_error_LastOwner() public {
    vm.startPrank(alice);
    wallet.removeOwnerAtIndex(1, _publicKey(PASSKEY));
    vm.expectRevert(MultiOwnable.LastOwner.selector);
    wallet.removeOwnerAtIndex(0, abi.encode(alice));
  }

  function test_default_removeLastOwner() public {
    vm.startPrank(alice);
    wallet.removeOwnerAtIndex(1, _publicKey(PASSKEY));
    wallet.removeLastOwner(0, abi.encode(alice));
    assertEq(wallet.ownerCount(), 0);
    assertFalse(wallet.isOwnerAddress(alice));
  }

  function test_error_NotLastOwner() public {
    vm.prank(alice);
    vm.expectRevert(abi.encodeWithSelector(MultiOwnable.NotLastOwner.selector, 2));
    wallet.removeLastOwner(0, abi.encode(alice));
  }

  /// A wallet without owners is not one that can be initialised.
  function test_error_Initialized_afterTheLastOwner() public {
    vm.startPrank(alice);
    wallet.removeOwnerAtIndex(1, _publicKey(PASSKEY));
    wallet.removeLastOwner(0, abi.encode(alice));
    vm.expectRevert(CoinbaseSmartWallet.Initialized.selector);
    wallet.initialize(_owners(stranger));
  }
}
