// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Acts } from "./Acts.sol";
import { Sentences } from "./Sentences.sol";
import { World } from "./World.sol";

/// @dev Everybody does anything, in any order: 256 times 128 calls, more in the long form. Every act asserts that it
///      succeeds exactly when it should, so none reverts; all promises are asked at every 32nd call, the last one too.
contract Promises is Acts, Sentences {
  function setUp() public override(Acts, World) {
    super.setUp();
    _addActsOfTheThief();
    _addActsOfOthers();
    targetContract(address(this));
    targetSelector(FuzzSelector(address(this), selectors));
  }

  /// forge-config: default.invariant.check-interval = 32
  function invariant_promises() public view {
    assertPromises();
  }
}

/// @dev Nobody stops anything: the thief with the agents' keys has a free hand against the caps, and spends deep.
contract PromisesAgainstTheThief is Acts, Sentences {
  function setUp() public override(Acts, World) {
    super.setUp();
    _addActsOfTheThief();
    targetContract(address(this));
    targetSelector(FuzzSelector(address(this), selectors));
  }

  /// forge-config: default.invariant.check-interval = 32
  function invariant_promises() public view {
    assertPromises();
  }
}
