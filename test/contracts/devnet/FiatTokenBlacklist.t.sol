// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatTokenRoles } from "../../../contracts/devnet/FiatTokenRoles.sol";
import { Devnet } from "./Devnet.sol";

contract FiatTokenBlacklistTest is Devnet {
  address internal immutable alice = makeAddr("alice");
  address internal immutable bob = makeAddr("bob");
  address internal immutable minter = makeAddr("minter");

  function setUp() public override {
    super.setUp();
    _mint(alice, 100e6);
    vm.prank(circle);
    USDC.configureMinter(minter, 50e6);
  }

  function test_default_blacklist() public {
    vm.startPrank(circle);
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.Blacklisted(alice);
    USDC.blacklist(alice);
    assertTrue(USDC.isBlacklisted(alice));
    assertEq(USDC.balanceOf(alice), 100e6, "the balance stays and shows");

    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.UnBlacklisted(alice);
    USDC.unBlacklist(alice);
    vm.stopPrank();
    assertFalse(USDC.isBlacklisted(alice));
    vm.prank(alice);
    assertTrue(USDC.transfer(bob, 100e6));
  }

  function test_error_blacklisted_transfer() public {
    _blacklist(bob);
    vm.prank(alice);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.transfer(bob, 1);
    vm.prank(bob);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.transfer(alice, 0);
  }

  /// From, to and the caller.
  function test_error_blacklisted_transferFrom() public {
    address[3] memory involved = [alice, bob, stranger];
    vm.prank(alice);
    USDC.approve(stranger, 3);
    for (uint256 i; i < involved.length; ++i) {
      _blacklist(involved[i]);
      vm.prank(stranger);
      vm.expectRevert("Blacklistable: account is blacklisted");
      USDC.transferFrom(alice, bob, 1);
      vm.prank(circle);
      USDC.unBlacklist(involved[i]);
    }
    vm.prank(stranger);
    assertTrue(USDC.transferFrom(alice, bob, 1));
  }

  function test_error_blacklisted_mintAndBurn() public {
    vm.prank(minter);
    USDC.mint(minter, 1);
    _blacklist(bob);
    vm.prank(minter);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.mint(bob, 1);
    _blacklist(minter);
    vm.startPrank(minter);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.mint(alice, 1);
    vm.expectRevert("Blacklistable: account is blacklisted");
    USDC.burn(1);
  }

  /// Since version 2.2: an approval moves nothing.
  function test_behavior_blacklistedMayApprove() public {
    _blacklist(alice);
    vm.startPrank(alice);
    assertTrue(USDC.approve(bob, 5));
    assertTrue(USDC.increaseAllowance(bob, 5));
    assertTrue(USDC.decreaseAllowance(bob, 1));
    assertEq(USDC.allowance(alice, bob), 9);
  }

  function test_error_blacklister() public {
    vm.startPrank(alice);
    vm.expectRevert("Blacklistable: caller is not the blacklister");
    USDC.blacklist(bob);
    vm.expectRevert("Blacklistable: caller is not the blacklister");
    USDC.unBlacklist(bob);
  }

  function _blacklist(address account) internal {
    vm.prank(circle);
    USDC.blacklist(account);
  }
}
