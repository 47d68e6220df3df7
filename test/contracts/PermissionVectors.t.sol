// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { SpendPermissionManager } from "../../contracts/devnet/SpendPermissionManager.sol";
import { ISpendPermissionManager } from "../../contracts/interfaces/ISpendPermissionManager.sol";

/// @dev test/vectors/permission.json is read here and by test/core/permissionVectors.test.ts: what the library
///      hashes without a chain is what the contract hashes, and what the docs say anybody can recompute.
contract PermissionVectorsTest is Test {
  ISpendPermissionManager private constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  /// @dev As the docs of `Grant.hash` have it.
  struct Terms {
    string encoding;
    bytes32 grantId;
    string id;
    address owner;
    address agent;
    address orchestrator;
    uint256 chainId;
    address token;
    string rail;
    Allowed[] allow;
    string payees;
    uint256 perCall;
    uint256 perTask;
    uint256 perDay;
    uint256 total;
    uint256 perWindow;
    uint256 window;
    uint256 maxFloat;
    uint256 startsAt;
    uint256 expiresAt;
    string hold;
  }

  struct Allowed {
    string host;
    address[] payTo;
  }

  string private json;

  function setUp() public {
    vm.etch(address(SPM), type(SpendPermissionManager).runtimeCode);
    json = vm.readFile("test/vectors/permission.json");
  }

  function test_grant_hash() public view {
    uint256 count = _count(".grants");
    assertGt(count, 0);
    for (uint256 i; i < count; ++i) {
      string memory at = _at(".grants", i);
      assertEq(keccak256(abi.encode(_terms(at))), _bytes32(at, ".hash"), at);
    }
  }

  function test_grant_salt() public view {
    for (uint256 i; i < _count(".grants"); ++i) {
      string memory at = _at(".grants", i);
      bytes32 salt = keccak256(abi.encode("hardcap.salt.v1", _bytes32(at, ".hash"), _uint(at, ".nonce")));
      assertEq(uint256(salt), _uint(at, ".permission.salt"), at);
    }
  }

  function test_permission_hashOfGrant() public {
    for (uint256 i; i < _count(".grants"); ++i) {
      string memory at = _at(".grants", i);
      vm.chainId(_uint(at, ".permission.chainId"));
      assertEq(
        SPM.getHash(_permission(string.concat(at, ".permission"))), _bytes32(at, ".permissionHash"), at
      );
    }
  }

  function test_permission_hash() public {
    uint256 count = _count(".permissions");
    assertGt(count, 0);
    for (uint256 i; i < count; ++i) {
      string memory at = _at(".permissions", i);
      vm.chainId(_uint(at, ".permission.chainId"));
      assertEq(SPM.getHash(_permission(string.concat(at, ".permission"))), _bytes32(at, ".hash"), at);
    }
  }

  function test_batch_hash() public {
    uint256 count = _count(".batch.permissions");
    assertGt(count, 1);
    ISpendPermissionManager.SpendPermissionBatch memory batch;
    batch.permissions = new ISpendPermissionManager.PermissionDetails[](count);
    for (uint256 i; i < count; ++i) {
      ISpendPermissionManager.SpendPermission memory p = _permission(_at(".batch.permissions", i));
      (batch.account, batch.period, batch.start, batch.end) = (p.account, p.period, p.start, p.end);
      batch.permissions[i] =
        ISpendPermissionManager.PermissionDetails(p.spender, p.token, p.allowance, p.salt, p.extraData);
    }
    vm.chainId(_uint(".batch.permissions[0]", ".chainId"));
    assertEq(SPM.getBatchHash(batch), _bytes32(".batch", ".hash"));
  }

  /* ---------------------------------------- reading ---------------------------------------- */

  function _permission(string memory at)
    private
    view
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    return ISpendPermissionManager.SpendPermission({
      account: _address(at, ".account"),
      spender: _address(at, ".spender"),
      token: _address(at, ".token"),
      allowance: uint160(_uint(at, ".allowance")),
      period: uint48(_uint(at, ".period")),
      start: uint48(_uint(at, ".start")),
      end: uint48(_uint(at, ".end")),
      salt: _uint(at, ".salt"),
      extraData: vm.parseJsonBytes(json, string.concat(at, ".extraData"))
    });
  }

  function _terms(string memory at) private view returns (Terms memory terms) {
    at = string.concat(at, ".terms");
    terms.encoding = "hardcap.grant.v1";
    terms.grantId = _bytes32(at, ".grantId");
    terms.id = _string(at, ".id");
    terms.owner = _address(at, ".owner");
    terms.agent = _address(at, ".agent");
    terms.orchestrator = _address(at, ".orchestrator");
    terms.chainId = _uint(at, ".chainId");
    terms.token = _address(at, ".token");
    terms.rail = _string(at, ".rail");
    terms.payees = _string(at, ".payees");
    terms.perCall = _uint(at, ".perCall");
    terms.perTask = _uint(at, ".perTask");
    terms.perDay = _uint(at, ".perDay");
    terms.total = _uint(at, ".total");
    terms.perWindow = _uint(at, ".perWindow");
    terms.window = _uint(at, ".window");
    terms.maxFloat = _uint(at, ".maxFloat");
    terms.startsAt = _uint(at, ".startsAt");
    terms.expiresAt = _uint(at, ".expiresAt");
    terms.hold = _string(at, ".hold");

    string memory allow = string.concat(at, ".allow");
    terms.allow = new Allowed[](_count(allow));
    for (uint256 i; i < terms.allow.length; ++i) {
      string memory entry = _at(allow, i);
      string memory payTo = string.concat(entry, ".payTo");
      terms.allow[i].host = _string(entry, ".host");
      terms.allow[i].payTo = new address[](_count(payTo));
      for (uint256 j; j < terms.allow[i].payTo.length; ++j) {
        terms.allow[i].payTo[j] = _address(_at(payTo, j), "");
      }
    }
  }

  function _at(string memory path, uint256 index) private pure returns (string memory) {
    return string.concat(path, "[", vm.toString(index), "]");
  }

  function _count(string memory path) private view returns (uint256 count) {
    while (vm.keyExistsJson(json, _at(path, count))) ++count;
  }

  function _uint(string memory at, string memory key) private view returns (uint256) {
    return vm.parseJsonUint(json, string.concat(at, key));
  }

  function _bytes32(string memory at, string memory key) private view returns (bytes32) {
    return vm.parseJsonBytes32(json, string.concat(at, key));
  }

  function _address(string memory at, string memory key) private view returns (address) {
    return vm.parseJsonAddress(json, string.concat(at, key));
  }

  function _string(string memory at, string memory key) private view returns (string memory) {
    return vm.parseJsonString(json, string.concat(at, key));
  }
}
