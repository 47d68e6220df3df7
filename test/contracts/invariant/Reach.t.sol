// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { console } from "forge-std/console.sol";

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { Acts } from "./Acts.sol";
import { Sentences } from "./Sentences.sol";
import { World } from "./World.sol";

/// @dev That the campaign's acts get somewhere: in 32 worlds of 128 acts, always the same ones, everything that can be done
///      is done often, and refused often, for every reason. `forge test --match-contract Reach -vv` prints how often.
contract Reach is Acts, Sentences {
  uint256 private constant WORLDS = 32;
  uint256 private constant OFTEN = 5;
  uint256 private constant REASONS = uint256(type(IHardcapGuard.Reason).max) + 1;

  /// @dev What can be refused, and is done often too.
  string[11] private both = [
    "pay",
    "relay",
    "approve and pay",
    "hostile pay",
    "fund",
    "relay funding",
    "hostile fund",
    "settle",
    "cancel",
    "sweep",
    "replace"
  ];
  string[8] private onlyDone = [
    "batch", "relay again", "settle again", "pause", "resume", "revoke with SPM", "revoke", "revoke the grant"
  ];
  string[7] private onlyRefused = [
    "relay again", "settle again", "relay unsigned", "pay as another", "re-enter", "other blobs", "revoke"
  ];

  function setUp() public override(Acts, World) {
    super.setUp();
    _addActsOfTheThief();
    _addActsOfOthers();
  }

  function test_behavior_reach() public {
    vm.pauseGasMetering();
    uint256[][4] memory counts =
      [new uint256[](both.length), new uint256[](both.length), new uint256[](8), new uint256[](7)];
    uint256[] memory why = new uint256[](REASONS);
    uint256 snapshot = vm.snapshotState();
    for (uint256 world; world < WORLDS; ++world) {
      _live(world);
      assertPromises();
      _count(counts, why);
      vm.revertToState(snapshot);
    }
    _assertOften(counts, why);
  }

  function _live(uint256 world) private {
    for (uint256 i; i < 128; ++i) {
      uint256 seed = uint256(keccak256(abi.encode(world, i)));
      (bool ok, bytes memory error) =
        address(this).call(abi.encodeWithSelector(selectors[seed % selectors.length], seed));
      if (ok) continue;
      console.log("world %d, act %d", world, i);
      assembly {
        revert(add(error, 32), mload(error))
      }
    }
  }

  function _count(uint256[][4] memory counts, uint256[] memory why) private view {
    for (uint256 i; i < both.length; ++i) {
      counts[0][i] += done[both[i]];
      counts[1][i] += refused[both[i]];
    }
    for (uint256 i; i < onlyDone.length; ++i) {
      counts[2][i] += done[onlyDone[i]];
    }
    for (uint256 i; i < onlyRefused.length; ++i) {
      counts[3][i] += refused[onlyRefused[i]];
    }
    for (uint256 i; i < REASONS; ++i) {
      why[i] += reasons[IHardcapGuard.Reason(i)];
    }
  }

  function _assertOften(uint256[][4] memory counts, uint256[] memory why) private view {
    for (uint256 i; i < both.length; ++i) {
      console.log("%s: done %d, refused %d", both[i], counts[0][i], counts[1][i]);
    }
    for (uint256 i; i < onlyDone.length; ++i) {
      console.log("%s: done %d", onlyDone[i], counts[2][i]);
    }
    for (uint256 i; i < onlyRefused.length; ++i) {
      console.log("%s: refused %d", onlyRefused[i], counts[3][i]);
    }
    for (uint256 i; i < REASONS; ++i) {
      console.log("reason %d: %d", i, why[i]);
    }
    for (uint256 i; i < 4; ++i) {
      for (uint256 j; j < counts[i].length; ++j) {
        assertGt(counts[i][j], OFTEN, "seldom");
      }
    }
    for (uint256 i; i < REASONS; ++i) {
      // There is one token here, and every error has its name.
      bool never = i == uint256(IHardcapGuard.Reason.NativeToken) || i == uint256(IHardcapGuard.Reason.Other)
        || i == uint256(IHardcapGuard.Reason.Ok);
      if (!never) assertGt(why[i], 0, "never");
    }
  }
}
