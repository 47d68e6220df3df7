// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";

import { TrailingWindow } from "../../contracts/TrailingWindow.sol";

/// @dev test/vectors/window.json is read here and by test/core/trailingWindow.test.ts: the ring that the library
///      keeps is the contract's, bit by bit.
contract WindowVectorsTest is Test {
  string private json;

  function setUp() public {
    json = vm.readFile("test/vectors/window.json");
  }

  function test_steps() public {
    uint256 count;
    for (; vm.keyExistsJson(json, _at("", count)); ++count) {
      _walk(_at("", count));
    }
    assertGt(count, 0);
  }

  function _walk(string memory at) private {
    uint32 window = uint32(vm.parseJsonUint(json, string.concat(at, ".window")));
    uint48 limit = uint48(vm.parseJsonUint(json, string.concat(at, ".limit")));
    uint256 slot;
    for (uint256 i; vm.keyExistsJson(json, _at(string.concat(at, ".steps"), i)); ++i) {
      string memory step = _at(string.concat(at, ".steps"), i);
      uint256 time = vm.parseJsonUint(json, string.concat(step, ".time"));
      uint256 amount = vm.parseJsonUint(json, string.concat(step, ".amount"));
      uint256 used = vm.parseJsonUint(json, string.concat(step, ".used"));
      assertEq(TrailingWindow.used(slot, time, window), used, step);
      if (vm.parseJsonBool(json, string.concat(step, ".fits"))) {
        slot = this.record(slot, time, window, amount, limit);
      } else {
        vm.expectRevert(abi.encodeWithSelector(TrailingWindow.OverWindow.selector, amount, used, limit));
        this.record(slot, time, window, amount, limit);
      }
      assertEq(bytes32(slot), vm.parseJsonBytes32(json, string.concat(step, ".slot")), step);
    }
  }

  function record(uint256 slot, uint256 time, uint32 window, uint256 amount, uint48 limit)
    external
    pure
    returns (uint256)
  {
    return TrailingWindow.record(slot, time, window, amount, limit);
  }

  function _at(string memory list, uint256 index) private pure returns (string memory) {
    return string.concat(list, "[", vm.toString(index), "]");
  }
}
