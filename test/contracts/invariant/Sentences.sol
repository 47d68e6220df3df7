// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { Sums } from "./Sums.sol";

/// @dev What is promised, a sentence a function. Each is about all that happened since the beginning, so that to ask at
///      the end is to ask after every call.
abstract contract Sentences is Sums {
  function assertPromises() public view {
    Fact[] memory all = facts;
    Policy[] memory policies = new Policy[](known.length);
    for (uint256 i; i < known.length; ++i) {
      policies[i] = known[i].policy;
    }
    noPermissionMovesMoreThanItsAllowance();
    noPermissionTouchesWhatIsAnotherAgents(all);
    noPaymentPassesACap(all, policies);
    moneyOnlyReachesPayeesPurseAndAccount(all, policies);
    aNumberPaysOnce(all);
    noFundingLiftsAPurseAboveMaxFloat(all, policies);
    aPurseHoldsAndPaysNoMoreThanCame();
    nothingLeavesAfterAStop(all);
    metersAreSumsOfEvents(all, policies);
    theGuardKeepsNothing();
  }

  /// @dev No approved permission, whatever its extraData, moves more than its allowance in a period, so than its allowance
  ///      times its periods.
  function noPermissionMovesMoreThanItsAllowance() internal view {
    Spend[] memory all = spends;
    for (uint256 i; i < all.length; ++i) {
      Known storage k = known[all[i].known];
      uint256 moved;
      for (uint256 j; j <= i; ++j) {
        if (all[j].known != all[i].known) continue;
        if ((all[j].time - k.p.start) / k.p.period != (all[i].time - k.p.start) / k.p.period) continue;
        moved += all[j].moved;
      }
      assertLe(moved, k.p.allowance, "a permission moved more than its allowance");
      assertEq(all[i].moved, all[i].amount, "SPM counts what moves");
      assertTrue(all[i].time >= k.p.start && all[i].time < k.p.end, "outside of its dates");
    }
  }

  /// @dev No permission touches another agent's purse or numbers, and nobody another one's pause: each is what its own
  ///      agent, its account and donations made of it.
  function noPermissionTouchesWhatIsAnotherAgents(Fact[] memory all) internal view {
    for (uint256 i; i < purses.length; ++i) {
      assertEq(USDC.balanceOf(purses[i].at), purses[i].held, "another agent's purse: balance");
      bytes32 funder = known[purses[i].funder].hash;
      assertEq(IPurse(purses[i].at).fundedBy(), funder, "another agent's purse: permission");
    }
    for (uint256 i; i < moves.length; ++i) {
      // Swept by somebody who may, or moved under a permission, which has to be its agent's.
      if (purseIndexOf[moves[i].from] == 0 || moves[i].known == NOBODY) continue;
      KnownPurse storage purse = purses[purseIndexOf[moves[i].from] - 1];
      Known storage k = known[moves[i].known];
      bool own = purse.account == k.p.account && purse.grantId == k.policy.grantId;
      assertTrue(own && purse.agent == k.policy.agent, "another agent's purse: money");
    }
    for (uint256 i; i < all.length; ++i) {
      if (all[i].kind == Kind.Settlement) continue;
      Known storage k = known[all[i].known];
      for (uint256 j; j < agents.length; ++j) {
        bool used = guard.isUsed(k.p.account, TOKEN, k.policy.grantId, agents[j], all[i].number);
        assertEq(used, _isUsedBy(all, all[i].grant, agents[j], all[i].number), "another agent's number");
      }
    }
    for (uint256 i; i < known.length; ++i) {
      Known storage k = known[i];
      address[6] memory everybody = [agent, second, thief, orchestrator, stranger, address(hostile)];
      for (uint256 j; j < 6; ++j) {
        // Each by itself, in the orchestrator's place.
        Policy memory policy = k.policy;
        (policy.orchestrator, policy.agent) = (everybody[j], everybody[j]);
        (bool paused, bool revoked) = _stops(k.p.account, policy);
        (bool isPaused, bool isRevoked) =
          guard.stops(k.p.account, TOKEN, policy.grantId, everybody[j], everybody[j]);
        assertTrue(paused == isPaused && revoked == isRevoked, "another one's pause or revocation");
      }
    }
  }

  /// @dev No payment takes the grant past a cap of the permission it uses, counting for day and total everything under
  ///      the grant, for a window everything under permissions with that window length, for a task everything metered
  ///      to it.
  function noPaymentPassesACap(Fact[] memory all, Policy[] memory policies) internal pure {
    for (uint256 i; i < all.length; ++i) {
      Policy memory policy = policies[all[i].known];
      if (all[i].kind != Kind.Funding) assertLe(all[i].amount, policy.perCall, "over perCall");
      if (all[i].kind == Kind.Settlement) continue;
      Metered memory sums = _sumsAt(all, policies, i);
      assertLe(sums.total, policy.total, "over total");
      assertLe(sums.day, policy.perDay, "over perDay");
      if (policy.window != 0) assertLe(sums.window, policy.perWindow, "over perWindow");
      if (policy.perTask == UNLIMITED) continue;
      assertTrue(all[i].task != 0, "a task without a name");
      assertLe(sums.task, policy.perTask, "over perTask");
      assertLe(sums.task, all[i].ticketCap, "over the ticket");
    }
  }

  /// @dev Money of an account only ever reaches payees whom the permission's policy allows, the purse of its agent, or the
  ///      account.
  function moneyOnlyReachesPayeesPurseAndAccount(Fact[] memory all, Policy[] memory policies) internal view {
    for (uint256 i; i < all.length; ++i) {
      Known storage k = known[all[i].known];
      if (all[i].kind != Kind.Funding) {
        assertTrue(_isPayee(policies[all[i].known].payees, all[i].to), "paid to somebody else");
      } else {
        assertEq(
          all[i].to,
          guard.purseOf(k.p.account, TOKEN, policies[all[i].known].grantId, all[i].agent),
          "funded another purse"
        );
      }
    }
    for (uint256 i; i < moves.length; ++i) {
      Move memory move = moves[i];
      bool fromPurse = purseIndexOf[move.from] != 0;
      if (fromPurse && move.to == purses[purseIndexOf[move.from] - 1].account) continue;
      assertTrue(move.known != NOBODY, "moved without a permission");
      Known storage k = known[move.known];
      if (move.to == address(guard)) {
        assertEq(move.from, k.p.account, "from another account");
      } else {
        assertTrue(fromPurse || move.from == address(guard), "from somewhere else");
        address purse = guard.purseOf(k.p.account, TOKEN, k.policy.grantId, k.policy.agent);
        assertTrue(move.to == purse || _isPayee(k.policy.payees, move.to), "moved to somebody else");
        if (fromPurse) assertEq(move.from, purse, "another agent's purse paid");
      }
    }
    assertEq(_moved(), _booked(all), "moved what no event tells");
  }

  /// @dev A payment number of an agent under a grant pays at most once, and so does an authorization of a purse.
  function aNumberPaysOnce(Fact[] memory all) internal pure {
    for (uint256 i; i < all.length; ++i) {
      bool settles = all[i].kind == Kind.Settlement;
      for (uint256 j; j < i; ++j) {
        if (settles != (all[j].kind == Kind.Settlement) || all[i].number != all[j].number) continue;
        assertFalse(all[i].grant == all[j].grant && all[i].agent == all[j].agent, "a number paid twice");
      }
    }
  }

  /// @dev No funding lifts a purse above the maxFloat of its permission.
  function noFundingLiftsAPurseAboveMaxFloat(Fact[] memory all, Policy[] memory policies) internal pure {
    for (uint256 i; i < all.length; ++i) {
      if (all[i].kind != Kind.Funding) continue;
      assertLe(all[i].float, policies[all[i].known].maxFloat, "a purse above maxFloat");
    }
  }

  /// @dev Under a permission a purse pays no more than was funded under it, and donated since.
  function aPurseHoldsAndPaysNoMoreThanCame() internal view {
    for (uint256 i; i < purses.length; ++i) {
      assertLe(purses[i].paid, purses[i].came, "a purse paid what came from elsewhere");
    }
  }

  /// @dev Nothing leaves, but to the account, after a pause or revocation that is heard, before the permission's start,
  ///      from its end on, or before its approval.
  function nothingLeavesAfterAStop(Fact[] memory all) internal pure {
    for (uint256 i; i < all.length; ++i) {
      assertTrue(all[i].live, "paid after a stop");
    }
  }

  /// @dev The meters equal the sums of the events.
  function metersAreSumsOfEvents(Fact[] memory all, Policy[] memory policies) internal view {
    for (uint256 i; i < known.length; ++i) {
      if (!known[i].decodable) continue;
      bytes32 grant = _grantOf(known[i].p.account, policies[i].grantId);
      bytes32 task = keccak256(abi.encode("task", i % 3));
      IHardcapGuard.Meters memory used = guard.used(known[i].p, task);
      Metered memory sums = _sumsOf(all, policies, grant, task, policies[i].window);
      assertEq(used.total, sums.total, "meter: total");
      assertEq(used.perDay, sums.day, "meter: day");
      assertEq(used.perTask, sums.task, "meter: task");
      assertEq(used.perWindow, sums.window, "meter: window");
      assertEq(used.period, _periodOf(i), "meter: period");
      assertEq(used.float, _floatOf(i), "meter: float");
    }
  }

  /// @dev The guard holds nothing at the end of a call that it did not hold before it.
  function theGuardKeepsNothing() internal view {
    assertEq(USDC.balanceOf(address(guard)), 1 + donated, "the guard's balance");
  }
}
