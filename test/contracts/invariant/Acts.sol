// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { HostileActs } from "./HostileActs.sol";
import { PurseActs } from "./PurseActs.sol";

/// @dev Everything that anybody does, time included, and with what the world begins: an agent with a typical
///      permission, one with every cap, a second agent under the same grant, and a hostile account with one of its own.
abstract contract Acts is HostileActs, PurseActs {
  function setUp() public virtual override {
    super.setUp();
    _begin(account, _typical(agent));
    _begin(account, _full());
    _begin(account, _typical(second));
    _begin(address(hostile), _typical(agent));
  }

  function _typical(address by) private view returns (Policy memory policy) {
    policy = _policy();
    (policy.agent, policy.perCall, policy.perDay, policy.total, policy.maxFloat) = (by, 20, 100, 400, 40);
  }

  function _full() private view returns (Policy memory policy) {
    policy = _fullPolicy();
    (policy.perCall, policy.perDay, policy.total, policy.maxFloat) = (20, 120, 500, 30);
    (policy.perTask, policy.perWindow, policy.window) = (60, 50, 3600);
  }

  function _begin(address by, Policy memory policy) private {
    ISpendPermissionManager.SpendPermission memory p = _permission(policy);
    (p.account, p.salt) = (by, uint256(keccak256(abi.encode(known.length))));
    uint256 index = _learn(p);
    vm.recordLogs();
    _approve(p);
    _book(index);
  }

  /// @dev Seconds, hours, and to the moments that matter, a second before and a second after them.
  function timePasses(uint256 seed) external act(seed) {
    uint256 what = _draw(20);
    Known storage k = known[_draw(known.length)];
    if (what < 9) clock += _draw(120);
    else if (what < 13) clock += _draw(6 hours);
    else if (what < 15) clock = (clock / 1 days + 1) * 1 days - 1 + _draw(3);
    else if (what < 18) clock += uint256(k.policy.window) + _draw(3);
    else if (what == 18) clock = _around(k.p.end);
    else clock = _around(k.p.start);
    vm.warp(clock);
    ++done["time"];
  }

  /// @dev Now, unless it lies ahead and not too far.
  function _around(uint256 time) private returns (uint256) {
    time = time - 1 + _draw(3);
    return time > clock && time < clock + 30 days ? time : clock;
  }

  /* ---------------------------------------- which acts ---------------------------------------- */

  /// @dev What can happen; what is here more than once happens more often.
  bytes4[] internal selectors;

  function _add(bytes4 selector, uint256 times) private {
    for (uint256 i; i < times; ++i) {
      selectors.push(selector);
    }
  }

  /// @dev What a thief with the agents' keys can bring about, while the owner goes on as before.
  function _addActsOfTheThief() internal {
    _add(this.agentPays.selector, 4);
    _add(this.strangerPays.selector, 1);
    _add(this.relayerPays.selector, 2);
    _add(this.relayerRepeats.selector, 1);
    _add(this.agentApprovesAndPays.selector, 1);
    _add(this.agentFunds.selector, 2);
    _add(this.relayerFunds.selector, 1);
    _add(this.facilitatorSettles.selector, 3);
    _add(this.facilitatorRepeats.selector, 1);
    _add(this.strangerTriesBlobs.selector, 1);
    _add(this.agentCancels.selector, 1);
    _add(this.anybodySweeps.selector, 1);
    _add(this.strangerDonates.selector, 1);
    _add(this.hostilePageGetsSignature.selector, 1);
    _add(this.timePasses.selector, 3);
  }

  /// @dev What owners, those who may stop a grant and a hostile account do besides.
  function _addActsOfOthers() internal {
    _add(this.ownerApproves.selector, 1);
    _add(this.relayerReplaces.selector, 1);
    _add(this.anybodyPauses.selector, 1);
    _add(this.anybodyResumes.selector, 2);
    _add(this.anybodyRevokes.selector, 1);
    _add(this.hostileAccountApproves.selector, 1);
    _add(this.hostileAccountPays.selector, 1);
    _add(this.hostileAccountFunds.selector, 1);
  }
}
