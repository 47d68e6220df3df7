// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatToken } from "../../../contracts/devnet/FiatToken.sol";
import { FiatTokenBase } from "../../../contracts/devnet/FiatTokenBase.sol";
import { FiatTokenRoles } from "../../../contracts/devnet/FiatTokenRoles.sol";
import { Devnet } from "./Devnet.sol";

/// What Circle can do: mint, burn, pause, rescue, and name who does it.
contract FiatTokenRolesTest is Devnet {
  address internal immutable alice = makeAddr("alice");
  address internal immutable bob = makeAddr("bob");
  address internal immutable minter = makeAddr("minter");

  function setUp() public override {
    super.setUp();
    _mint(alice, 100e6);
    vm.startPrank(circle);
    USDC.configureMinter(minter, 50e6);
    vm.stopPrank();
  }

  /* MINT AND BURN */

  function test_default_mint(uint256 amount) public {
    amount = bound(amount, 1, 50e6);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Mint(minter, bob, amount);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Transfer(address(0), bob, amount);
    vm.prank(minter);
    assertTrue(USDC.mint(bob, amount));
    assertEq(USDC.balanceOf(bob), amount);
    assertEq(USDC.totalSupply(), 100e6 + amount);
    assertEq(USDC.minterAllowance(minter), 50e6 - amount);
  }

  function test_error_mint() public {
    vm.prank(alice);
    vm.expectRevert("FiatToken: caller is not a minter");
    USDC.mint(bob, 1);

    vm.startPrank(minter);
    vm.expectRevert("FiatToken: mint amount exceeds minterAllowance");
    USDC.mint(bob, 50e6 + 1);
    vm.expectRevert("FiatToken: mint amount not greater than 0");
    USDC.mint(bob, 0);
    vm.expectRevert("FiatToken: mint to the zero address");
    USDC.mint(address(0), 1);
  }

  function test_default_burn(uint256 amount) public {
    amount = bound(amount, 1, 50e6);
    vm.startPrank(minter);
    USDC.mint(minter, 50e6);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Burn(minter, amount);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.Transfer(minter, address(0), amount);
    USDC.burn(amount);
    assertEq(USDC.balanceOf(minter), 50e6 - amount);
    assertEq(USDC.totalSupply(), 150e6 - amount);
    assertEq(USDC.minterAllowance(minter), 0, "burning gives no allowance back");
  }

  function test_error_burn() public {
    vm.prank(alice);
    vm.expectRevert("FiatToken: caller is not a minter");
    USDC.burn(1);
    vm.startPrank(minter);
    vm.expectRevert("FiatToken: burn amount not greater than 0");
    USDC.burn(0);
    vm.expectRevert("FiatToken: burn amount exceeds balance");
    USDC.burn(1);
  }

  function test_default_configureAndRemoveMinter() public {
    vm.startPrank(circle);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.MinterConfigured(bob, 9);
    assertTrue(USDC.configureMinter(bob, 9));
    assertTrue(USDC.isMinter(bob));
    assertEq(USDC.minterAllowance(bob), 9);

    vm.expectEmit(address(USDC));
    emit FiatTokenBase.MinterRemoved(bob);
    assertTrue(USDC.removeMinter(bob));
    assertFalse(USDC.isMinter(bob));
    assertEq(USDC.minterAllowance(bob), 0);
  }

  function test_error_masterMinter() public {
    vm.startPrank(minter);
    vm.expectRevert("FiatToken: caller is not the masterMinter");
    USDC.configureMinter(minter, 1);
    vm.expectRevert("FiatToken: caller is not the masterMinter");
    USDC.removeMinter(minter);
  }

  /* PAUSE */

  function test_default_pause() public {
    vm.startPrank(circle);
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.Pause();
    USDC.pause();
    assertTrue(USDC.paused());
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.Unpause();
    USDC.unpause();
    vm.stopPrank();
    assertFalse(USDC.paused());
    vm.prank(alice);
    assertTrue(USDC.transfer(bob, 1));
  }

  /// Each of the calls below passes when not paused; see the other tests.
  function test_error_paused() public {
    vm.prank(circle);
    USDC.pause();
    bytes[8] memory calls = [
      abi.encodeCall(USDC.transfer, (bob, 1)),
      abi.encodeCall(USDC.transferFrom, (alice, bob, 1)),
      abi.encodeCall(USDC.approve, (bob, 1)),
      abi.encodeCall(USDC.increaseAllowance, (bob, 1)),
      abi.encodeCall(USDC.decreaseAllowance, (bob, 1)),
      abi.encodeCall(USDC.mint, (bob, 1)),
      abi.encodeCall(USDC.burn, (1)),
      abi.encodeCall(USDC.configureMinter, (bob, 1))
    ];
    for (uint256 i; i < calls.length; ++i) {
      vm.prank(circle);
      (bool ok, bytes memory answer) = address(USDC).call(calls[i]);
      assertFalse(ok);
      assertEq(answer, abi.encodeWithSignature("Error(string)", "Pausable: paused"));
    }
  }

  function test_error_pauser() public {
    vm.startPrank(alice);
    vm.expectRevert("Pausable: caller is not the pauser");
    USDC.pause();
    vm.expectRevert("Pausable: caller is not the pauser");
    USDC.unpause();
  }

  /* OWNER */

  function test_default_owner() public {
    vm.startPrank(circle);
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.PauserChanged(bob);
    USDC.updatePauser(bob);
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.BlacklisterChanged(bob);
    USDC.updateBlacklister(bob);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.MasterMinterChanged(bob);
    USDC.updateMasterMinter(bob);
    vm.expectEmit(address(USDC));
    emit FiatTokenBase.RescuerChanged(bob);
    USDC.updateRescuer(bob);
    vm.expectEmit(address(USDC));
    emit FiatTokenRoles.OwnershipTransferred(circle, bob);
    USDC.transferOwnership(bob);

    assertEq(USDC.pauser(), bob);
    assertEq(USDC.blacklister(), bob);
    assertEq(USDC.masterMinter(), bob);
    assertEq(USDC.rescuer(), bob);
    assertEq(USDC.owner(), bob);
  }

  function test_error_ownerNamesTheZeroAddress() public {
    vm.startPrank(circle);
    vm.expectRevert("Pausable: new pauser is the zero address");
    USDC.updatePauser(address(0));
    vm.expectRevert("Blacklistable: new blacklister is the zero address");
    USDC.updateBlacklister(address(0));
    vm.expectRevert("FiatToken: new masterMinter is the zero address");
    USDC.updateMasterMinter(address(0));
    vm.expectRevert("Rescuable: new rescuer is the zero address");
    USDC.updateRescuer(address(0));
    vm.expectRevert("Ownable: new owner is the zero address");
    USDC.transferOwnership(address(0));
  }

  function test_error_notTheOwner() public {
    bytes[5] memory calls = [
      abi.encodeCall(USDC.updatePauser, (alice)),
      abi.encodeCall(USDC.updateBlacklister, (alice)),
      abi.encodeCall(USDC.updateMasterMinter, (alice)),
      abi.encodeCall(USDC.updateRescuer, (alice)),
      abi.encodeCall(USDC.transferOwnership, (alice))
    ];
    for (uint256 i; i < calls.length; ++i) {
      vm.prank(alice);
      (bool ok, bytes memory answer) = address(USDC).call(calls[i]);
      assertFalse(ok);
      assertEq(answer, abi.encodeWithSignature("Error(string)", "Ownable: caller is not the owner"));
    }
  }

  /* RESCUE */

  function test_default_rescueERC20() public {
    FiatToken other = new FiatToken();
    vm.store(address(other), keccak256(abi.encode(address(USDC), 9)), bytes32(uint256(5)));
    vm.prank(circle);
    USDC.rescueERC20(address(other), bob, 5);
    assertEq(other.balanceOf(bob), 5);
  }

  function test_error_rescueERC20() public {
    vm.prank(alice);
    vm.expectRevert("Rescuable: caller is not the rescuer");
    USDC.rescueERC20(address(USDC), alice, 1);
  }
}
