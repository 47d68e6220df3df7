// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { ANY_PAYEE, Policy, PolicyLib } from "../../../contracts/Policy.sol";

contract PolicyTest is Test {
  uint16 private constant PAYEES = 0x80;
  bytes32 private constant ID = keccak256("id");
  address private constant AGENT = address(0xa9e7);

  function decode(bytes calldata data) external pure returns (Policy memory) {
    return PolicyLib.decode(data);
  }

  function encode(Policy calldata policy) external pure returns (bytes memory) {
    return PolicyLib.encode(policy);
  }

  function allows(bytes32 payees, address payee, bytes32[] calldata proof) external pure returns (bool) {
    return PolicyLib.allows(payees, payee, proof);
  }

  /// @dev As short as a policy can be.
  function _least() private pure returns (Policy memory policy) {
    policy.grantId = ID;
    policy.agent = AGENT;
    policy.perCall = type(uint112).max;
    policy.perDay = type(uint112).max;
    policy.total = type(uint112).max;
    policy.perTask = type(uint112).max;
    policy.perWindow = type(uint48).max;
    policy.payees = ANY_PAYEE;
  }

  function _data(uint16 fields, bytes memory rest) private pure returns (bytes memory) {
    return abi.encodePacked(uint8(1), fields, ID, AGENT, rest);
  }

  function _expectMalformed(bytes memory data) private {
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    this.decode(data);
  }

  function test_default() public view {
    bytes memory data = _data(PAYEES, abi.encodePacked(ANY_PAYEE));
    assertEq(data.length, 87);
    assertEq(this.encode(_least()), data);
    assertEq(abi.encode(this.decode(data)), abi.encode(_least()));
  }

  /// @dev Every field in its place, by hand.
  function test_default_allFields() public view {
    Policy memory policy =
      Policy(ID, AGENT, address(0x07c), 1, 2, 3, 4, 5, 6, 7, keccak256("payees"), keccak256("old"));
    bytes memory data = abi.encodePacked(
      hex"0101ff",
      ID,
      AGENT,
      address(0x07c),
      uint112(1),
      uint112(2),
      uint112(3),
      uint112(4),
      uint48(5),
      uint32(6),
      uint112(7),
      keccak256("payees"),
      keccak256("old")
    );
    assertEq(this.encode(policy), data);
    assertEq(abi.encode(this.decode(data)), abi.encode(policy));
  }

  function test_args_anyPolicy(Policy memory policy) public view {
    if (policy.agent == address(0)) policy.agent = AGENT;
    if (policy.orchestrator == address(0)) policy.perTask = type(uint112).max;
    if (policy.window == 0) policy.perWindow = type(uint48).max;
    else if (policy.perWindow == type(uint48).max) policy.window = 0;
    assertEq(abi.encode(this.decode(this.encode(policy))), abi.encode(policy));
  }

  /// @dev Any subset of the fields.
  function test_args_anyFields(Policy memory policy, uint16 fields) public view {
    if (policy.agent == address(0)) policy.agent = AGENT;
    if (fields & 0x01 == 0) policy.orchestrator = address(0);
    if (fields & 0x02 == 0) policy.perCall = type(uint112).max;
    if (fields & 0x04 == 0) policy.perDay = type(uint112).max;
    if (fields & 0x08 == 0) policy.total = type(uint112).max;
    if (fields & 0x10 == 0 || policy.orchestrator == address(0)) policy.perTask = type(uint112).max;
    if (fields & 0x20 == 0 || policy.window == 0 || policy.perWindow == type(uint48).max) {
      policy.window = 0;
      policy.perWindow = type(uint48).max;
    }
    if (fields & 0x40 == 0) policy.maxFloat = 0;
    if (fields & 0x100 == 0) policy.replaces = 0;
    assertEq(abi.encode(this.decode(this.encode(policy))), abi.encode(policy));
  }

  /// @dev Zero means zero.
  function test_args_zeroLimits() public view {
    Policy memory policy = _least();
    policy.orchestrator = address(1);
    (policy.perCall, policy.perDay, policy.total, policy.perTask) = (0, 0, 0, 0);
    (policy.perWindow, policy.window) = (0, 1);
    policy.payees = 0;
    assertEq(abi.encode(this.decode(this.encode(policy))), abi.encode(policy));
  }

  /// @dev One to one: whatever bytes are accepted, they are the only ones for their policy.
  function test_behavior_canonical(bytes memory data, uint16 fields, uint256 seed) public view {
    data = _mangled(data, fields, seed);
    try this.decode(data) returns (Policy memory policy) {
      assertEq(this.encode(policy), data);
    } catch (bytes memory error) {
      bytes4 selector = bytes4(error);
      assertTrue(
        selector == PolicyLib.MalformedPolicy.selector || selector == PolicyLib.UnknownPolicyVersion.selector
      );
    }
  }

  /// @dev Bytes that are often policies, and otherwise nearly.
  function _mangled(bytes memory data, uint16 fields, uint256 seed) private pure returns (bytes memory) {
    if (seed % 8 == 0) return data;
    fields = fields & 0x1ff | PAYEES;
    uint256 length = 87;
    if (fields & 0x01 != 0) length += 20;
    for (uint256 bit = 0x02; bit <= 0x10; bit <<= 1) {
      if (fields & bit != 0) length += 14;
    }
    if (fields & 0x20 != 0) length += 10;
    if (fields & 0x40 != 0) length += 14;
    if (fields & 0x100 != 0) length += 32;
    bytes memory result = new bytes(length);
    for (uint256 i; i < length; ++i) {
      result[i] = data.length == 0 ? bytes1(0xff) : data[i % data.length];
    }
    result[0] = 0x01;
    result[1] = bytes1(uint8(fields >> 8));
    result[2] = bytes1(uint8(fields));
    return result;
  }

  function test_behavior_payees(address a, address b, address other) public view {
    vm.assume(a != b && other != a && other != b);
    bytes32 leafA = keccak256(bytes.concat(keccak256(abi.encode(a))));
    bytes32 leafB = keccak256(bytes.concat(keccak256(abi.encode(b))));
    bytes32 root = leafA < leafB ? keccak256(abi.encode(leafA, leafB)) : keccak256(abi.encode(leafB, leafA));
    bytes32[] memory proof = new bytes32[](1);
    proof[0] = leafB;
    assertTrue(this.allows(root, a, proof));
    assertFalse(this.allows(root, b, proof));
    assertFalse(this.allows(root, other, proof));
    assertFalse(this.allows(root, a, new bytes32[](0)));
    proof[0] = leafA;
    assertTrue(this.allows(root, b, proof));
  }

  function test_behavior_anyPayee(address payee, bytes32[] memory proof) public view {
    assertTrue(this.allows(ANY_PAYEE, payee, proof));
  }

  /// @dev A tree of one is its leaf; the root of no tree allows nobody.
  function test_behavior_singlePayee(address payee, address other) public view {
    vm.assume(payee != other);
    bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(payee))));
    assertTrue(this.allows(root, payee, new bytes32[](0)));
    assertFalse(this.allows(root, other, new bytes32[](0)));
    assertFalse(this.allows(0, payee, new bytes32[](0)));
  }

  function test_error_unknownVersion(uint8 version, bytes memory rest) public {
    vm.assume(version != 1);
    vm.expectRevert(abi.encodeWithSelector(PolicyLib.UnknownPolicyVersion.selector, version));
    this.decode(abi.encodePacked(version, rest));
  }

  function test_error_empty() public {
    _expectMalformed("");
  }

  function test_error_everyTruncation() public {
    Policy memory policy = Policy(ID, AGENT, address(0x07c), 1, 2, 3, 4, 5, 6, 7, ID, ID);
    bytes memory data = this.encode(policy);
    for (uint256 length = 1; length < data.length; ++length) {
      bytes memory cut = new bytes(length);
      for (uint256 i; i < length; ++i) {
        cut[i] = data[i];
      }
      _expectMalformed(cut);
    }
  }

  function test_error_trailingBytes(bytes memory more) public {
    vm.assume(more.length > 0);
    _expectMalformed(abi.encodePacked(this.encode(_least()), more));
  }

  function test_error_unknownField() public {
    for (uint256 bit = 9; bit < 16; ++bit) {
      _expectMalformed(_data(uint16(1 << bit) | PAYEES, abi.encodePacked(ID)));
    }
  }

  function test_error_noPayees() public {
    _expectMalformed(_data(0, ""));
    _expectMalformed(_data(0, abi.encodePacked(ID)));
  }

  function test_error_noAgent() public {
    _expectMalformed(abi.encodePacked(uint8(1), PAYEES, ID, address(0), ID));
    Policy memory policy = _least();
    policy.agent = address(0);
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    this.encode(policy);
  }

  function test_error_zeroOrchestrator() public {
    _expectMalformed(_data(PAYEES | 0x01, abi.encodePacked(address(0), ID)));
  }

  function test_error_unlimitedThatIsThere() public {
    bytes memory unlimited = abi.encodePacked(type(uint112).max);
    _expectMalformed(_data(PAYEES | 0x02, abi.encodePacked(unlimited, ID)));
    _expectMalformed(_data(PAYEES | 0x04, abi.encodePacked(unlimited, ID)));
    _expectMalformed(_data(PAYEES | 0x08, abi.encodePacked(unlimited, ID)));
    _expectMalformed(_data(PAYEES | 0x11, abi.encodePacked(AGENT, unlimited, ID)));
    _expectMalformed(_data(PAYEES | 0x20, abi.encodePacked(type(uint48).max, uint32(1), ID)));
  }

  function test_error_zeroThatIsThere() public {
    _expectMalformed(_data(PAYEES | 0x20, abi.encodePacked(uint48(1), uint32(0), ID)));
    _expectMalformed(_data(PAYEES | 0x40, abi.encodePacked(uint112(0), ID)));
    _expectMalformed(_data(PAYEES | 0x100, abi.encodePacked(ID, bytes32(0))));
  }

  function test_error_perTaskWithoutOrchestrator() public {
    _expectMalformed(_data(PAYEES | 0x10, abi.encodePacked(uint112(1), ID)));
    Policy memory policy = _least();
    policy.perTask = 0;
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    this.encode(policy);
  }

  function test_error_windowWithoutLengthOrCap() public {
    Policy memory policy = _least();
    policy.window = 1;
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    this.encode(policy);
    policy.window = 0;
    policy.perWindow = 1;
    vm.expectRevert(PolicyLib.MalformedPolicy.selector);
    this.encode(policy);
  }
}
