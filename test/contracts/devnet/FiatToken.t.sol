// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatToken } from "../../../contracts/devnet/FiatToken.sol";
import { FiatTokenBase } from "../../../contracts/devnet/FiatTokenBase.sol";
import { Devnet } from "./Devnet.sol";

/// What it is, ERC-20, and the storage that tools write to.
contract FiatTokenTest is Devnet {
  address internal immutable alice = makeAddr("alice");
  address internal immutable bob = makeAddr("bob");

  function setUp() public override {
    super.setUp();
    _mint(alice, 100e6);
  }

  function test_default_metadata() public view {
    assertEq(USDC.name(), "USD Coin");
    assertEq(USDC.symbol(), "USDC");
    assertEq(USDC.decimals(), 6);
    assertEq(USDC.currency(), "USD");
    assertEq(USDC.version(), "2");
    assertEq(USDC.totalSupply(), 100e6);
  }

  /// The domain separator that USDC on Base answers with.
  function test_default_domainSeparator() public {
    assertEq(USDC.DOMAIN_SEPARATOR(), 0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f);
    vm.chainId(84_532);
    assertEq(
      USDC.DOMAIN_SEPARATOR(),
      keccak256(
        abi.encode(
          keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
          keccak256("USD Coin"),
          keccak256("2"),
          84_532,
          USDC
        )
      ),
      "follows the chain id"
    );
  }

  /* STORAGE */

  function test_default_balanceByStorage(address account, uint256 balance) public {
    balance = bound(balance, 0, type(uint256).max >> 1);
    bytes32 slot = keccak256(abi.encode(account, 9));
    vm.store(address(USDC), slot, bytes32(balance));
    assertEq(USDC.balanceOf(account), balance);
    assertFalse(USDC.isBlacklisted(account));

    vm.store(address(USDC), slot, bytes32(balance | 1 << 255));
    assertEq(USDC.balanceOf(account), balance);
    assertTrue(USDC.isBlacklisted(account));
  }

  function test_default_storageLayout() public {
    vm.prank(alice);
    USDC.approve(bob, 7);
    assertEq(_slot(0), bytes32(uint256(uint160(circle))), "owner");
    assertEq(_slot(1), bytes32(uint256(uint160(circle))), "pauser, paused");
    assertEq(_slot(2), bytes32(uint256(uint160(circle))), "blacklister");
    assertEq(_slot(4), bytes32(bytes("USD Coin")) | bytes32(uint256(16)), "name");
    assertEq(_slot(6), bytes32(uint256(6)), "decimals");
    assertEq(_slot(8), bytes32(uint256(uint160(circle)) | 1 << 160), "masterMinter, initialized");
    assertEq(
      vm.load(address(USDC), keccak256(abi.encode(bob, keccak256(abi.encode(alice, 10))))),
      bytes32(uint256(7)),
      "allowed"
    );
    assertEq(_slot(11), bytes32(uint256(100e6)), "totalSupply");
    assertEq(vm.load(address(USDC), keccak256(abi.encode(circle, 12))), bytes32(uint256(1)), "minters");
    assertEq(_slot(14), bytes32(uint256(uint160(circle))), "rescuer");
    assertEq(_slot(18), bytes32(uint256(3)), "initializedVersion");

    vm.prank(circle);
    USDC.pause();
    assertEq(_slot(1), bytes32(uint256(uint160(circle)) | 1 << 160), "paused");
  }

  /* TRANSFER */

  function test_default_transfer(uint256 value) public {
    value = bound(value, 0, 100e6);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Transfer(alice, bob, value);
    vm.prank(alice);
    assertTrue(USDC.transfer(bob, value));
    assertEq(USDC.balanceOf(alice), 100e6 - value);
    assertEq(USDC.balanceOf(bob), value);
    assertEq(USDC.totalSupply(), 100e6);
  }

  function test_args_transferToOneself() public {
    vm.prank(alice);
    USDC.transfer(alice, 100e6);
    assertEq(USDC.balanceOf(alice), 100e6);
  }

  function test_error_transfer() public {
    vm.startPrank(alice);
    vm.expectRevert("ERC20: transfer amount exceeds balance");
    USDC.transfer(bob, 100e6 + 1);
    vm.expectRevert("ERC20: transfer to the zero address");
    USDC.transfer(address(0), 1);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.transfer(address(USDC), 1);
  }

  function test_error_balanceAboveItsWidth() public {
    vm.store(address(USDC), keccak256(abi.encode(bob, 9)), bytes32(type(uint256).max >> 1));
    vm.prank(alice);
    vm.expectRevert("FiatTokenV2_2: Balance exceeds (2^255 - 1)");
    USDC.transfer(bob, 1);
  }

  /* ALLOWANCES */

  function test_default_transferFrom(uint256 approved, uint256 value) public {
    approved = bound(approved, 0, 100e6);
    value = bound(value, 0, approved);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Approval(alice, bob, approved);
    vm.prank(alice);
    assertTrue(USDC.approve(bob, approved));

    vm.prank(bob);
    assertTrue(USDC.transferFrom(alice, stranger, value));
    assertEq(USDC.balanceOf(stranger), value);
    assertEq(USDC.allowance(alice, bob), approved - value);
  }

  /// Other tokens take the maximum for "unlimited"; USDC counts it down.
  function test_behavior_theLargestAllowanceIsSpentToo() public {
    vm.prank(alice);
    USDC.approve(bob, type(uint256).max);
    vm.prank(bob);
    USDC.transferFrom(alice, bob, 3);
    assertEq(USDC.allowance(alice, bob), type(uint256).max - 3);
  }

  function test_error_transferFrom() public {
    vm.prank(alice);
    USDC.approve(bob, 200e6);
    vm.startPrank(bob);
    vm.expectRevert("ERC20: transfer amount exceeds allowance");
    USDC.transferFrom(alice, bob, 200e6 + 1);
    vm.expectRevert("ERC20: transfer amount exceeds balance");
    USDC.transferFrom(alice, bob, 100e6 + 1);
    vm.expectRevert("ERC20: transfer from the zero address");
    USDC.transferFrom(address(0), bob, 0);
  }

  function test_error_approve() public {
    vm.prank(alice);
    vm.expectRevert("ERC20: approve to the zero address");
    USDC.approve(address(0), 1);
    vm.prank(address(0));
    vm.expectRevert("ERC20: approve from the zero address");
    USDC.approve(bob, 1);
  }

  function test_default_increaseAndDecreaseAllowance() public {
    vm.startPrank(alice);
    USDC.approve(bob, 10);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Approval(alice, bob, 15);
    assertTrue(USDC.increaseAllowance(bob, 5));
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Approval(alice, bob, 0);
    assertTrue(USDC.decreaseAllowance(bob, 15));
    assertEq(USDC.allowance(alice, bob), 0);
  }

  function test_error_increaseAndDecreaseAllowance() public {
    vm.startPrank(alice);
    USDC.approve(bob, 10);
    vm.expectRevert("ERC20: decreased allowance below zero");
    USDC.decreaseAllowance(bob, 11);
    vm.expectRevert("SafeMath: addition overflow");
    USDC.increaseAllowance(bob, type(uint256).max - 9);
  }

  /* INITIALIZE */

  function test_error_initializedAlready() public {
    vm.expectRevert("FiatToken: contract is already initialized");
    USDC.initialize("a", "b", "c", 6, bob, bob, bob, bob);
    vm.expectRevert(bytes(""));
    USDC.initializeV2("a");
    vm.expectRevert(bytes(""));
    USDC.initializeV2_1(bob);
    vm.expectRevert(bytes(""));
    USDC.initializeV2_2(new address[](0), "a");
  }

  function test_error_initializeWithoutARole() public {
    FiatToken fresh = new FiatToken();
    vm.expectRevert("FiatToken: new masterMinter is the zero address");
    fresh.initialize("a", "b", "c", 6, address(0), bob, bob, bob);
    vm.expectRevert("FiatToken: new pauser is the zero address");
    fresh.initialize("a", "b", "c", 6, bob, address(0), bob, bob);
    vm.expectRevert("FiatToken: new blacklister is the zero address");
    fresh.initialize("a", "b", "c", 6, bob, bob, address(0), bob);
    vm.expectRevert("FiatToken: new owner is the zero address");
    fresh.initialize("a", "b", "c", 6, bob, bob, bob, address(0));
  }

  function test_error_initializeV2_2_unknownAccount() public {
    FiatToken fresh = new FiatToken();
    fresh.initialize("a", "b", "c", 6, bob, bob, bob, bob);
    fresh.initializeV2("a");
    fresh.initializeV2_1(bob);
    address[] memory accounts = new address[](1);
    accounts[0] = alice;
    vm.expectRevert("FiatTokenV2_2: Blacklisting previously unblacklisted account!");
    fresh.initializeV2_2(accounts, "b");

    // One that slot 3 says was blacklisted moves over.
    vm.store(address(fresh), keccak256(abi.encode(alice, 3)), bytes32(uint256(1)));
    fresh.initializeV2_2(accounts, "b");
    assertTrue(fresh.isBlacklisted(alice));
    assertEq(vm.load(address(fresh), keccak256(abi.encode(alice, 3))), 0);
  }

  function test_behavior_initializeV2_1MovesWhatTheTokenHolds() public {
    FiatToken fresh = new FiatToken();
    fresh.initialize("a", "b", "c", 6, bob, bob, bob, bob);
    fresh.initializeV2("a");
    vm.store(address(fresh), keccak256(abi.encode(address(fresh), 9)), bytes32(uint256(5)));
    fresh.initializeV2_1(alice);
    assertEq(fresh.balanceOf(alice), 5);
    assertEq(fresh.balanceOf(address(fresh)), 0);
  }

  function _slot(uint256 slot) internal view returns (bytes32) {
    return vm.load(address(USDC), bytes32(slot));
  }
}
