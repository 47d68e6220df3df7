// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatToken } from "../../../contracts/devnet/FiatToken.sol";
import { FiatTokenProxy } from "../../../contracts/devnet/FiatTokenProxy.sol";
import { Devnet } from "./Devnet.sol";

contract NextToken {
  uint256 public reached;

  function reach(uint256 value) external payable {
    reached = value;
  }
}

contract FiatTokenProxyTest is Devnet {
  FiatTokenProxy internal constant PROXY = FiatTokenProxy(payable(address(USDC)));

  /// Everybody may ask, and the slots are those of ZeppelinOS, not of ERC-1967.
  function test_default_adminAndImplementation() public view {
    assertEq(PROXY.admin(), proxyAdmin);
    assertEq(PROXY.implementation(), USDC_IMPLEMENTATION);
    assertEq(
      vm.load(address(PROXY), keccak256("org.zeppelinos.proxy.implementation")),
      bytes32(uint256(uint160(USDC_IMPLEMENTATION)))
    );
    assertEq(
      vm.load(address(PROXY), keccak256("org.zeppelinos.proxy.admin")), bytes32(uint256(uint160(proxyAdmin)))
    );
  }

  function test_behavior_theImplementationsStorageStaysEmpty() public {
    _mint(stranger, 5);
    assertEq(USDC.balanceOf(stranger), 5);
    assertEq(FiatToken(USDC_IMPLEMENTATION).balanceOf(stranger), 0);
    assertEq(FiatToken(USDC_IMPLEMENTATION).name(), "");
  }

  function test_default_changeAdmin() public {
    vm.expectEmit(address(PROXY));
    emit FiatTokenProxy.AdminChanged(proxyAdmin, stranger);
    vm.prank(proxyAdmin);
    PROXY.changeAdmin(stranger);
    assertEq(PROXY.admin(), stranger);
  }

  function test_default_upgradeTo() public {
    address next = address(new NextToken());
    vm.expectEmit(address(PROXY));
    emit FiatTokenProxy.Upgraded(next);
    vm.prank(proxyAdmin);
    PROXY.upgradeTo(next);
    assertEq(PROXY.implementation(), next);
  }

  function test_default_upgradeToAndCall() public {
    address next = address(new NextToken());
    vm.deal(proxyAdmin, 1);
    vm.prank(proxyAdmin);
    PROXY.upgradeToAndCall{ value: 1 }(next, abi.encodeCall(NextToken.reach, (7)));
    assertEq(NextToken(address(PROXY)).reached(), 7);
    assertEq(address(PROXY).balance, 1);
  }

  function test_error_upgradeToAndCallFails() public {
    address next = address(new NextToken());
    vm.prank(proxyAdmin);
    vm.expectRevert(bytes(""));
    PROXY.upgradeToAndCall(next, hex"12345678");
    assertEq(PROXY.implementation(), USDC_IMPLEMENTATION);
  }

  function test_error_adminGivesBadAddresses() public {
    vm.startPrank(proxyAdmin);
    vm.expectRevert("Cannot change the admin of a proxy to the zero address");
    PROXY.changeAdmin(address(0));
    vm.expectRevert("Cannot set a proxy implementation to a non-contract address");
    PROXY.upgradeTo(stranger);
  }

  /// The admin never reaches the token.
  function test_error_adminUsesTheToken() public {
    vm.prank(proxyAdmin);
    vm.expectRevert("Cannot call fallback function from the proxy admin");
    USDC.balanceOf(proxyAdmin);
  }

  /// Others reach the token, which has no such functions.
  function test_error_notTheAdmin() public {
    vm.startPrank(circle);
    vm.expectRevert(bytes(""));
    PROXY.changeAdmin(circle);
    vm.expectRevert(bytes(""));
    PROXY.upgradeTo(USDC_IMPLEMENTATION);
    vm.expectRevert(bytes(""));
    PROXY.upgradeToAndCall(USDC_IMPLEMENTATION, "");
    assertEq(PROXY.admin(), proxyAdmin);
  }

  function test_error_receivesNoETH() public {
    vm.deal(stranger, 1);
    vm.prank(stranger);
    (bool ok,) = address(PROXY).call{ value: 1 }("");
    assertFalse(ok);
  }
}
