// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { HardcapGuard } from "../../contracts/HardcapGuard.sol";
import { IHardcapGuard } from "../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../contracts/interfaces/IPurse.sol";
import { Deploy } from "../../script/Deploy.s.sol";

contract DeployTest is Test {
  address private constant _DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

  address private constant _SPM = 0xf85210B21cC50302F477BA56686d2019dC9b67Ad;

  Deploy private _deploy;

  function setUp() public {
    vm.chainId(8453);
    vm.etch(
      _DEPLOYER,
      hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
    );
    vm.etch(_SPM, hex"00");
    _deploy = new Deploy();
  }

  function test_default() public {
    address predicted = _deploy.addressOf();
    assertEq(predicted.code.length, 0);
    assertEq(_deploy.run(), predicted);
    assertEq(predicted.codehash, _deploy.expectedCodeHash());
    // Salt, deployer and creation code as anybody else would put them together.
    bytes32 hash = keccak256(
      abi.encodePacked(hex"ff", _DEPLOYER, bytes32(0), keccak256(type(HardcapGuard).creationCode))
    );
    assertEq(predicted, address(uint160(uint256(hash))));
  }

  function test_behavior_purseImplementation() public {
    HardcapGuard guard = HardcapGuard(_deploy.run());
    address implementation = guard.purseImplementation();
    assertEq(implementation, vm.computeCreateAddress(address(guard), 1));
    assertEq(address(IPurse(implementation).guard()), address(guard));
  }

  function test_behavior_again() public {
    address guard = _deploy.run();
    bytes32 codeHash = guard.codehash;
    assertEq(_deploy.run(), guard);
    assertEq(guard.codehash, codeHash);
  }

  /// @dev Whoever was faster.
  function test_behavior_deployedBySomebodyElse() public {
    vm.prank(makeAddr("stranger"));
    (bool ok,) = _DEPLOYER.call(abi.encodePacked(bytes32(0), type(HardcapGuard).creationCode));
    assertTrue(ok);
    assertGt(_deploy.addressOf().code.length, 0);
    _deploy.run();
  }

  function test_behavior_sameAddressOnEveryChain(uint64 chainId) public {
    address guard = _deploy.addressOf();
    vm.chainId(bound(chainId, 1, type(uint64).max));
    assertEq(_deploy.run(), guard);
  }

  /// @dev Looking ahead leaves nothing behind.
  function test_behavior_expectedCodeHash() public {
    bytes32 hash = _deploy.expectedCodeHash();
    assertEq(_deploy.addressOf().code.length, 0);
    assertEq(vm.getNonce(_deploy.addressOf()), 0);
    assertEq(_deploy.expectedCodeHash(), hash);
  }

  function test_error_noDeployer() public {
    vm.etch(_DEPLOYER, "");
    vm.expectRevert(abi.encodeWithSelector(Deploy.NoDeployer.selector, _DEPLOYER.codehash));
    _deploy.run();
    vm.etch(_DEPLOYER, hex"00");
    vm.expectRevert(abi.encodeWithSelector(Deploy.NoDeployer.selector, keccak256(hex"00")));
    _deploy.run();
  }

  /// @dev A chain without SPM has no use for a guard.
  function test_error_noSpm() public {
    vm.etch(_SPM, "");
    bytes memory reason = abi.encodeWithSelector(IHardcapGuard.SpmMissing.selector);
    vm.expectRevert(abi.encodeWithSelector(Deploy.NotDeployed.selector, reason));
    _deploy.run();
  }

  function test_error_wrongCode() public {
    bytes32 expected = _deploy.expectedCodeHash();
    vm.etch(_deploy.addressOf(), hex"00");
    vm.expectRevert(abi.encodeWithSelector(Deploy.WrongCode.selector, keccak256(hex"00"), expected));
    _deploy.run();
  }
}
