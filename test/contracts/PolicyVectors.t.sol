// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { MerkleProofLib } from "solady/utils/MerkleProofLib.sol";

import { Policy, PolicyLib } from "../../contracts/Policy.sol";

/// @dev test/vectors/policy.json is read here and by test/core/policy.test.ts: what the library encodes is what the
///      guard decodes, and what the one refuses, the other does too.
contract PolicyVectorsTest is Test {
  string private json;

  function setUp() public {
    json = vm.readFile("test/vectors/policy.json");
  }

  function decode(bytes calldata data) external pure returns (Policy memory) {
    return PolicyLib.decode(data);
  }

  function test_decode() public view {
    uint256 count = _count(".policies");
    assertGt(count, 10);
    for (uint256 i; i < count; ++i) {
      string memory at = _at(".policies", i);
      Policy memory policy = this.decode(_bytes(at, ".data"));
      assertEq(abi.encode(policy), abi.encode(_policy(string.concat(at, ".policy"))), at);
    }
  }

  function test_encode() public view {
    for (uint256 i; i < _count(".policies"); ++i) {
      string memory at = _at(".policies", i);
      assertEq(PolicyLib.encode(_policy(string.concat(at, ".policy"))), _bytes(at, ".data"), at);
    }
  }

  function test_decode_malformed() public {
    uint256 count = _count(".malformed");
    assertGt(count, 20);
    for (uint256 i; i < count; ++i) {
      string memory at = _at(".malformed", i);
      vm.expectRevert(_bytes(at, ".error"));
      this.decode(_bytes(at, ".data"));
    }
  }

  function test_payees() public view {
    uint256 count = _count(".payees");
    assertGt(count, 3);
    for (uint256 i; i < count; ++i) {
      string memory at = _at(".payees", i);
      bytes32 root = vm.parseJsonBytes32(json, string.concat(at, ".root"));
      string memory proofs = string.concat(at, ".proofs");
      for (uint256 j; j < _count(proofs); ++j) {
        address payee = vm.parseJsonAddress(json, string.concat(_at(proofs, j), ".payee"));
        string memory path = string.concat(_at(proofs, j), ".proof");
        bytes32[] memory proof = new bytes32[](_count(path));
        for (uint256 k; k < proof.length; ++k) {
          proof[k] = vm.parseJsonBytes32(json, _at(path, k));
        }
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(payee))));
        assertTrue(MerkleProofLib.verify(proof, root, leaf), path);
      }
    }
  }

  /* ---------------------------------------- reading ---------------------------------------- */

  function _policy(string memory at) private view returns (Policy memory policy) {
    policy.grantId = vm.parseJsonBytes32(json, string.concat(at, ".grantId"));
    policy.agent = vm.parseJsonAddress(json, string.concat(at, ".agent"));
    policy.orchestrator = vm.parseJsonAddress(json, string.concat(at, ".orchestrator"));
    policy.perCall = uint112(_uint(at, ".perCall"));
    policy.perDay = uint112(_uint(at, ".perDay"));
    policy.total = uint112(_uint(at, ".total"));
    policy.perTask = uint112(_uint(at, ".perTask"));
    policy.perWindow = uint48(_uint(at, ".perWindow"));
    policy.window = uint32(_uint(at, ".window"));
    policy.maxFloat = uint112(_uint(at, ".maxFloat"));
    policy.payees = vm.parseJsonBytes32(json, string.concat(at, ".payees"));
    policy.replaces = vm.parseJsonBytes32(json, string.concat(at, ".replaces"));
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

  function _bytes(string memory at, string memory key) private view returns (bytes memory) {
    return vm.parseJsonBytes(json, string.concat(at, key));
  }
}
